/**
 * Holds the direction of imports: `models -> ops -> compiler <- emit <- runtime-bridge <- cli`, and no cycles among
 * modules as they run. Types may form cycles inside ops/hlo only, where operations refer to the list that names them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));

/** What each folder may import besides itself. Folders not named here (cli, tests, bench, examples) may import all. */
const allowed = {
  compiler: [],
  ops: ["compiler"],
  models: ["ops", "compiler"],
  emit: ["compiler"],
  "runtime-bridge": ["emit", "compiler"],
};
const folders = [...Object.keys(allowed), "cli"];

const statement =
  /^\s*(?:import|export)\s+(type\s)?(?:[\w$*{][^;"'`]*?\sfrom\s+)?"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"\s*\)/gm;

/** The relative imports of a file, as paths from the root. */
function imports(file) {
  const found = [];
  const source = readFileSync(join(root, file), "utf8");
  for (const m of source.matchAll(statement)) {
    const to = posix.join(posix.dirname(file), m[2] ?? m[3]).replace(/\.js$/, ".ts");
    const line = source.slice(0, m.index + m[0].search(/\S/)).split("\n").length;
    found.push({ to, line, typeOnly: m[1] !== undefined });
  }
  return found;
}

const files = folders.flatMap(sources).map((path) => relative(root, path).replaceAll("\\", "/"));
const graph = new Map(["index.ts", ...files].filter(readable).map((file) => [file, imports(file)]));
const problems = [];

for (const [file, list] of graph) {
  const from = file.split("/")[0];
  if (!(from in allowed)) continue;
  for (const { to, line } of list) {
    const target = to.split("/")[0];
    if (target === from || allowed[from].includes(target)) continue;
    const may = allowed[from].length === 0 ? "nothing else of the project" : allowed[from].join(", ");
    problems.push(`${file}:${line}: ${from} must not import ${target} (${to}); it may import ${may}.`);
  }
}

problems.push(
  ...cycles(
    (i) => !i.typeOnly,
    () => true,
    "import each other",
  ),
);
problems.push(
  ...cycles(
    () => true,
    (file) => !file.startsWith("ops/hlo/"),
    "depend on each other's types",
  ),
);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

/** Every cycle found by one depth-first walk over the imports and files that count. */
function cycles(counts, isNode, verb) {
  const state = new Map();
  const path = [];
  const found = [];
  const visit = (file) => {
    state.set(file, "open");
    path.push(file);
    for (const { to } of (graph.get(file) ?? []).filter(counts)) {
      if (!isNode(to)) continue;
      if (state.get(to) === "open")
        found.push(`These files ${verb}: ${[...path.slice(path.indexOf(to)), to].join(" -> ")}`);
      else if (!state.has(to)) visit(to);
    }
    path.pop();
    state.set(file, "done");
  };
  for (const file of graph.keys()) if (!state.has(file) && isNode(file)) visit(file);
  return found;
}

function sources(folder) {
  try {
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !entry.name.endsWith(".d.ts"))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  } catch {
    return [];
  }
}

function readable(file) {
  try {
    return readFileSync(join(root, file)).length >= 0;
  } catch {
    return false;
  }
}
