/**
 * Compiles the package to dist/ and writes the names of the library's own variables beside it; `--clean` starts anew.
 *
 * tsc writes a file for each source. Loading these one by one would be half of a command's time, so what every command or
 * every model loads, packages included, is then put together into a few chunks, which scripts/chunk_loader.mjs loads, and each file
 * of dist/ hands on what its source exports: an address stays good, and a module has one instance, whichever way it is imported.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { rollup } from "@rollup/wasm-node";
import { build as esbuild, transform } from "esbuild";
import { bin, root, sourceFolders } from "./setup.mjs";

const dist = join(root, "dist");

/** The chunks, and the files whose static imports they hold. A file is in the first that reaches it; others stay alone. */
const CHUNKS = {
  "chunks/command": ["cli/main"],
  "chunks/xenarc": ["index", "cli/commands/compile", "compiler/source/load", "emit/config"],
};
/** Frames in models/ count as the author's (compiler/site.ts tells by the folder), so its files have a chunk to themselves. */
const MODELS = "models/all";
const isModel = (id) => relative(dist, id).startsWith("models");

/** The chunk of zod alone, which authors' schemas share (compiler/source/load.ts). */
const zod = join(root, "node_modules/zod/");
const ZOD = "chunks/zod";

/** Packages in CommonJS that every command loads: a chunk for each, by what is imported. */
const PACKAGES = { commander: "chunks/commander", "protobufjs/minimal.js": "chunks/protobufjs" };

/** Reads tsc's files with their source maps, and zod. */
const compiled = {
  name: "compiled",
  resolveId(id, from) {
    if (id === "zod") return `${zod}index.js`;
    return from !== undefined && id.startsWith(".") ? resolve(dirname(from), id) : undefined;
  },
  load: (id) => ({
    code: readFileSync(id, "utf8"),
    map: id.startsWith(zod) ? { mappings: "" } : readFileSync(`${id}.map`, "utf8"),
  }),
};

