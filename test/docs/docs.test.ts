/** The pages under docs/ and the README: their code is type-checked and run, what they show is what comes out, what they name exists. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { XenarcError } from "../../compiler/errors.js";
import { loadModule } from "../../compiler/source/load.js";
import { render } from "../../compiler/source/render.js";
import { type Compilable, compile } from "../../emit/compile.js";
import { generate, train } from "../../runtime-bridge/bridge.js";
import { folder as temporaryFolder, xenarc } from "../cli/command.js";
import { blocksOf, excerptsOf, modulesOf, prepare, shownValue } from "./blocks.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const pages = ["README.md", "CONTRIBUTING.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith(".md") && existsSync(join(root, path)),
);
const modules = pages.flatMap((path, i) =>
  modulesOf(path, read(path)).map((m) => ({ ...m, folder: 1000 * i + m.folder })),
);
const names = modules.map((module, i) => [module.name, i] as const);

// Types ------------------------------------------------------------------------------------------------------------------------

const virtual = new Map<string, string>();
const fileOf = (index: number): string =>
  join(root, `test/docs/virtual/${modules[index]!.folder}/${modules[index]!.file}`);

/** A program of the package and the virtual files, checked as the repository is but for what examples need not use. */
function programOf(previous?: ts.Program): ts.Program {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root);
  const settings: ts.CompilerOptions = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const host = ts.createCompilerHost(settings, true);
  const { getSourceFile, fileExists, readFile, directoryExists } = host;
  host.directoryExists = (path) => path.startsWith(join(root, "test/docs/virtual")) || directoryExists!(path);
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.readFile = (path) => virtual.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...more) => {
    const text = virtual.get(path);
    if (text !== undefined) return ts.createSourceFile(path, text, version, true);
    return previous?.getSourceFile(path) ?? getSourceFile(path, version, ...more);
  };
  return ts.createProgram([join(root, "index.ts"), join(root, "emit/golden.ts"), ...virtual.keys()], settings, host);
}

const first = programOf();
const checker = first.getTypeChecker();
/** What a module exports, aliases followed. */
const exportsOf = (path: string): [string, ts.Symbol][] =>
  checker
    .getExportsOfModule(checker.getSymbolAtLocation(first.getSourceFile(join(root, path))!)!)
    .map((s) => [s.name, s.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(s) : s]);
const exported = new Map<string, "value" | "type">(
  exportsOf("index.ts").map(([name, s]) => [name, s.flags & ts.SymbolFlags.Value ? "value" : "type"]),
);

const prepared = modules.map((module) => prepare(module, exported));
prepared.forEach(({ code }, i) => virtual.set(fileOf(i), code));
virtual.set(
  join(root, "test/docs/virtual/globals.d.ts"),
  `declare function __shown(index: number, value: unknown): void;
declare function __test(name: string, body: () => unknown): Promise<void>;`,
);
const checked = programOf(first);

test.each(names)("%s has the types that it says", (_, i) => {
  const file = checked.getSourceFile(fileOf(i))!;
  const found = [...checked.getSyntacticDiagnostics(file), ...checked.getSemanticDiagnostics(file)].map((d) => ({
    line: file.getLineAndCharacterOfPosition(d.start ?? 0).line + 1,
    text: ts.flattenDiagnosticMessageText(d.messageText, "\n"),
  }));
  const { refused } = prepared[i]!;
  const unexpected = found.filter((f) => !refused.some((r) => r.line === f.line && f.text.includes(r.text)));
  const missing = refused.filter((r) => !found.some((f) => r.line === f.line && f.text.includes(r.text)));
  expect({ unexpected, missing }).toEqual({ unexpected: [], missing: [] });
});

// Running ----------------------------------------------------------------------------------------------------------------------

