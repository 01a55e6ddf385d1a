/** `npm run quickstart`: readies the checkout, then runs `xenarc quickstart` with the same arguments. */
import { ensureBuild, ensurePackages, run, StepFailed } from "./setup.mjs";

try {
  await ensurePackages();
  await ensureBuild();
  process.exitCode = await run(process.execPath, ["dist/cli/main.js", "quickstart", ...process.argv.slice(2)]);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(error.message);
  process.exitCode = 3;
}