/** What a module has and a script has not, as chunk_loader.mjs gives it. */
const scripts = {
  name: "scripts",
  resolveImportMeta: (property, { format }) => (format === "cjs" && property === "url" ? "url" : undefined),
  renderDynamicImport: ({ format }) => (format === "cjs" ? { left: "load(", right: ")" } : undefined),
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
    input: { ...Object.fromEntries(names.map((name) => [name, join(dist, `${name}.js`)])), [ZOD]: "zod" },
    // Nothing is dropped and no import is reordered: the modules run as tsc wrote them.
    treeshake: false,
    external: (id) => id !== "zod" && !/^[./]/.test(id),
    onLog(_, log) {
      if (![log.id, ...(log.ids ?? [])].some((id) => id?.startsWith(zod))) throw new Error(log.message);
    },
    plugins: [compiled, ownNames, scripts],
  });
  const chunkOf = new Map();
  const layout = (format, end) => ({
    format,
    dir: dist,
    sourcemap: true,
    sourcemapExcludeSources: true,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    exports: "named",
    interop: "default",
    // Files of the package that are no chunks lie one folder deep.
    paths: (id) => (format === "es" && id in PACKAGES ? `../${PACKAGES[id]}.js` : id),
    chunkFileNames: `[name].${end}`,
    entryFileNames: ({ name }) => (name === ZOD ? `[name].${end}` : "[name].js"),
    manualChunks(id, { getModuleInfo }) {
      if (chunkOf.size === 0)
        for (const [chunk, from] of Object.entries(CHUNKS))
          for (const name of from) visit(chunk, join(dist, `${name}.js`));
      return chunkOf.get(id);

      function visit(chunk, from) {
        for (const to of getModuleInfo(from).importedIds) {
          if (getModuleInfo(to).isExternal || chunkOf.has(to)) continue;
          chunkOf.set(to, to.startsWith(zod) ? ZOD : isModel(to) ? MODELS : chunk);
          visit(chunk, to);
        }
      }
    },
  });
  const isChunk = ({ name }) => name === ZOD || name === MODELS || name in CHUNKS;
  for (const { fileName, code, source } of (await program.generate(layout("cjs", "cjs"))).output) {
    if (fileName === `${ZOD}.cjs`) write(fileName, (await transform(code, { minifyWhitespace: true })).code);
    else if (/\.cjs(\.map)?$/.test(fileName) && !fileName.startsWith(MODELS)) write(fileName, code ?? source);
  }
  for (const output of (await program.generate(layout("es", "js"))).output) {
    const { name, fileName, code, source, modules = {} } = output;
    if (name === MODELS) write(`${MODELS}.cjs`, asScript(code));
    if (fileName === `${MODELS}.js.map`) write(`${MODELS}.cjs.map`, source);
    if (output.type === "chunk" && isChunk(output)) write(fileName, handingOn(name, output.exports));
    else if (!isChunk({ name: fileName.replace(/\.js\.map$/, "") })) write(fileName, code ?? source);
    const models = Object.keys(modules).filter(isModel).length;
    if (models !== (isModel(join(dist, fileName)) ? Object.keys(modules).length : 0))
      throw new Error(`dist/${fileName} mixes models with other files: ${Object.keys(modules).join(", ")}`);
  }
  const require = createRequire(import.meta.url);
  for (const [id, chunk] of Object.entries(PACKAGES)) {
    const outfile = join(dist, `${chunk}.cjs`);
    await esbuild({ entryPoints: [require.resolve(id)], outfile, bundle: true, format: "cjs", platform: "node" });
    write(`${chunk}.js`, handingOn(chunk, [...Object.keys(require(id)), "default"]));
  }
  for (const name of ["zod", "commander", "protobufjs"])
    copyFileSync(join(root, "node_modules", name, "LICENSE"), join(dist, `chunks/${name}.LICENSE`));
  const loader = readFileSync(join(root, "scripts/chunk_loader.mjs"), "utf8");
  write("chunks/load.js", loader.replace("const PACKAGES = {}", `const PACKAGES = ${JSON.stringify(PACKAGES)}`));
}

function write(name, text) {
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  writeFileSync(join(dist, name), text);
}

/**
 * A module as a script that keeps its lines, its columns and the names of what it imports: rollup's own scripts say `chunk.dot(...)` for
 * `dot(...)`, and locations would tell of that.
 */
function asScript(module) {
  return module
    .replace(/^import \{(.*)\} from '(.*)\.js';$/gm, (_, names, from) => {
      return `const {${names.replaceAll(" as ", ": ")}} = require('${from}.cjs');`;
    })
    .replace(/^export \{(.*)\};$/m, (_, names) => {
      const pairs = names.split(",").map((name) => name.trim().split(" as "));
      return `Object.assign(exports, { ${pairs.map(([own, as = own]) => `${as}: ${own}`).join(", ")} });`;
    })
    .replace(/\.js\.map$/m, ".cjs.map");
}

/** The module that stands for a chunk. Names that it exports need not be names of variables: `catch`. */
function handingOn(chunk, names) {
  return [
    `import { load } from "${chunk === MODELS ? "../chunks" : "."}/load.js";`,
    `const { ${names.map((name, i) => `${name}: $${i}`).join(", ")} } = load("${chunk}");`,
    `export { ${names.map((name, i) => `$${i} as ${name}`).join(", ")} };`,
    "",
  ].join("\n");
}

if (process.argv.includes("--clean")) rmSync(dist, { recursive: true, force: true });
const code = await bin("tsc", ["-p", "tsconfig.build.json"]);
if (code !== 0) process.exit(code);
await bundle();
// V8 tells one source from another by its length.
rmSync(join(root, ".xenarc/cache/code"), { recursive: true, force: true });
const { buildNames } = await import(new URL("dist/compiler/source/names.js", `file://${root}`));
await buildNames(root);
chmodSync(join(dist, "cli/main.js"), 0o755);
writeFileSync(join(dist, ".built"), "");
