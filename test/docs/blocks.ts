/** The code blocks of a Markdown page, and the TypeScript modules that they make. */
import ts from "typescript";

/** A fenced block: its language, the words after it (`continued`, `throws`), its text, and the line that its text begins on. */
export interface Block {
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
  readonly line: number;
}

/** All fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const fences = /^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm;
  for (const { 1: language = "", 2: words = "", 3: text = "", index } of page.matchAll(fences)) {
    blocks.push({
      language,
      words: words.split(/\s+/).filter(Boolean),
      text,
      line: page.slice(0, index).split("\n").length + 1,
    });
  }
  return blocks;
}

/** A module made of one block or of several that continue each other. */
export interface Module {
  /** `docs/language.md:12` */
  readonly name: string;
  /** Modules of one folder can import each other. */
  readonly folder: number;
  readonly file: string;
  readonly text: string;
  /** What it must throw, as it is rendered. */
  readonly throws?: string;
  /** What it must write to standard error. */
  readonly prints?: string;
}

/**
 * The modules of a page. A `ts` block is a file model.ts in a folder of its own; with `file=NAME` it stands in the folder of the one
 * before; `continued` goes on with the one before. `throws` has to fail with the error in the `text` block that follows, `prints` has
 * to print it.
 */
export function modulesOf(path: string, page: string): Module[] {
  const modules: Module[] = [];
  const blocks = blocksOf(page);
  blocks.forEach(({ language, words, text, line }, i) => {
    const last = modules.at(-1);
    if (language !== "ts") return;
    if (words.includes("continued")) {
      if (!last) throw new Error(`${path}:${line} continues nothing`);
      modules[modules.length - 1] = { ...last, text: `${last.text}\n${text}` };
      return;
    }
    const file = words.find((word) => word.startsWith("file="))?.slice("file=".length);
    const follows = words.find((word) => word === "throws" || word === "prints");
    modules.push({
      name: `${path}:${line}`,
      folder: file ? last!.folder : (last?.folder ?? 0) + 1,
      file: file ?? "model.ts",
      text,
      ...(follows && { [follows]: blocks[i + 1]?.text }),
    });
  });
  return modules;
}

/** Lines of the forward program that the first model on a page compiles to: an `mlir` block, with `of=PAGE` where that is another page. */
export interface Excerpt {
  readonly name: string;
  readonly of: string;
  readonly text: string;
}

export const excerptsOf = (path: string, page: string): Excerpt[] =>
  blocksOf(page)
    .filter(({ language }) => language === "mlir")
    .map(({ words, text, line }) => ({
      name: `${path}:${line}`,
      of: words.find((word) => word.startsWith("of="))?.slice("of=".length) ?? path,
      text,
    }));

/** A value that a block shows: `x.toArray(); // => [1, 2]`. */
export interface Shown {
  /** Of the module's text, counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** An error of the type checker that a block shows: `// @ts-expect-error: "channel" is not assignable`, a line above it. */
export interface Refused {
  readonly line: number;
  readonly text: string;
}

/** A module as it is checked and run. */
export interface Prepared {
  readonly code: string;
  readonly shown: readonly Shown[];
  readonly refused: readonly Refused[];
}

const RESULT = /^[ \t]*\/\/ => ([^\n]*)/;
const REFUSAL = /^\s*\/\/ @ts-expect-error: (.*)$/;

/**
 * Wraps what is shown into `__shown(i, value)` and tests into `await __test(...)`, turns expected type errors into comments, and imports from `xenarc` what is used
 * without an import. Lines stay where they are.
 */
export function prepare({ text }: Module, exported: ReadonlyMap<string, "value" | "type">): Prepared {
  const file = ts.createSourceFile("block.ts", text, ts.ScriptTarget.ES2022, true);
  const shown: Shown[] = [];
  const edits: { at: number; insert: string }[] = [];
  for (const statement of file.statements) {
    // A test is run where it stands.
    if (/^test\(/.test(statement.getText())) edits.push({ at: statement.getStart(), insert: "await __" });
    const expected = RESULT.exec(text.slice(statement.end))?.[1];
    if (expected === undefined || !ts.isExpressionStatement(statement)) continue;
    edits.push({ at: statement.getStart(), insert: `__shown(${shown.length}, ` });
    edits.push({ at: statement.expression.end, insert: ")" });
    shown.push({ line: file.getLineAndCharacterOfPosition(statement.end).line + 1, text: expected });
  }
  let code = text;
  for (const { at, insert } of edits.reverse()) code = code.slice(0, at) + insert + code.slice(at);

  const refused: Refused[] = [];
  code = code
    .split("\n")
    .map((line, i) => {
      const expected = REFUSAL.exec(line)?.[1];
      if (expected === undefined) return line;
      refused.push({ line: i + 2, text: expected });
      return "//";
    })
    .join("\n");
  return { code: importsFor(file, exported) + code, shown, refused };
}

/** An import of the names that a block uses and does not define, unless it says itself what it imports. */
function importsFor(file: ts.SourceFile, exported: ReadonlyMap<string, "value" | "type">): string {
  const used = new Set<string>();
  const defined = new Set<string>();
  let complete = false;
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) complete ||= (node.moduleSpecifier as ts.StringLiteral).text === "xenarc";
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isDefinition =
        (ts.isVariableDeclaration(parent) ||
          ts.isClassDeclaration(parent) ||
          ts.isFunctionDeclaration(parent) ||
          ts.isTypeAliasDeclaration(parent) ||
          ts.isInterfaceDeclaration(parent)) &&
        parent.name === node;
      const isMember =
        (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
        (ts.isPropertyAssignment(parent) && parent.name === node);
      if (isDefinition) defined.add(node.text);
      else if (!isMember) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  if (complete) return "";
  const names = [...used].filter((name) => exported.has(name) && !defined.has(name));
  if (names.length === 0) return "";
  return `import { ${names.map((n) => (exported.get(n) === "type" ? `type ${n}` : n)).join(", ")} } from "xenarc"; `;
}

/** A value as pages show it: one line, floats with four digits. */
export function shownValue(value: unknown): string {
  if (typeof value === "number") return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(shownValue).join(", ")}]`;
  if (ArrayBuffer.isView(value)) return shownValue(Array.from(value as Float32Array));
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).map(([key, entry]) => `${key}: ${shownValue(entry)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return JSON.stringify(value) ?? String(value);
}
