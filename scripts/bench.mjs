/** `npm run bench`: readies the checkout with what the bench compares with, then runs bench/main.ts. */
import { bin, ensurePackages, ensurePython, referenceLock, StepFailed } from "./setup.mjs";

try {
  await ensurePackages();
  const { python } = await ensurePython(referenceLock);
  process.exitCode = await bin("tsx", ["bench/main.ts", ...process.argv.slice(2)], {
    env: { XENARC_BENCH_PYTHON: python },
  });
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(error.message);
  process.exitCode = 3;
}
