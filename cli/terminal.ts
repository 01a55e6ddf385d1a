/** What the terminal can show: colours, a line that is rewritten, numbers as people read them. */
import type { WriteStream } from "node:tty";

type Stream = NodeJS.WriteStream;

/** Colours for a stream: on a terminal, unless NO_COLOR (no-color.org) is set; always with FORCE_COLOR. */
export function paint(stream: Stream) {
  const { NO_COLOR, FORCE_COLOR: forced } = process.env;
  const wanted = forced === undefined ? stream.isTTY === true && (stream as WriteStream).hasColors() : forced !== "0";
  const style = (open: number, close: number) => (text: string) =>
    wanted && !NO_COLOR ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
    blue: style(34, 39),
  };
}

/** A last line that is rewritten in place; nothing where the stream is no terminal. */
export class StatusLine {
  readonly #stream: Stream;
  #shown = false;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Shows `text` in place of what was shown. */
  show(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#stream.write(`\r\x1b[2K${text}`);
    this.#shown = true;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[2K");
    this.#shown = false;
  }
}

/** A bar of which a share is done, 40 columns or what texts beside it leave of the terminal. */
export function bar(stream: Stream, done: number, texts: readonly string[]): string {
  const { dim, green } = paint(stream);
  // A Ctrl-C shows itself as two characters more.
  const room = columns(stream) - 3 - texts.reduce((sum, text) => sum + text.length + 2, 0);
  const width = Math.max(0, Math.min(40, room));
  const filled = Math.round(done * width);
  return green("━".repeat(filled)) + dim("─".repeat(width - filled));
}

/** What the user typed to run this command. */
export const COMMAND: string = process.env.npm_command === undefined ? "xenarc" : "npx xenarc";

/** The columns of a terminal, or 80. */
export const columns = (stream: Stream): number => stream.columns || 80;

/** `1,234,567`, without waking Node's tables of the world's languages. */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** `1.23 M`: three digits and a power of a thousand. */
export function short(n: number): string {
  const units = ["", " k", " M", " G", " T", " P", " E"];
  let unit = 0;
  let size = n;
  while (Math.abs(size) >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 ? count(Math.round(n)) : size.toPrecision(3)}${units[unit]}`;
}

/** `1.23 MB` */
export const bytes = (n: number): string => (n < 1000 ? `${n} B` : `${short(n)}B`);

/** `42.9 %` */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** `0.8 s`, `42 s`, `3 min 20 s`, `5 h 12 min` */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** `2.3104`; a loss that is no number is said so. */
export const loss = (value: number | null | undefined): string => (value == null ? "not finite" : value.toFixed(4));

/**
 * Rows in columns, the first aligned to the left, the others as `align` says (`r` to the right). The first row may be a
 * heading, to be painted by the caller.
 */
export function table(rows: readonly (readonly string[])[], align = "", indent = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) => {
    const cells = row.map((cell, i) => (align[i] === "r" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}
