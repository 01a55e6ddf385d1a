/**
 * Compiles the package to dist/ and writes the names of the library's own variables beside it; `--clean` starts anew.
 *
 * tsc writes a file for each source. Loading these one by one would be a quarter of a command's time, so what every command or
 * every model loads is then put together into a few chunks, and each file of dist/ hands on what its source exports: an
 * address stays good, and a module has one instance, whichever way it is imported.
 */
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { rollup } from "@rollup/wasm-node";
import { bin, root, sourceFolders } from "./setup.mjs";

const dist = join(root, "dist");

/** The chunks, and the files whose static imports they hold. A file is in the first that reaches it; others stay alone. */
const CHUNKS = {
  command: ["cli/main"],
  xenarc: ["index", "cli/commands/compile", "compiler/source/load", "emit/config"],
};
/** Frames in models/ count as the author's (compiler/site.ts tells by the folder), so its files have a chunk to themselves. */
const MODELS = "models/all";
const isModel = (id) => relative(dist, id).startsWith("models");

/** Reads tsc's files with their source maps. */
const compiled = {
  name: "compiled",
  resolveId: (id, from) => (from !== undefined && id.startsWith(".") ? resolve(dirname(from), id) : undefined),
  load: (id) => ({ code: readFileSync(id, "utf8"), map: readFileSync(`${id}.map`, "utf8") }),
};

/** Functions that had to be renamed in a chunk, because two files have one of a name, tell their own name to locations. */
const ownNames = {
  name: "own-names",
  renderChunk(text, { name }) {
    if (name !== MODELS) return undefined;
    const renamed = [...text.matchAll(/^(?:(?:async )?function\*?|const|let|class) ((\w+)\$\d+)\b/gm)];
    const lines = renamed.map(
      ([, now, own]) => `if (typeof ${now} === "function") Object.defineProperty(${now}, "name", { value: "${own}" });`,
    );
    return { code: [text, ...lines, ""].join("\n"), map: null };
  },
};

/** Rewrites what tsc wrote. */
async function bundle() {
  const sources = sourceFolders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  );
  const names = ["index.ts", ...sources.filter((name) => name.endsWith(".ts"))].map((name) => name.slice(0, -3));
  const program = await rollup({
    input: Object.fromEntries(names.map((name) => [name, join(dist, `${name}.js`)])),
    // Nothing is dropped and no import is reordered: the modules run as tsc wrote them.
    treeshake: false,
    external: (id) => !/^[./]/.test(id),
    onLog(_, log) {
      throw new Error(log.message);
    },
    plugins: [compiled, ownNames],
  });
  const roots = Object.values(CHUNKS).flat();
  const chunkOf = new Map();
  const { output } = await program.write({
    dir: dist,
    sourcemap: true,
    sourcemapExcludeSources: true,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    chunkFileNames: ({ name }) => (name === MODELS ? "[name].js" : "chunks/[name].js"),
    manualChunks(id, { getModuleInfo }) {
      if (chunkOf.size === 0)
        for (const [chunk, from] of Object.entries(CHUNKS)) for (const name of from) visit(chunk, name);
      return chunkOf.get(id);

      function visit(chunk, name) {
        for (const to of getModuleInfo(join(dist, `${name}.js`)).importedIds) {
          const imported = relative(dist, to).replace(/\.js$/, "");
          if (!to.startsWith(dist) || chunkOf.has(to)) continue;
          if (!roots.includes(imported)) chunkOf.set(to, isModel(to) ? MODELS : chunk);
          visit(chunk, imported);
        }
      }
    },
  });
  for (const { fileName, modules = {} } of output) {
    const models = Object.keys(modules).filter(isModel).length;
    if (models !== (isModel(join(dist, fileName)) ? Object.keys(modules).length : 0))
      throw new Error(`dist/${fileName} mixes models with other files: ${Object.keys(modules).join(", ")}`);
  }
}

if (process.argv.includes("--clean")) rmSync(dist, { recursive: true, force: true });
const code = await bin("tsc", ["-p", "tsconfig.build.json"]);
if (code !== 0) process.exit(code);
await bundle();
const { buildNames } = await import(new URL("dist/compiler/source/names.js", `file://${root}`));
await buildNames(root);
chmodSync(join(dist, "cli/main.js"), 0o755);
writeFileSync(join(dist, ".built"), "");
