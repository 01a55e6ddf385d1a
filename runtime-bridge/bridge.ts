/** Drives the Python runtime from TypeScript: a command, its events, its end. */
import { XenarcError } from "../compiler/errors.js";
import type { Target } from "../compiler/plan/target.js";
import { ensurePython, ensureTpuCompiler, type SetupOptions } from "./environment.js";
import { type EventOf, parseEvent, type RuntimeEvent } from "./events.js";
import { explainExit, problemError, pythonEnv } from "./process.js";

export { ensurePython, findPython, type PythonEnvironment, type SetupOptions } from "./environment.js";
export type { EventOf, MemoryStats, RuntimeEvent } from "./events.js";
export { type Answer, startWorker, type WireTensor, Worker, type WorkerOptions } from "./worker.js";

/** Options of {@link train}. */
export interface TrainOptions extends SetupOptions {
  /** The artifact's folder. */
  readonly artifact: string;
  /** The run's folder: checkpoints, metrics, the loss curve. */
  readonly run: string;
  /** A UTF-8 file or a folder of them; default: what the artifact's configuration says. */
  readonly data?: string;
  /** What to do with a folder that has checkpoints: go on from the newest, delete them, or (default) refuse. */
  readonly existing?: "resume" | "overwrite";
}

/** Options of {@link generate}. */
export interface GenerateOptions extends SetupOptions {
  readonly artifact: string;
  /** The folder of the run that trained it. */
  readonly run: string;
  /** Which checkpoint; default: the newest. */
  readonly step?: number;
  readonly prompt?: string;
  readonly maxTokens?: number;
  /** 0 takes the likeliest token. Default 0.8. */
  readonly temperature?: number;
  /** Only the k likeliest; 0 (default) is off. */
  readonly topK?: number;
  /** Only the likeliest whose probabilities make up p; 1 (default) is off. */
  readonly topP?: number;
  readonly seed?: number;
  /** Texts that end the generation. */
  readonly stop?: readonly string[];
}

/** Options of {@link run}. */
export interface RunEntryOptions extends SetupOptions {
  readonly artifact: string;
  /** The entry point: `forward`, ... */
  readonly entry: string;
  /** A safetensors file with the arguments by name. */
  readonly input: string;
  /** The safetensors file to write. */
  readonly output: string;
  /** Take state that the file lacks (the parameters) from this run's newest checkpoint. */
  readonly run?: string;
}

/** Told of each event as it comes. */
export type OnEvent = (event: RuntimeEvent) => void;

/**
 * Trains. Ctrl-C ends it after the step with a checkpoint, and the result says `interrupted`.
 * Throws {@link XenarcError}: bad data or artifact (program), no Python (environment).
 */
