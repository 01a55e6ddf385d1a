/** Errors are for people: what is wrong, where in the author's file, what was expected, what to do. */
import type { Site } from "./site.js";

/** One place of an error: a site of the traced program, or a position in a file (configuration, data). */
export type Where =
  | { readonly site: Site; readonly note?: string }
  | { readonly file: string; readonly line?: number; readonly column?: number; readonly note?: string };

export interface ErrorParts {
  /** What is wrong, one sentence, naming the thing. */
  readonly what: string;
  /** Where; the first is the place to change. */
  readonly where?: readonly Where[];
  /** What was expected or allowed. */
  readonly expected?: string;
  /** What to do. */
  readonly fix?: string;
}

/** Whose mistake it is, which decides the exit code: the user's program (1), the usage (2), the environment (3). */
export type Fault = "program" | "usage" | "environment";

/**
 * An error made for people. `message` holds what, expected and fix; `stack`, which Node prints when a script does not catch the error,
 * begins with what `render` (compiler/source) makes of it: the author's lines.
 */
export class XenarcError extends Error {
  declare readonly parts: ErrorParts;
  declare readonly fault: Fault;
  constructor(parts: ErrorParts, fault: Fault = "program") {
    super([parts.what, parts.expected && `Expected: ${parts.expected}`, parts.fix].filter(Boolean).join("\n"));
    const calls = { stack: "" };
    Error.captureStackTrace(calls, new.target);
    Object.defineProperties(this, {
      name: { value: "XenarcError" },
      parts: { value: parts },
      fault: { value: fault },
      stack: {
        configurable: true,
        get: () => shown(this, calls.stack.split("\n").slice(1)),
      },
    });
  }
}

let shown = (error: XenarcError, calls: readonly string[]): string =>
  [`XenarcError: ${error.message}`, ...calls].join("\n");

/** Says how the stack of an error is shown, given its lines; what reads the author's files does (compiler/source/render.ts). */
export function showErrors(show: typeof shown): void {
  shown = show;
}

/** The nearest of `candidates` to a misspelt word, if near enough to be meant (Damerau-Levenshtein distance). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length * 0.4)) + 1;
  for (const c of candidates) {
    const d = distance(word.toLowerCase(), c.toLowerCase());
    if (d < bestDistance) {
      best = c;
      bestDistance = d;
    }
  }
  return best;
}

function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = d;
    }
  }
  return rows[a.length]![b.length]!;
}

/** ` Did you mean "x"?` or nothing. */
export const didYouMean = (word: string, candidates: Iterable<string>): string => {
  const n = nearest(word, candidates);
  return n === undefined ? "" : ` Did you mean "${n}"?`;
};
