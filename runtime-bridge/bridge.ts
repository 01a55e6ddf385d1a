/** Drives the Python runtime from TypeScript: a command, its events, its end. */
import { XenarcError } from "../compiler/errors.js";
import type { Target } from "../compiler/plan/target.js";
import type { Command, Source } from "../emit/history.js";
import { ensurePython, ensureTpuCompiler, type SetupOptions } from "./environment.js";
import type { EventOf, RuntimeEvent } from "./events.js";
import { type OnEvent, runCommand } from "./group.js";

export { ensurePython, findPython, type PythonEnvironment, type SetupOptions } from "./environment.js";
export type { EventOf, MemoryStats, RuntimeEvent } from "./events.js";
export type { OnEvent } from "./group.js";
export { type Answer, startWorker, type WireTensor, Worker, type WorkerOptions } from "./worker.js";

/** Options of {@link train}. */
export interface TrainOptions extends SetupOptions {
  /** The artifact's folder. */
  readonly artifact: string;
  /** The run's folder: checkpoints, metrics, the loss curve. */
  readonly run: string;
  /**
   * What to train on instead of what the artifact's configuration says: one path, or, for a mixture, as many as it has sources, which take
   * the place of theirs.
   */
  readonly data?: string | readonly string[];
  /** Weights to begin with: a run, RUN/checkpoints/N, a folder of safetensors files, or of adapters in PEFT's format; default: what the artifact's configuration says. */
  readonly from?: string;
  /** Where `from` is adapters alone: the weights that they stand beside. Default: the base model that they name. */
  readonly base?: string;
  /** What to do with a folder that has checkpoints: go on from the newest, delete them, or (default) refuse. */
  readonly existing?: "resume" | "overwrite";
  /** How many processes share the artifact's devices. Default 1. */
  readonly processes?: number;
  /** The run ends when nothing has happened for so many seconds; 0: never. Default 600. */
  readonly watchdog?: number;
  /** How often to go on from the last checkpoint when a process has died or hung. Default 0. */
  readonly restarts?: number;
  /** Steps to profile, the first and the last: `10:15`. */
  readonly profile?: string;
  /** What the run's history is to say of the command. */
  readonly command?: Command;
  /** The folder of a run that this one repeats: an error if it would be another. */
  readonly repeats?: string;
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
  /** An artifact with the programs that look into the model: a `token` event then says of each token what they see. */
  readonly probes?: string;
  /** How many of the likeliest tokens a `token` event names. Default 5. */
  readonly top?: number;
  /** The file of what the model remembers from text to text: read, if it is there, and written. Default: it begins with nothing. */
  readonly session?: string;
  /** Files of vectors (`.npy`, or safetensors with one tensor) that stand in the prompt, each `at` behind so many of its tokens. */
  readonly embeddings?: readonly { readonly file: string; readonly at: number }[];
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

/**
 * Trains. Ctrl-C ends it after the step with a checkpoint, and the result says `interrupted`.
 * Throws {@link XenarcError}: bad data or artifact (program), no Python, a process that died or hung (environment).
 */
export async function train(options: TrainOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"done">> {
  const { artifact, run: folder, data, from, base, watchdog, profile, command, repeats, restarts = 0 } = options;
  const args = [artifact, "--run", folder, ...paths(data), ...option("--from", from), ...option("--base", base)];
  args.push(...option("--watchdog", watchdog), ...option("--profile", profile));
  args.push(...option("--command", command && JSON.stringify(command)), ...option("--repeats", repeats));
  let { existing } = options;
  const watch: OnEvent = (event) => {
    if (event.event === "start") existing = "resume";
    onEvent(event);
  };
  for (let restart = 1; ; restart++) {
    try {
      return last(await runCommand("train", [...args, ...(existing ? [`--${existing}`] : [])], watch, options), "done");
    } catch (error) {
      const again = restart <= restarts && error instanceof XenarcError && error.fault === "environment";
      if (!again) throw error;
      const message = `${error.parts.what} Going on from the last checkpoint (restart ${restart} of ${restarts}).`;
      onEvent({ event: "log", level: "warning", message });
    }
  }
}

/** Generates text, streamed as `text` events. Ctrl-C ends it. */
export async function generate(options: GenerateOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"generated">> {
  const { artifact, run: folder, step, prompt, maxTokens, temperature, topK, topP, seed, stop = [] } = options;
  const args = [artifact, "--run", folder, ...option("--step", step), ...option("--prompt", prompt)];
  args.push(...option("--max-tokens", maxTokens), ...option("--temperature", temperature));
  args.push(...option("--top-k", topK), ...option("--top-p", topP), ...option("--seed", seed));
  args.push(...stop.flatMap((text) => option("--stop", text)));
  args.push(...option("--probes", options.probes), ...option("--top", options.top));
  args.push(...option("--session", options.session));
  for (const { file, at } of options.embeddings ?? [])
    args.push(...option("--embeddings", file), ...option("--at", at));
  return last(await runCommand("generate", args, onEvent, options), "generated");
}

/** The data of an artifact, or those at `data` in their place, and what tells them from others. */
export async function sources(
  options: SetupOptions & { readonly artifact: string; readonly data?: string | readonly string[] | undefined },
): Promise<Source[]> {
  const args = [options.artifact, ...paths(options.data)];
  return last(await runCommand("sources", args, () => {}, options), "sources").sources;
}

/** Draws the loss curves of several runs into one PNG. */
export async function drawCurves(
  options: SetupOptions & { readonly runs: readonly string[]; readonly output: string },
): Promise<void> {
  await runCommand("curves", [...options.runs, ...option("--out", options.output)], () => {}, options);
}

/** Options of {@link evaluateRun}. */
export interface EvaluateOptions extends SetupOptions {
  readonly artifact: string;
  /** The folder of the run that trained it. */
  readonly run: string;
  /** Which checkpoint; default: the newest. */
  readonly step?: number;
  /** What to evaluate on, all of it, instead of what the run kept for validation. */
  readonly data?: string | readonly string[];
  /** How many batches to read. Default: all. */
  readonly batches?: number;
}

/** The loss of a checkpoint over held-out data. */
export async function evaluateRun(
  options: EvaluateOptions,
  onEvent: OnEvent = () => {},
): Promise<EventOf<"evaluated">> {
  return last(await runCommand("evaluate", evaluated(options), onEvent, options), "evaluated");
}

/** Options of {@link pruneExperts}. */
export interface PruneExpertsOptions extends EvaluateOptions {
  /** The folder of the new run, whose folder `artifact` has the model with fewer experts. */
  readonly out: string;
  /** Merge each expert that is not kept into the one that is nearest to it. */
  readonly merge?: boolean;
}

/** Writes a checkpoint with fewer experts in each mixture: those that held-out data use most. */
export async function pruneExperts(
  options: PruneExpertsOptions,
  onEvent: OnEvent = () => {},
): Promise<EventOf<"pruned">> {
  const args = [...evaluated(options), ...option("--out", options.out), ...(options.merge ? ["--merge"] : [])];
  return last(await runCommand("prune-experts", args, onEvent, options), "pruned");
}

/** What is evaluated, and on what. */
const evaluated = ({ artifact, run: folder, step, data, batches }: EvaluateOptions): string[] => [
  ...[artifact, "--run", folder, ...option("--step", step)],
  ...[...paths(data), ...option("--batches", batches)],
];

/** Writes a `tokenizer.json` whose tokens are the characters of texts. */
export async function characters(
  options: SetupOptions & {
    readonly sources: readonly {
      readonly path: string;
      readonly kind?: string | undefined;
      readonly field?: string | undefined;
    }[];
    readonly skipBad?: boolean;
    readonly output: string;
  },
): Promise<EventOf<"vocabulary">> {
  const args = options.sources.flatMap((source) => option("--source", JSON.stringify(source)));
  args.push(...option("--out", options.output), ...(options.skipBad ? ["--skip-bad"] : []));
  return last(await runCommand("characters", args, () => {}, options), "vocabulary");
}

/** What of some data is read, and by which tokenizer. */
export interface SourceOptions extends SetupOptions {
  /** Files, folders, globs or URLs. */
  readonly sources: readonly string[];
  /** `bytes` (default), or the path of a `tokenizer.json`. */
  readonly tokenizer?: string;
  /** What the tokenizer is called. */
  readonly tokenizerName?: string;
  /** The format; default: told by the names of the files. */
  readonly kind?: string;
  /** Which value of a record is the text. */
  readonly field?: string;
  /** What files of token ids hold: `uint16` (default) or `uint32`. */
  readonly dtype?: string;
  /** Leave out and count what cannot be read. */
  readonly skipBad?: boolean;
}

/** Options of {@link tokenize}. */
export interface TokenizeOptions extends SourceOptions {
  /** The folder of the shards. */
  readonly output: string;
  readonly format?: "bin" | "tfrecord" | "hdf5" | "arrayrecord";
  /** A shard ends once it has so many tokens. Default 100 million. */
  readonly shardTokens?: number;
  /** Threads that tokenize. Default 1. */
  readonly workers?: number;
}

const sourceArgs = ({ sources, tokenizer, tokenizerName, kind, field, dtype, skipBad }: SourceOptions): string[] => [
  ...[...option("--tokenizer", tokenizer), ...option("--tokenizer-name", tokenizerName), ...option("--kind", kind)],
  ...[...option("--field", field), ...option("--dtype", dtype), ...(skipBad ? ["--skip-bad"] : [])],
  ...["--", ...sources],
];

/** Tokenizes data ahead of training. What was begun before in the same folder goes on. */
export async function tokenize(options: TokenizeOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"tokenized">> {
  const { output, format, shardTokens, workers } = options;
  const args = [...option("--out", output), ...option("--format", format), ...option("--workers", workers)];
  args.push(...option("--shard-tokens", shardTokens), ...sourceArgs(options));
  return last(await runCommand("tokenize", args, onEvent, options), "tokenized");
}

/** Lengths, duplicates and entropies of data. */
export async function stats(options: SourceOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"statistics">> {
  return last(await runCommand("stats", sourceArgs(options), onEvent, options), "statistics");
}

/** Runs an entry point on the tensors of a safetensors file. */
export async function run(options: RunEntryOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"result">> {
  const { artifact, entry, input, output, run: folder } = options;
  const args = [artifact, entry, "--in", input, "--out", output, ...option("--run", folder)];
  return last(await runCommand("run", args, onEvent, options), "result");
}

/** Options of {@link exportWeights}. */
export interface ExportOptions extends SetupOptions {
  /** A run's folder, whose newest it is, or RUN/checkpoints/N. */
  readonly checkpoint: string;
  /** The folder to write; a new or empty one. */
  readonly out: string;
  /** The most bytes of a file; a larger tensor has one of its own. Default 5 GB. */
  readonly shardBytes?: number;
  /** Default: as the weights are stored. */
  readonly dtype?: string;
  /** Default: `huggingface` where the model has a map to its names. */
  readonly names?: string;
  /** Adapters alone, in PEFT's format, instead of weights that they are merged into. */
  readonly adapters?: boolean;
  /** The averages of the weights that training has kept, instead of the last weights. */
  readonly ema?: boolean;
}

/** Writes a checkpoint's weights as a folder of safetensors files, with a `shard` event for each. */
export async function exportWeights(options: ExportOptions, onEvent: OnEvent = () => {}): Promise<EventOf<"exported">> {
  const { checkpoint, out, shardBytes, dtype, names, adapters, ema } = options;
  const args = [checkpoint, ...option("--out", out), ...option("--shard-bytes", shardBytes)];
  args.push(...option("--dtype", dtype), ...option("--names", names), ...(adapters ? ["--adapters"] : []));
  if (ema) args.push("--ema");
  return last(await runCommand("export", args, onEvent, options), "exported");
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
  const events = await runCommand("ahead", args, () => {}, { ...options, path });
  return events.find((event) => event.event === "out_of_memory") ?? last(events, "ahead");
}

/** Versions and devices of the Python side, which is set up if it is not yet. */
export async function doctor(options: SetupOptions = {}): Promise<EventOf<"facts">> {
  return last(await runCommand("doctor", [], () => {}, options), "facts");
}

function last<K extends RuntimeEvent["event"]>(events: RuntimeEvent[], kind: K): EventOf<K> {
  const found = events.findLast((event): event is EventOf<K> => event.event === kind);
  if (found === undefined)
    throw new XenarcError({ what: `The Python runtime ended without \`${kind}\`.` }, "environment");
  return found;
}

/** `--name=value`, one word: a value may begin with a dash. */
const paths = (data: string | readonly string[] = []): string[] =>
  [data].flat().flatMap((path) => option("--data", path));

const option = (name: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`${name}=${value}`];
