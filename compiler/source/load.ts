/** Loads an author's TypeScript file: bundled by esbuild with the files it imports, kept until one of them changes. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BuildFailure, Message, Plugin } from "esbuild";
import { didYouMean, XenarcError } from "../errors.js";
import { cacheFolder, projectRoot, readCache, sha256, writeAtomically, writeCache } from "./cache.js";
import { startNaming } from "./names.js";
import { entryNames, entryUrl, librarySource, packageVersion, runningUrl, zodUrl, zodVersion } from "./package.js";
import { originalPosition } from "./position.js";
import { pathFrom } from "./render.js";
import { esbuild, TSCONFIG } from "./transform.js";

/** A bundle that was made before: the files that went into it, each with the hash it had, relative to the entry's folder. */
interface Built {
  readonly inputs: readonly (readonly [path: string, hash: string])[];
  readonly bundle: string;
}

/**
 * Imports a TypeScript (or JavaScript) file and gives its module namespace.
 *
 * `xenarc` and `xenarc/...` mean the running package, wherever the file is; other packages are found from the file that
 * imports them. Path aliases of a tsconfig.json are not followed.
 *
 * @throws XenarcError with the author's position on a syntax error, an import that is not found, or an error thrown while
 *   the file runs.
 */
export async function loadModule(path: string): Promise<Record<string, unknown>> {
  const entry = resolve(path);
  if (!existsSync(entry)) {
    throw new XenarcError(
      { what: `There is no file ${path}.`, fix: "Give the path of a model, such as model.ts." },
      "usage",
    );
  }
  // The library's own files are loaded as they run: a second copy of the language would not know the first one's tensors.
  const own = librarySource(entry);
  if (own !== undefined) return import(runningUrl(own));
  const kept = reusable(entry);
  if (kept !== undefined) {
    try {
      return await importBundle(entry, kept);
    } catch (error) {
      // The packages that the bundle names may have moved since: find them again.
      if (!isNotFound(error)) throw await explain(error, entry, kept);
    }
  }
  const built = await bundle(entry);
  try {
    return await importBundle(entry, built);
  } catch (error) {
    throw await explain(error, entry, built);
  }
}

/** The author's files that the module at a path, once loaded, was made of, itself among them. */
export function sourcesOf(path: string): string[] {
  const entry = resolve(path);
  const files = readCache<Built>(entry, "modules", cacheKey())?.inputs ?? [];
  return [...new Set([entry, ...files.map(([file]) => join(dirname(entry), file))])];
}

const bundlePath = (entry: string, built: Built): string => join(cacheFolder(entry), "modules", built.bundle);

function importBundle(entry: string, built: Built): Promise<Record<string, unknown>> {
  return import(pathToFileURL(bundlePath(entry, built)).href);
}

/** What else a bundle depends on, besides its inputs. */
const cacheKey = (): string => sha256(packageVersion(), entryUrl("xenarc") ?? "", process.version);

const hashOf = (path: string): string => sha256(readFileSync(path, "utf8"));

function reusable(entry: string): Built | undefined {
  const built = readCache<Built>(entry, "modules", cacheKey());
  if (built === undefined) return undefined;
  try {
    const folder = dirname(entry);
    const same = built.inputs.every(([path, hash]) => hashOf(join(folder, path)) === hash);
    return same && existsSync(bundlePath(entry, built)) ? built : undefined;
  } catch {
    return undefined;
  }
}

async function bundle(entry: string): Promise<Built> {
  // What is bundled anew has names that are not known yet.
  startNaming();
  const { build } = esbuild();
  const folder = dirname(entry);
  const outfile = join(cacheFolder(entry), "modules", "bundle.mjs");
  const result = await build({
    absWorkingDir: folder,
    entryPoints: [entry],
    outfile,
    write: false,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: [],
    sourcemap: "external",
    sourcesContent: false,
    metafile: true,
    logLevel: "silent",
    tsconfigRaw: TSCONFIG,
    plugins: [packages, ownUrl],
    define: { "import.meta.url": OWN_URL },
  }).catch((failure: BuildFailure) => {
    throw explainBuild(failure, folder);
  });

  const inputs = Object.keys(result.metafile.inputs)
    .map((path) => path.replace(/^[a-z-]+:/, ""))
    .map((path) => [path, hashOf(join(folder, path))] as const);
  const text = (end: string) => result.outputFiles.find((file) => file.path.endsWith(end))!.text;
  // Node keeps modules by their path: another content is another file.
  const name = `${basename(entry)}-${sha256(text(".mjs")).slice(0, 16)}.mjs`;
  const built: Built = { inputs, bundle: name };
  const previous = readCache<Built>(entry, "modules", cacheKey());
  writeAtomically(join(dirname(outfile), `${name}.map`), text(".map"));
  writeAtomically(
    join(dirname(outfile), name),
    `${text(".mjs")}//# sourceMappingURL=${encodeURIComponent(name)}.map\n`,
  );
  writeCache(entry, "modules", cacheKey(), built);
  if (previous !== undefined && previous.bundle !== name) {
    for (const end of ["", ".map"]) rmSync(bundlePath(entry, previous) + end, { force: true });
  }
  return built;
}

/** Whether a file of zod is of the release that the running package has too: then this one's copy serves. */
function isOwnZod(path: string): boolean {
  return JSON.parse(readFileSync(join(projectRoot(path), "package.json"), "utf8")).version === zodVersion();
}

