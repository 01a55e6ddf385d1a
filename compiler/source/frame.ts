/** The lines of a source file around a position, for error messages. */
import { readFileSync } from "node:fs";

const CONTEXT = 2;
/** Longer lines are generated code, which nobody reads whole. */
const MAX_WIDTH = 200;

/**
 * Two lines of context either side of a position, with line numbers and a caret:
 *
 *       11 |   const k = this.key.call(x);
 *     > 12 |   const scores = dot(q, k, "headDim");
 *          |                  ^ 64 here, 128 there
 *
 * @param path the file, absolute or relative to the working directory.
 * @param line counted from 1; `column` likewise. Without a column no caret is drawn.
 * @param message put after the caret.
 * @returns an empty string when the file or the line does not exist.
 */
export function codeFrame(
  path: string,
  line: number,
  column?: number,
  message = "",
  colour: boolean = wantsColour(),
): string {
  const lines = readLines(path);
  const text = lines[line - 1];
  if (text === undefined) return "";
  const paint = colour ? PAINTED : PLAIN;
  const first = Math.max(1, line - CONTEXT);
  const last = Math.min(lines.length, line + CONTEXT);
  const width = String(last).length;
  const out: string[] = [];
  for (let n = first; n <= last; n++) {
    const here = n === line;
    const gutter = `${here ? ">" : " "} ${String(n).padStart(width)} |`;
    out.push(`${here ? paint.mark(gutter) : paint.dim(gutter)} ${lines[n - 1]!.slice(0, MAX_WIDTH)}`.trimEnd());
    if (!here || column === undefined) continue;
    // Tabs stay tabs, so that the caret stands under its character in any terminal.
    const indent = text.slice(0, Math.min(column - 1, MAX_WIDTH)).replace(/[^\t]/g, " ");
    out.push(`${paint.dim(`  ${" ".repeat(width)} |`)} ${indent}${paint.mark(`^ ${message}`.trimEnd())}`);
  }
  return out.join("\n");
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").replace(/\n$/, "").split(/\r?\n/);
  } catch {
    return [];
  }
}

const PLAIN = { mark: (s: string) => s, dim: (s: string) => s };
const PAINTED = { mark: (s: string) => `\x1b[31m${s}\x1b[39m`, dim: (s: string) => `\x1b[2m${s}\x1b[22m` };

/** Errors go to standard error; NO_COLOR (no-color.org) turns colours off, FORCE_COLOR on. */
function wantsColour(): boolean {
  if (process.env.NO_COLOR) return false;
  const { FORCE_COLOR: forced } = process.env;
  return forced === undefined ? process.stderr.isTTY === true : forced !== "0";
}
