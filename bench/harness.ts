/**
 * What the benches share: interleaved pairs, peers that answer over standard input, rows, the table.
 *
 * Absolute times of a shared machine drift by tens of percent within a minute; the ratio of two measurements made one
 * right after the other drifts far less. So every claim is about the median ratio of many such pairs.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { packageRoot } from "../compiler/source/package.js";

/** One line of the report. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  /** Our figure and the peer's (medians), in `unit`; a row about us alone has no `theirs`. */
  readonly ours: number;
  readonly theirs?: number;
  readonly unit: "s" | "ms" | "MiB" | "GiB" | "GB" | "TFLOP" | "nats" | "";
  /** Ours / theirs: the median of the pairs, the least and the greatest. */
  readonly ratio?: Ratio;
  /** The greatest ratio (or, without a peer, the greatest figure) that keeps the claim. */
  readonly limit?: number;
}

/** Ratios ours / theirs of interleaved pairs. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  readonly pairs: number;
}

/** A bench: what it claims in a sentence, and how it is measured. `run` throws `Skipped` where something is missing. */
export interface Bench {
  readonly name: string;
  readonly claim: string;
  run(options: Options): Promise<Row[]>;
}

/** The command line, as far as benches see it. */
export interface Options {
  /** Pairs to measure; never fewer than `leastPairs` unless `--quick`. */
  readonly pairs: number;
  /** A UTF-8 text to train on, for the benches that need one. */
  readonly data: string | undefined;
}

/** The fewest pairs whose median counts. */
export const leastPairs = 15;

/** Calls after which V8 has compiled what is called, as in a long-lived process; Python is done after two. */
export const warmUp = 100;

/** Thrown by a bench that cannot run here; the message says what it needs. */
export class Skipped extends Error {}

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("the median of no values");
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Two sides in turn: A B B A A B ... The order within a pair alternates, so that neither side always runs in the other's wake. */
export async function alternately<A, B>(
  pairs: number,
  ours: () => A | Promise<A>,
  theirs: () => B | Promise<B>,
): Promise<[A, B][]> {
  const made: [A, B][] = [];
  for (let i = 0; i < pairs; i++) {
    if (i % 2 === 0) made.push([await ours(), await theirs()]);
    else {
      const second = await theirs();
      made.push([await ours(), second]);
    }
  }
  return made;
}

/** The median of each side and of the ratios ours / theirs, as a row lacks only its name and its limit. */
export function compare(pairs: readonly (readonly [ours: number, theirs: number])[]): {
  ours: number;
  theirs: number;
  ratio: Ratio;
} {
  const ratios = pairs.map(([a, b]) => a / b);
  return {
    ours: median(pairs.map(([a]) => a)),
    theirs: median(pairs.map(([, b]) => b)),
    ratio: { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios), pairs: pairs.length },
  };
}

/** Measures two sides in turn. One pair before the first is thrown away: caches fill and code is compiled. */
export async function interleave(
  pairs: number,
  ours: () => number | Promise<number>,
  theirs: () => number | Promise<number>,
): Promise<{ ours: number; theirs: number; ratio: Ratio }> {
  return compare((await alternately(pairs + 1, ours, theirs)).slice(1));
}

/** Seconds that `work` takes. */
export async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The interpreter of the environment that bench/requirements.lock describes; scripts/bench.mjs makes it. */
export function python(): string {
  const path = process.env.XENARC_BENCH_PYTHON;
  if (path === undefined) throw new Skipped("start it by `npm run bench`, which prepares the Python environment");
  return path;
}

/** Runs a process to its end; its seconds. Standard output is read and dropped, as a pipe to a file would. */
export async function processSeconds(command: string, args: readonly string[]): Promise<number> {
  return seconds(async () => {
    const child = spawn(command, args, { cwd: root, env: cpuOnly(), stdio: ["ignore", "pipe", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.stdout.resume();
    const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} exited with ${code}\n${errors}`);
  });
}

/** A Python process that answers lines with JSON (bench/jax/measure.py, `serve`). */
export class Peer {
  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly lines: AsyncIterator<string>,
    private readonly name: string,
  ) {}

  /** Starts `python script args...`, a script named relative to bench/, and waits until it is ready. `env` adds variables. */
  static async start(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Peer> {
    const path = join(packageRoot, "bench", script);
    const child = spawn(python(), [path, ...args], { cwd: root, env: { ...cpuOnly(), ...env } });
    child.stderr.pipe(process.stderr);
    const peer = new Peer(child, createInterface(child.stdout)[Symbol.asyncIterator](), script);
    await peer.answer();
    return peer;
  }

  /** Sends one line, waits for the answer. */
  async ask<T>(line: string): Promise<T> {
    this.child.stdin.write(`${line}\n`);
    return (await this.answer()) as T;
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.child.on("close", resolve));
    this.child.stdin.end("quit\n");
    await closed;
  }

  private async answer(): Promise<unknown> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.name} ended without an answer; its message is above`);
    return JSON.parse(value as string);
  }
}

/** Starts peers, hands them to `work`, and ends them whatever happens. */
export async function withPeers<T>(
  starts: readonly Promise<Peer>[],
  work: (...peers: Peer[]) => Promise<T>,
): Promise<T> {
  const started = await Promise.allSettled(starts);
  const peers = started.flatMap((s) => (s.status === "fulfilled" ? [s.value] : []));
  try {
    for (const s of started) if (s.status === "rejected") throw s.reason;
    return await work(...peers);
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

/** What the figures were measured on, in one line. */
export function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}, ${memory} GiB, Node ${process.versions.node}`;
}

/** Whether a row keeps its claim; a row without a limit claims nothing. */
export function holds(row: Row): boolean | undefined {
  if (row.limit === undefined) return undefined;
  return (row.ratio?.median ?? row.ours) <= row.limit;
}

/** Rows as a table for the terminal. */
export function table(rows: readonly Row[]): string {
  const head = ["", "ours", "theirs", "ours/theirs", "least", "greatest", "pairs", "limit", ""];
  const cells = rows.map((row) => [
    row.what,
    figure(row.ours, row.unit),
    row.theirs === undefined ? "" : figure(row.theirs, row.unit),
    ...(row.ratio === undefined
      ? ["", "", "", ""]
      : [row.ratio.median, row.ratio.least, row.ratio.greatest].map(short).concat(`${row.ratio.pairs}`)),
    row.limit === undefined ? "" : row.ratio === undefined ? figure(row.limit, row.unit) : short(row.limit),
    { true: "kept", false: "NOT KEPT", undefined: "" }[`${holds(row)}`] ?? "",
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((line) => (line[i] as string).length)));
  return [head, ...cells]
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))),
    )
    .map((line) => line.join("  ").trimEnd())
    .join("\n");
}

const root = packageRoot;

/** Probing for accelerators takes seconds that belong to neither side. */
const cpuOnly = (): NodeJS.ProcessEnv => ({ ...process.env, JAX_PLATFORMS: "cpu" });

const short = (value: number): string => value.toPrecision(3);
const figure = (value: number, unit: Row["unit"]): string => `${Number(value.toPrecision(4))}${unit && ` ${unit}`}`;