const folder = realpathSync(mkdtempSync(join(tmpdir(), "xenarc-docs-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The path of a module in a project that it shares with the modules of its folder. */
function written(index: number): string {
  const project = join(folder, String(modules[index]!.folder));
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "package.json"), "{}");
  const file = join(project, modules[index]!.file);
  writeFileSync(file, prepared[index]!.code);
  return file;
}

/** Runs a page's test as if it stood in that file: its golden file is written, then compared with. */
async function beside(testPath: string, body: () => unknown): Promise<void> {
  const before = expect.getState();
  const snapshotState = { _updateSnapshot: "new", added: 0, matched: 0, unmatched: 0, updated: 0 };
  try {
    expect.setState({ testPath, snapshotState } as object);
    await body();
    await body();
    expect(snapshotState).toMatchObject({ added: 1, matched: 1 });
  } finally {
    expect.setState(before);
  }
}

test.each(names)("%s gives what it says", async (_, i) => {
  const { throws, prints } = modules[i]!;
  const { shown } = prepared[i]!;
  const file = written(i);
  const values: string[] = [];
  let printed = "";
  const { write } = process.stderr;
  process.stderr.write = (text: string | Uint8Array) => {
    printed += text;
    return true;
  };
  Object.assign(globalThis, {
    __shown: (index: number, value: unknown) => {
      values[index] = shownValue(value);
    },
    __test: (_: string, body: () => unknown) => beside(file, body),
  });
  const result = await loadModule(file)
    .catch((error: unknown) => error)
    .finally(() => {
      process.stderr.write = write;
    });
  if (throws !== undefined) {
    expect(result).toBeInstanceOf(XenarcError);
    expect(`${render(result as XenarcError, { colour: false, cwd: dirname(file) })}\n`).toBe(throws);
    return;
  }
  if (result instanceof Error) throw result;
  expect(shown.map(({ line }, k) => ({ line, text: values[k] }))).toEqual(shown);
  expect(printed).toBe(prints ?? "");
});

test("the README's model learns its page and writes", async () => {
  const i = modules.findIndex((m) => m.name.startsWith("README.md:"));
  const loaded = await loadModule(written(i));
  const config = {
    model: { context: 16 },
    train: { steps: 60, batch: 4, warmup: 5, learningRate: 3e-3 },
    log: { every: 1 },
  };
  const [artifact, run] = [join(folder, "artifact"), join(folder, "run")];
  await (await compile(loaded.default as Compilable<unknown>, config)).write(artifact);
  const losses: (number | null)[] = [];
  await train({ artifact, run, data: join(root, "README.md") }, (event) => {
    if (event.event === "progress") losses.push(event.loss);
  });
  expect(losses[0]).toBeGreaterThan(5);
  // Of a few batches: one alone depends on which words of the page it has.
  expect(losses.slice(-10).reduce<number>((sum, loss) => sum + loss! / 10, 0)).toBeLessThan(3.5);
  expect((await generate({ artifact, run, prompt: "The ", maxTokens: 8 })).tokens).toBe(8);
}, 120_000);

const sessions = pages.flatMap((path) =>
  blocksOf(read(path)).flatMap(({ language, text, line }): [string, string, string][] => {
    const [, command, output] = (language === "text" && /^\$ npx xenarc (.*)\n([\s\S]*)$/.exec(text)) || [];
    return command === undefined ? [] : [[`${path}:${line}`, command, output!]];
  }),
);

/** Commands are shown with what they print; times and sizes are those of one run. */
test.each(sessions)(
  "%s: xenarc %s",
  async (_, command, output) => {
    const example = readFileSync(written(modules.findIndex((m) => m.name.startsWith("README.md:"))), "utf8");
    const cwd = temporaryFolder({ "package.json": "{}", "model.ts": example, "examples/one-layer/model.ts": example });
    const { out, err } = await xenarc({ cwd }, ...command.split(" "));
    const plain = (text: string) => text.replace(/\d[\d,.]*( [kMG]?B?\b)?/g, "0").replace(/ +/g, " ");
    expect(plain(out + err)).toBe(plain(output));
  },
  120_000,
);

const excerpts = pages.flatMap((path) => excerptsOf(path, read(path)));
const compiled = new Map<string, Promise<string>>();

/** The forward program of the first model on a page. */
function programsOf(page: string): Promise<string> {
  let text = compiled.get(page);
  if (text === undefined) {
    const i = modules.findIndex((m) => m.name.startsWith(`${page}:`) && m.text.includes("export default"));
    text = loadModule(written(i)).then(async (loaded) => {
      const { text } = await compile(
        loaded.default as Compilable<unknown>,
        {},
        { only: ["forward"], locations: false },
      );
      return text;
    });
    compiled.set(page, text);
  }
  return text;
}

test.each(excerpts.map((excerpt) => [excerpt.name, excerpt] as const))("%s is what comes out", async (_, excerpt) => {
  const program = (await programsOf(excerpt.of)).split("\n").map((line) => line.trim());
  let at = 0;
  for (const line of excerpt.text.split("\n").map((l) => l.trim())) {
    if (line === "" || line === "...") continue;
    // An ellipsis inside a line stands for what is left out of it.
    const [head = "", tail = ""] = line.split(" ... ");
    const fits = (l: string) => (line.includes(" ... ") ? l.startsWith(head) && l.endsWith(tail) : l === line);
    const found = program.findIndex((l, k) => k >= at && fits(l));
    if (found < 0) {
      const alike = program.filter((l) => l.startsWith(line.slice(0, line.indexOf(" "))));
      throw new Error(`The program has, after its line ${at}, no line\n\n${line}\n\nIt has\n\n${alike.join("\n")}`);
    }
    at = found + 1;
  }
});

// Names ------------------------------------------------------------------------------------------------------------------------

const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

test.each(pages)("%s names files, scripts and commands that exist", (path) => {
  const page = read(path);
  const lacking: string[] = [];
  const folders = ["", dirname(path), "runtime-bridge/python"];
  const here = (target: string) => folders.some((from) => existsSync(join(root, from, target)));
  for (const [, target = ""] of page.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) if (!here(target)) lacking.push(target);
  for (const [, target = ""] of page.matchAll(/`([\w./-]+\/[\w.-]*)`/g)) {
    // What the build makes is not there before it.
    if (target.startsWith("dist/")) continue;
    const isFile = /\.(ts|mjs|py|json|yaml|md)$|\/$/.test(target) && /^[a-z]/.test(target);
    if (isFile && !here(target)) lacking.push(target);
  }
  for (const [, script = ""] of page.matchAll(/npm run ([\w:]+)/g)) if (!(script in scripts)) lacking.push(script);
  expect(lacking).toEqual([]);
});

test("every block of a page is of a kind that is checked or plain", () => {
  const kinds = pages.flatMap((path) =>
    blocksOf(read(path)).map(({ language, line }) => [`${path}:${line}`, language]),
  );
  expect(
    kinds.filter(([, language]) => !["", "ts", "mlir", "text", "sh", "yaml", "mermaid"].includes(language!)),
  ).toEqual([]);
});

// Docstrings -------------------------------------------------------------------------------------------------------------------

const documented = (s: ts.Symbol): boolean =>
  s.flags & ts.SymbolFlags.ValueModule
    ? s.declarations![0]!.getSourceFile().text.startsWith("/**")
    : s.getDocumentationComment(checker).length > 0;

/** The functions below a name: exports of namespaces, public methods of classes. What they inherit stands where it is from. */
function functionsOf(name: string, s: ts.Symbol): [string, ts.Symbol][] {
  const under = (list: Iterable<ts.Symbol>): [string, ts.Symbol][] => [...list].map((m) => [`${name}.${m.name}`, m]);
  if (s.flags & ts.SymbolFlags.ValueModule) return under(checker.getExportsOfModule(s));
  if (!(s.flags & ts.SymbolFlags.Class)) return [];
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
  return under(s.members?.values() ?? []).filter(
    ([, m]) =>
      m.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Accessor) &&
      !m.declarations!.some((d) => ts.getCombinedModifierFlags(d) & hidden),
  );
}

test.each(["index.ts", "models/index.ts", "emit/golden.ts"])("every export of %s has a docstring", (path) => {
  const all = exportsOf(path).flatMap(([name, s]): [string, ts.Symbol][] => [[name, s], ...functionsOf(name, s)]);
  expect(all.filter(([, s]) => !documented(s)).map(([name]) => name)).toEqual([]);
});
