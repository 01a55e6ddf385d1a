/**
 * Loads the chunks of dist/ that scripts/build.mjs puts together; it goes along with them as dist/chunks/load.js.
 *
 * They are scripts and not modules because Node keeps the machine code of scripts alone: what a command has compiled of a chunk
 * is written to the package's cache as the command ends, and the next one starts from it.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext, Script } from "node:vm";

const dist = new URL("../", import.meta.url);
const cache = fileURLToPath(new URL("../.xenarc/cache/code", dist));
/** The packages that are chunks, by what is imported; the build fills it in. */
const PACKAGES = {};
const loaded = new Map();
/** Scripts whose machine code is not in the cache yet, by the file that it goes to. */
const compiled = new Map();
process.once("exit", () => {
  for (const [file, script] of compiled) write(file, script.createCachedData());
});

/** The command that runs, each of which needs other parts of a chunk; undefined where the package is a library. */
const command = /(?:\bcli[\\/]main\.js|\bxenarc)$/.test(process.argv[1] ?? "")
  ? /^[a-z]+$/.exec(process.argv[2] ?? "")?.[0]
  : undefined;

/** What a chunk exports, by its path in dist/ without suffix: `chunks/xenarc`. */
export function load(id) {
  const known = loaded.get(id);
  if (known !== undefined) return known;
  const url = new URL(`${id}.cjs`, dist).href;
  const module = { exports: {} };
  loaded.set(id, module.exports);
  const outside = createRequire(url);
  const require = (name) => {
    if (name.startsWith(".")) return load(new URL(name, url).href.slice(dist.href.length, -".cjs".length));
    return name in PACKAGES ? load(PACKAGES[name]) : outside(name);
  };
  evaluate(id, url)(
    module.exports,
    require,
    (name) => import(name.startsWith(".") ? new URL(name, url).href : name),
    url,
    module,
  );
  // What a package puts in the place of its exports.
  if (module.exports !== loaded.get(id)) {
    module.exports.default ??= module.exports;
    loaded.set(id, module.exports);
  }
  return module.exports;
}

/** The chunk as a function; the wrapping does not move its lines. */
function evaluate(id, url) {
  const text = `(function (exports, require, load, url, module) {${readFileSync(fileURLToPath(url), "utf8")}\n})`;
  // jest runs modules in contexts of their own, with an Array of their own; a script would be in the main one.
  // biome-ignore lint/security/noGlobalEval: the text is the package's own
  if (runInThisContext("Array") !== Array) return globalThis.eval(`${text}\n//# sourceURL=${url}`);
  if (command === undefined) return new Script(text, { filename: url }).runInThisContext();
  const file = join(cache, `${basename(id)}-${command}-${process.version}`);
  const script = new Script(text, { filename: url, cachedData: read(file) });
  if (script.cachedDataRejected !== false) compiled.set(file, script);
  return script.runInThisContext();
}

function read(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Atomically; a package that cannot be written to has no cache. */
function write(file, data) {
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(draft, data);
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
  }
}