const RESOLVING = {};
/** Author's files have the suffix that their imports lack; what Node cannot run is inlined. */
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** Leaves packages out of the bundle, each by the URL of what the importing file means by it. */
const packages: Plugin = {
  name: "packages",
  setup({ onResolve, resolve: esbuildResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
      const own = librarySource(resolve(resolveDir, path).replace(/\.js$/, ".ts"));
      return own === undefined ? undefined : { path: runningUrl(own), external: true };
    });
    onResolve({ filter: /^[^./]/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === RESOLVING || kind === "entry-point" || path.startsWith("#")) return undefined;
      if (isBuiltin(path)) return { path, external: true };
      if (path === "xenarc" || path.startsWith("xenarc/")) {
        const url = entryUrl(path);
        if (url !== undefined) return { path: url, external: true };
        return { errors: [{ text: `xenarc has no entry "${path}".${didYouMean(path, entryNames())}` }] };
      }
      const found = await esbuildResolve(path, { importer, kind, resolveDir, pluginData: RESOLVING });
      // A configuration's schema is written in zod, which xenarc brings along for files that belong to no package.
      if (path === "zod" && (found.errors.length > 0 || isOwnZod(found.path)))
        return { path: zodUrl(), external: true };
      if (found.errors.length > 0) return { errors: [{ text: `Cannot find package "${path}".` }] };
      if (TYPESCRIPT.test(found.path)) return { path: found.path };
      return { path: found.external ? found.path : pathToFileURL(found.path).href, external: true };
    });
  },
};

const OWN_URL = "__xenarc_own_url";

/** Keeps the meaning of `import.meta.url`: each file's own. The addition is on the first line, so that lines stay. */
const ownUrl: Plugin = {
  name: "own-url",
  setup({ onLoad }) {
    onLoad({ filter: /\.[cm]?[jt]sx?$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      if (!source.includes("import.meta.url")) return undefined;
      return {
        contents: `const ${OWN_URL} = ${JSON.stringify(pathToFileURL(path).href)}; ${source}`,
        loader: "default",
      };
    });
  },
};

/** esbuild's errors, the first with its place. */
function explainBuild(failure: BuildFailure, folder: string): unknown {
  const first: Message | undefined = failure.errors?.[0];
  if (first === undefined) return failure;
  const { location } = first;
  const more = failure.errors.length - 1;
  return new XenarcError({
    what: sentence(first.text) + (more > 0 ? ` (and ${more} more)` : ""),
    where: location ? [{ file: resolve(folder, location.file), line: location.line, column: location.column + 1 }] : [],
    ...fixFor(first.text),
  });
}

function fixFor(text: string): { fix?: string } {
  if (/^Cannot find package "[@~]\//.test(text))
    return { fix: "Path aliases are not followed: import by a relative path." };
  const name = /^Cannot find package "((?:@[^/"]+\/)?[^/"]+)/.exec(text)?.[1];
  if (name !== undefined) return { fix: `Install it where the file is: npm install ${name}` };
  if (text.startsWith("Could not resolve")) return { fix: "Check the path; it is relative to the importing file." };
  return {};
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const isNotFound = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "ENOENT");

/** An error of the import itself, or thrown by the author's code as it ran. */
async function explain(error: unknown, entry: string, built: Built): Promise<unknown> {
  if (error instanceof XenarcError) return error;
  const files = built.inputs.map(([path]) => join(dirname(entry), path));
  const missing =
    error instanceof Error ? /(?:export named|Named export) '([^']+)'/.exec(error.message)?.[1] : undefined;
  if (missing !== undefined) {
    const module = /module '([^']+)'/.exec((error as Error).message)?.[1];
    const names = module === undefined ? [] : await exportsOf(module);
    return new XenarcError({
      what: `"${missing}" is not exported by ${moduleName(module)}.${didYouMean(missing, names)}`,
      where: importOf(missing, files),
    });
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `Thrown: ${String(error)}`;
  const where = error instanceof Error ? thrownAt(error, bundlePath(entry, built), files) : [];
  return new XenarcError({ what: `${pathFrom(entry)} failed as it was loaded. ${sentence(what)}`, where });
}

async function exportsOf(module: string): Promise<string[]> {
  try {
    return Object.keys(await import(module));
  } catch {
    return [];
  }
}

/** What the author calls a module: an entry of xenarc by its name. */
function moduleName(module: string | undefined): string {
  if (module === undefined) return "the module";
  const own = entryNames().find((name) => entryUrl(name) === module);
  return own ?? /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1] ?? module;
}

/** Where a name is imported: its first occurrence after an `import {` that is not yet closed. */
function importOf(name: string, files: readonly string[]) {
  const pattern = new RegExp(`\\b(?:import|export)\\b[^;'"]*?\\b(${name.replaceAll("$", "\\$")})\\b[^;'"]*?from`, "d");
  for (const file of files) {
    const source = readFileSync(file, "utf8");
    const at = pattern.exec(source)?.indices?.[1]?.[0];
    if (at === undefined) continue;
    const before = source.slice(0, at).split("\n");
    return [{ file, line: before.length, column: before[before.length - 1]!.length + 1 }];
  }
  return [];
}

/** The author's frames of a stack, innermost first; the engine has mapped them already where source maps are on. */
function thrownAt(error: Error, bundlePath: string, files: readonly string[]) {
  const frames = [...(error.stack ?? "").matchAll(/(file:\/\/[^\s()]+|\/[^\s():]+|[A-Za-z]:\\[^\s():]+):(\d+):(\d+)/g)];
  return frames.flatMap(([, place, line, column]) => {
    const file = place!.startsWith("file:") ? fileURLToPath(place!) : place!;
    if (files.includes(file)) return [{ file, line: Number(line), column: Number(column) }];
    if (file !== bundlePath) return [];
    const position = originalPosition(file, Number(line), Number(column));
    return [{ file: position.file, line: position.line, column: position.column }];
  });
}
