/** Where the running package is: installed (dist/*.js) or a checkout run from its TypeScript sources. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { projectRoot } from "./cache.js";

const here = import.meta.url;
const compiled = /\.c?js$/.test(here);

/** The package's root folder, with a final slash. */
export const packageRoot: string = join(projectRoot(fileURLToPath(here)), "/");

/** Whether the package runs from dist/. */
export const isCompiled: boolean = compiled;

interface PackageJson {
  readonly version: string;
  readonly dependencies: { readonly zod: string };
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

let read: PackageJson | undefined;
function packageJson(): PackageJson {
  read ??= JSON.parse(readFileSync(`${packageRoot}package.json`, "utf8")) as PackageJson;
  return read;
}

/** The package's version. */
export const packageVersion = (): string => packageJson().version;

/** The names by which the package's entries are imported: `xenarc`, `xenarc/models`, ... */
export const entryNames = (): string[] => Object.keys(packageJson().exports).map((key) => `xenarc${key.slice(1)}`);

/** The file URL of the running package's own entry for `xenarc` or `xenarc/...`; undefined where there is no such entry. */
export function entryUrl(specifier: string): string | undefined {
  const entry = packageJson().exports[`.${specifier.slice("xenarc".length)}`];
  if (entry === undefined) return undefined;
  const path = typeof entry === "string" ? entry : entry.default;
  const running = compiled ? path : path.replace("./dist/", "./").replace(/\.js$/, ".ts");
  return new URL(running, pathToFileURL(packageRoot)).href;
}

/** The folders of the package's own sources. */
export const sourceFolders: readonly string[] = ["compiler", "ops", "models", "emit", "runtime-bridge", "cli"];

/** The path of one of the package's own source files from its root (`models/gpt.ts`); undefined for any other file. */
export function librarySource(path: string): string | undefined {
  if (!path.startsWith(packageRoot)) return undefined;
  const inside = path.slice(packageRoot.length).replaceAll("\\", "/");
  return inside === "index.ts" || sourceFolders.includes(inside.slice(0, inside.indexOf("/"))) ? inside : undefined;
}

/** The file URL under which the running package has one of its own source files (`models/gpt.ts`). */
export const runningUrl = (source: string): string =>
  new URL(compiled ? `dist/${source.replace(/\.ts$/, ".js")}` : source, pathToFileURL(packageRoot)).href;

/** The release of zod that the package is written with. */
export const zodVersion = (): string => packageJson().dependencies.zod;

/** The file URL of the running package's own zod: in dist/ it is a chunk (scripts/build.mjs). */
export const zodUrl = (): string =>
  new URL(compiled ? "dist/chunks/zod.js" : "node_modules/zod/index.js", pathToFileURL(packageRoot)).href;
