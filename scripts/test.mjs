/**
 * `npm test`: readies the checkout, then types, style, import arrows and the tests. `--full` adds test/full/.
 * Other arguments go to jest. The last line is `N passed, N failed`; a failed step counts as one.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bin, ensureBuild, ensurePackages, root, run } from "./setup.mjs";

const args = process.argv.slice(2);
const full = args.includes("--full");
const jestArgs = args.filter((a) => a !== "--full");
const report = join(root, ".xenarc/jest/report.json");
const counts = { passed: 0, failed: 0 };

async function step(name, work) {
  const started = performance.now();
  console.log(`\n— ${name}`);
  let failed = false;
  try {
    failed = ((await work()) ?? 0) !== 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    failed = true;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${failed ? "✗" : "✓"} ${name} (${seconds} s)`);
  return !failed;
}

/** A step that counts as one. */
async function counted(name, work) {
  const passed = await step(name, work);
  counts[passed ? "passed" : "failed"] += 1;
  return passed;
}

/** The step that counts test by test; when jest ends without a report, as one failure. */
async function tests() {
  mkdirSync(join(root, ".xenarc/jest"), { recursive: true });
  rmSync(report, { force: true });
  const code = await run(
    process.execPath,
    [
      "--experimental-vm-modules",
      "--no-warnings",
      "node_modules/jest/bin/jest.js",
      "--maxWorkers=2",
      "--json",
      "--outputFile",
      report,
      ...jestArgs,
    ],
    { env: full ? { XENARC_FULL: "1" } : {} },
  );
  const results = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
  const { numPassedTests: passed = 0, numFailedTests: failed = 0, numRuntimeErrorTestSuites: broken = 0 } = results;
  counts.passed += passed;
  counts.failed += failed + broken || (code === 0 ? 0 : 1);
  return code;
}

if (await counted("packages", ensurePackages)) {
  await counted("types", () => bin("tsc", ["-p", "tsconfig.json"]));
  await counted("style", () => bin("biome", ["check", "."]));
  await counted("import arrows", () => run(process.execPath, ["scripts/arrows.mjs"]));
  await counted("build", ensureBuild);
  await step("tests", tests);
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;
