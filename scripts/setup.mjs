/**
 * Readies a checkout: npm packages, the build, the Python environment. Plain Node: it runs before node_modules exists.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Thrown when a step fails that has already said why. */
export class StepFailed extends Error {}

/** Runs a command in the repository, its output shown; resolves to its exit code. */
export function run(command, args, { env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    // Ctrl-C reaches the child too, which ends in order; nobody but us tells it of SIGTERM.
    const wait = () => {};
    const forward = () => child.kill("SIGTERM");
    process.on("SIGINT", wait).on("SIGTERM", forward);
    const settle = (how, result) => {
      process.off("SIGINT", wait).off("SIGTERM", forward);
      how(result);
    };
    child.on("error", (error) => settle(reject, error));
    child.on("close", (code, signal) => settle(resolve, code ?? 128 + constants.signals[signal]));
  });
}

/** Runs one of the packages' programs (`tsc`, `biome`, ...). */
export const bin = (name, args, options) => run(process.execPath, [programs[name], ...args], options);

const programs = {
  tsc: "node_modules/typescript/bin/tsc",
  biome: "node_modules/@biomejs/biome/bin/biome",
  jest: "node_modules/jest/bin/jest.js",
  tsx: "node_modules/tsx/dist/cli.mjs",
};

/** Installs the npm packages when they are missing or older than the lock file. */
export async function ensurePackages() {
  if (modified("node_modules/.package-lock.json") >= modified("package-lock.json")) return;
  console.log("Installing npm packages from package-lock.json");
  // The npm that runs this script, where one does.
  const [command, ...npm] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  await succeed(run(command, [...npm, "ci", "--no-audit", "--no-fund"]), "npm ci");
}

/** Compiles the package to dist/ when a source is newer than the last build. */
export async function ensureBuild() {
  const newest = Math.max(...sourceFolders.flatMap(sources).map(modified), ...buildFiles.map(modified));
  if (modified("dist/.built") > newest) return;
  console.log("Building dist/");
  await succeed(run(process.execPath, ["scripts/build.mjs"]), "build");
}

/**
 * The Python interpreter of the environment that the runtime's lock and `locks` describe, made on first use and kept by
 * their hash. Taken from the source, so that tests need no build.
 */
export async function ensurePython(...locks) {
  const { tsImport } = await import("tsx/esm/api");
  const { ensurePython } = await tsImport("../runtime-bridge/environment.ts", import.meta.url);
  return ensurePython({ extraLocks: locks.map((lock) => join(root, lock)), onProgress: (line) => console.log(line) });
}

/** What the tests and the bench compare with (flax, optax), on top of the runtime's own packages. */
export const referenceLock = "bench/requirements.lock";

async function succeed(exit, step) {
  if ((await exit) !== 0) throw new StepFailed(`${step} failed`);
}

/** The folders that the package is built from. */
export const sourceFolders = ["compiler", "ops", "models", "emit", "runtime-bridge", "cli"];
const buildFiles = ["index.ts", "package.json", "tsconfig.json", "tsconfig.build.json", "scripts/build.mjs"];

function modified(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function sources(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length));
}
