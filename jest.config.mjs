import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// The preset that users get as `xenarc/jest-preset`, built from its source: running one test needs no build.
const outdir = ".xenarc/jest";
await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ["compiler/source/jest-preset.ts", "compiler/source/jest-transform.ts"],
  outdir,
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "error",
});
const { default: preset } = await import(new URL(`${outdir}/jest-preset.js`, import.meta.url));

const full = process.env.XENARC_FULL === "1";

export default {
  ...preset,
  roots: ["<rootDir>/test"],
  testPathIgnorePatterns: full ? [] : ["<rootDir>/test/full/"],
  modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/.xenarc/"],
  globalSetup: "<rootDir>/test/setup/global-setup.mjs",
  globalTeardown: "<rootDir>/test/setup/global-teardown.mjs",
  setupFiles: ["<rootDir>/test/setup/own-worker.ts"],
  setupFilesAfterEnv: ["<rootDir>/test/setup/matchers.ts"],
  testTimeout: full ? 600_000 : 60_000,
};
