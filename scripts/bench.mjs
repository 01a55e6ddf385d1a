/**
 * `npm run bench`: readies the checkout with what the bench compares with, compiles it as a release is compiled (what runs
 * TypeScript directly adds work of its own to every call), and runs bench/main.ts.
 */
import { ensureBuild, ensurePackages, ensurePython, referenceLock, root, run, StepFailed } from "./setup.mjs";

try {
  await ensurePackages();
  const { python } = await ensurePython(referenceLock);
  await ensureBuild();
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: ["bench/**/*.ts"],
    outdir: "dist/bench",
    sourcemap: true,
    tsconfig: "tsconfig.json",
  });
  process.exitCode = await run(process.execPath, ["dist/bench/main.js", ...process.argv.slice(2)], {
    env: { XENARC_BENCH_PYTHON: python },
  });
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(error.message);
  process.exitCode = 3;
}
