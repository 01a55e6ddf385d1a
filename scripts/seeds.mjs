/** `npm run seeds`: readies the checkout and runs bench/seeds.ts. */
import { bin, ensureBuild, ensurePackages, StepFailed } from "./setup.mjs";

try {
  await ensurePackages();
  await ensureBuild();
  process.exitCode = await bin("tsx", ["bench/seeds.ts", ...process.argv.slice(2)]);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(error.message);
  process.exitCode = 3;
}
