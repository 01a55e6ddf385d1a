/**
 * Golden programs for jest: `import "xenarc/jest"` (or name it in `setupFilesAfterEnv`), then
 *
 *     expect(await compile(model, config)).toMatchGolden("gpt-tiny");
 *
 * compares the compiled text with `__golden__/gpt-tiny.mlir` beside the test. A missing file is written, except under
 * `--ci`; `jest --updateSnapshot` (`-u`) rewrites what changed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type {} from "expect";

/** What can be compared: text, something with text, or several programs, which are kept in one file. */
export type GoldenSubject =
  | string
  | { readonly text: string }
  | { readonly programs: Readonly<Record<string, string | { readonly text: string }>> };

/** What the matcher needs of jest's context. */
interface MatcherContext {
  readonly testPath?: string | undefined;
  readonly currentTestName?: string | undefined;
  readonly isNot?: boolean | undefined;
  readonly snapshotState?: SnapshotState;
  readonly utils: {
    diff(a: string, b: string, options: object): string | null;
    matcherHint(name: string, received: string, expected: string): string;
    printReceived(value: unknown): string;
  };
}

/** Jest's own record of snapshots, which holds the `--ci` and `--updateSnapshot` flags and the counts of its summary. */
interface SnapshotState {
  readonly _updateSnapshot: "all" | "new" | "none";
  added: number;
  matched: number;
  unmatched: number;
  updated: number;
}

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * Compares `received` with the golden file `__golden__/<name>.mlir` beside the test file.
 *
 * @throws when `name` is not a plain file name, when used with `.not`, or when `received` holds no text.
 */
export function toMatchGolden(this: MatcherContext, received: GoldenSubject, name: string): MatcherResult {
  const hint = this.utils.matcherHint("toMatchGolden", "compiled", "name");
  if (this.isNot) throw new Error(`${hint}\n\nA golden file says what a program is; .not says nothing. Leave it out.`);
  if (typeof name !== "string" || !/^[\w][\w.-]*$/.test(name)) {
    throw new Error(
      `${hint}\n\nThe name ${this.utils.printReceived(name)} cannot be a file name. Use letters, digits, "-", "_" and ".".`,
    );
  }
  if (this.testPath === undefined)
    throw new Error(`${hint}\n\nGolden files stand beside a test file, and jest names none here.`);

  const text = goldenText(received);
  if (text === undefined) {
    throw new Error(
      `${hint}\n\nReceived ${this.utils.printReceived(received)}, which holds no program. Pass the text, or what compile() gives (await it).`,
    );
  }
  const path = join(dirname(this.testPath), "__golden__", `${name}.mlir`);
  const shown = relative(process.cwd(), path).replaceAll("\\", "/");
  const state = this.snapshotState;
  const update = state?._updateSnapshot ?? "new";

  if (!existsSync(path)) {
    if (update === "none") {
      count(state, "unmatched");
      return fail(
        `${hint}\n\n${shown} does not exist, and --ci writes none. Run the test without --ci, read the file, commit it.`,
      );
    }
    write(path, text);
    count(state, "added");
    return PASS;
  }
  const golden = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  if (golden === text) {
    count(state, "matched");
    return PASS;
  }
  if (update === "all") {
    write(path, text);
    count(state, "updated");
    return PASS;
  }
  count(state, "unmatched");
  const diff = this.utils.diff(golden, text, {
    aAnnotation: "Golden",
    bAnnotation: "Compiled",
    expand: false,
    contextLines: 4,
  });
  return fail(
    `${hint}\n\nThe program differs from ${shown}:\n\n${diff}\n\nIf the change is meant, run jest with --updateSnapshot (-u).`,
  );
}

const PASS: MatcherResult = { pass: true, message: () => "" };
const fail = (message: string): MatcherResult => ({ pass: false, message: () => message });

function count(state: SnapshotState | undefined, what: "added" | "matched" | "unmatched" | "updated"): void {
  if (state !== undefined) state[what] += 1;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The text of a golden file; several programs are divided as MLIR's own tools divide a file (`--split-input-file`). */
function goldenText(received: unknown): string | undefined {
  const text = textOf(received);
  if (text !== undefined) return text;
  if (typeof received !== "object" || received === null || !("programs" in received)) return undefined;
  const parts: string[] = [];
  for (const [name, program] of Object.entries(received.programs as object)) {
    const body = textOf(program);
    if (body === undefined) return undefined;
    parts.push(`// ${name}\n${body}`);
  }
  return parts.length > 0 ? parts.join("\n// -----\n\n") : undefined;
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === "object" && value !== null && "text" in value ? value.text : value;
  if (typeof text !== "string") return undefined;
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** Jest's global, where its globals are on. */
const { expect } = globalThis as { expect?: { extend(matchers: object): void } };
expect?.extend({ toMatchGolden });

interface GoldenMatchers<R> {
  /** Compares a compiled program with `__golden__/<name>.mlir` beside the test; see `xenarc/jest`. */
  toMatchGolden(name: string): R;
}

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: the parameters must be those of @types/jest.
    interface Matchers<R, T = {}> extends GoldenMatchers<R> {}
  }
}
// For those who import `expect` from @jest/globals.
declare module "expect" {
  interface Matchers<R extends void | Promise<void>> extends GoldenMatchers<R> {}
}