export async function train(options: TrainOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"done">> {
  const { artifact, run: folder, data, existing } = options;
  const args = [artifact, "--run", folder, ...option("--data", data), ...(existing ? [`--${existing}`] : [])];
  return last(await runCommand("train", args, onEvent, options), "done");
}

/** Generates text, streamed as `text` events. Ctrl-C ends it. */
export async function generate(options: GenerateOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"generated">> {
  const { artifact, run: folder, step, prompt, maxTokens, temperature, topK, topP, seed, stop = [] } = options;
  const args = [artifact, "--run", folder, ...option("--step", step), ...option("--prompt", prompt)];
  args.push(...option("--max-tokens", maxTokens), ...option("--temperature", temperature));
  args.push(...option("--top-k", topK), ...option("--top-p", topP), ...option("--seed", seed));
  args.push(...stop.flatMap((text) => option("--stop", text)));
  return last(await runCommand("generate", args, onEvent, options), "generated");
}

/** Runs an entry point on the tensors of a safetensors file. */
export async function run(options: RunEntryOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"result">> {
  const { artifact, entry, input, output, run: folder } = options;
  const args = [artifact, entry, "--in", input, "--out", output, ...option("--run", folder)];
  return last(await runCommand("run", args, onEvent, options), "result");
}

/** Compiles an artifact's programs: XLA's memory account of each, and with `hlo` the optimized HLO into that folder. */
export async function inspect(
  options: SetupOptions & { readonly artifact: string; readonly hlo?: string },
  onEvent: OnEvent = () => {},
): Promise<EventOf<"compiled">[]> {
  const events = await runCommand("inspect", [options.artifact, ...option("--hlo", options.hlo)], onEvent, options);
  return events.filter((event) => event.event === "compiled");
}

/** Options of {@link compileAhead}. */
export interface AheadOptions extends SetupOptions {
  readonly artifact: string;
  /** The entry point: `train_step`, ... */
  readonly entry: string;
  readonly target: Target;
  /** The folder for the optimized HLO and the executable. */
  readonly out: string;
}

/**
 * Compiles an entry point for devices that need not be here: for TPUs by the TPU compiler, which is installed if it is not yet, or
 * for CPU devices. A program that needs too much memory is a result. Throws {@link XenarcError}: what XLA or the target refuses.
 */
export async function compileAhead(options: AheadOptions): Promise<EventOf<"ahead"> | EventOf<"out_of_memory">> {
  const { artifact, entry, target, out } = options;
  const args = [artifact, entry, "--out", out, ...option("--platform", target.platform)];
  args.push(...option("--generation", target.generation), ...option("--topology", target.topology?.join("x")));
  args.push(...option("--slices", target.slices));
  if (target.platform === "gpu") {
    throw new XenarcError(
      { what: `${target.name}: programs are compiled for GPUs where there are GPUs.`, expected: "a tpu or cpu target" },
      "usage",
    );
  }
  const path =
    target.platform === "tpu" ? [await ensureTpuCompiler(await ensurePython(options), options.onProgress)] : [];
  const events = await runCommand("ahead", args, () => {}, options, path);
  return events.find((event) => event.event === "out_of_memory") ?? last(events, "ahead");
}

/** Versions and devices of the Python side, which is set up if it is not yet. */
export async function doctor(options: SetupOptions = {}): Promise<EventOf<"facts">> {
  return last(await runCommand("doctor", [], () => {}, options), "facts");
}

/**
 * Runs a command of the runtime, hands on its events, and returns them but for `text` and `progress`, of which there are many.
 * The first Ctrl-C is passed on, so that the runtime ends in order; the second kills it. `path`: folders with further packages.
 */
export async function runCommand(
  name: string,
  args: readonly string[],
  onEvent: OnEvent = () => {},
  setup: SetupOptions = {},
  path: readonly string[] = [],
): Promise<RuntimeEvent[]> {
  const { python } = await ensurePython(setup);
  const { execa } = await import("execa");
  const child = execa(python, ["-m", "xenarc_runtime", name, ...args], {
    env: pythonEnv(path),
    reject: false,
    stdin: "ignore",
    buffer: { stdout: false, stderr: true },
    // The end of what a child said tells why it died; XLA can say megabytes before.
    maxBuffer: { stderr: 4_000_000 },
  });
  let signals = 0;
  const forward = (signal: NodeJS.Signals) => child.kill(++signals === 1 ? signal : "SIGKILL");
  const forwarded: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  for (const signal of forwarded) process.on(signal, forward);
  const events: RuntimeEvent[] = [];
  let problem: XenarcError | undefined;
  try {
    for await (const line of child.iterable({ from: "stdout" })) {
      const event = parseEvent(line);
      if (event === undefined) throw unreadable(name, line);
      if (event.event === "error") problem = problemError(event);
      if (event.event !== "text" && event.event !== "progress") events.push(event);
      onEvent(event);
    }
    const result = await child;
    if (problem) throw problem;
    if (result.failed) {
      if (signals > 1) throw new XenarcError({ what: `\`${name}\` was ended at once, by a second Ctrl-C.` });
      if (signals === 1) throw new XenarcError({ what: `\`${name}\` was interrupted before it had anything to save.` });
      throw new XenarcError({ what: `The Python runtime ended early: ${explainExit(result)}` }, "environment");
    }
    return events;
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
    child.kill();
  }
}

const unreadable = (name: string, line: string): XenarcError =>
  new XenarcError(
    {
      what: `The Python runtime said something that is no event of \`${name}\`: ${line.slice(0, 200)}`,
      fix: "The runtime and this package are of different versions: reinstall xenarc.",
    },
    "environment",
  );

function last<K extends RuntimeEvent["event"]>(events: RuntimeEvent[], kind: K): EventOf<K> {
  const found = events.findLast((event): event is EventOf<K> => event.event === kind);
  if (found === undefined)
    throw new XenarcError({ what: `The Python runtime ended without \`${kind}\`.` }, "environment");
  return found;
}

/** `--name=value`, one word: a value may begin with a dash. */
const option = (name: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`${name}=${value}`];
