/** What the runtime says on its standard output: one JSON object per line, checked here before anyone sees it. */
import { z } from "zod";
import { sourceSchema } from "../emit/history.js";

const count = z.number().int().nonnegative();
/** JSON has no word for a number that is not finite; the runtime says null. */
const measured = z.number().nullable();

/** The schema of {@link MemoryStats}. */
export const memorySchema = z.object({
  arguments: count,
  outputs: count,
  aliased: count,
  temporaries: count,
  peak: count,
  code: count,
  host_arguments: count,
  host_outputs: count,
  host_aliased: count,
  host_temporaries: count,
});

/** Bytes of a program on each device, by XLA's account: arguments, results, what they share by donation, temporaries, all of these when that is most (`peak`), code; `host_...` are those in the host's memory. */
export type MemoryStats = z.infer<typeof memorySchema>;

const eventSchema = z.discriminatedUnion("event", [
  /** Training begins, or goes on from `step`. */
  z.object({
    event: z.literal("start"),
    name: z.string(),
    parameters: count,
    /** Parameters that training leaves as they are. */
    frozen: count,
    /** What it begins with: the weights, adapters in PEFT's format beside them, and how many parameters were read. Null: with drawn ones, or it goes on. */
    weights: z.object({ path: z.string(), adapters: z.string().nullable(), parameters: count }).nullable(),
    step: count,
    steps: count,
    resumed: z.boolean(),
    tokens_per_step: count,
    /** Null where it takes reading all of the data to know. */
    train_tokens: count.nullable(),
    validation_tokens: count.nullable(),
    /** Null where it has none, or it takes reading all of the data to know how many. */
    records: count.nullable(),
    /** What tokens are, in the plural. */
    unit: z.string(),
    files: count,
    data: z.string(),
    /** What each source was found to be, and how many other files lie there; `line` says it, and names the first of them. */
    sources: z.array(
      z.object({ path: z.string(), kind: z.string(), files: count, passed_over: count, line: z.string() }),
    ),
    run: z.string(),
    device: z.string(),
    /** Of all processes. */
    devices: count,
    processes: count,
    /** By the first part of their paths, in the program's order. */
    parameter_groups: z.array(z.object({ name: z.string(), parameters: count })),
  }),
  /** A program is ready to run. */
  z.object({
    event: z.literal("compiled"),
    program: z.string(),
    seconds: z.number().nullable(),
    memory: memorySchema,
  }),
  /** A program was compiled for devices that need not be here; `hlo` and `executable` are files. */
  z.object({
    event: z.literal("ahead"),
    program: z.string(),
    devices: count,
    device: z.string(),
    seconds: z.number(),
    memory: memorySchema,
    hlo: z.string(),
    executable: z.string(),
    /** What became of the operations that kernels may take the place of: the kernel, or why there is none. */
    kernels: z.array(z.object({ composite: z.string(), kernel: z.string().nullable(), reason: z.string().nullable() })),
    versions: z.record(z.string(), z.string()),
  }),
  /** A program needs more memory than such a device has: bytes by XLA's account, and the largest allocations where it lists them. */
  z.object({
    event: z.literal("out_of_memory"),
    program: z.string(),
    seconds: z.number(),
    needed: count.nullable(),
    available: count.nullable(),
    allocations: z.array(
      z.object({
        bytes: count,
        unpadded: count,
        shape: z.string(),
        op_name: z.string(),
        label: z.string(),
        kind: z.string(),
      }),
    ),
    message: z.string(),
  }),
  /** How a step went. Rates are null until they are known, metrics when they are not finite. */
  z.looseObject({
    event: z.literal("progress"),
    step: count,
    steps: count,
    loss: measured,
    grad_norm: measured.optional(),
    learning_rate: measured.optional(),
    param_norm: measured.optional(),
    step_ms: measured,
    tokens_per_second: measured,
    seconds_left: measured,
    /** Every `log.every` steps: the step's log line, and what was measured since the last one, by the names in performance.jsonl. */
    line: z.string().optional(),
    measured: z.record(z.string(), measured).optional(),
  }),
  /** The mean loss over all of the validation text. */
  z.object({ event: z.literal("eval"), step: count, loss: measured, tokens: count }),
  /** What the model writes after a prompt, with the parameters of the step. */
  z.object({ event: z.literal("sample"), step: count, prompt: z.string(), text: z.string() }),
  /** Steps `first` to `last` were profiled: a trace for ui.perfetto.dev, in a folder that TensorBoard's profile page reads. */
  z.object({ event: z.literal("profile"), path: z.string(), first: count, last: count }),
  /** A checkpoint is being written; training waited for `blocked_ms`. */
  z.object({ event: z.literal("checkpoint"), step: count, path: z.string(), blocked_ms: z.number() }),
  /** The weights of a step are written, as an export (`checkpoint.weights`). */
  z.object({ event: z.literal("weights"), step: count, path: z.string(), files: count, bytes: count }),
  /** The share of the run's wall time that went into steps that count, the seconds by cause, and of several processes the one that takes longest for its own part of a step. */
  z.object({
    event: z.literal("goodput"),
    share: measured,
    seconds: z.record(z.string(), z.number()),
    slowest: z.object({ process: count, ms: z.number(), median_ms: z.number() }).nullable(),
  }),
  /** The loss curve was drawn: a PNG, and the metrics it shows as JSON lines. */
  z.object({ event: z.literal("curve"), path: z.string(), metrics: z.string() }),
  /** Training ended; `interrupted` when by a signal. */
  z.object({
    event: z.literal("done"),
    step: count,
    steps: count,
    interrupted: z.boolean(),
    /** Why it ended before its last step, where it did (`eval.patience`). */
    ended_early: z.string().nullable(),
    seconds: z.number(),
    loss: measured,
    /** Absent: nothing was evaluated. */
    validation_loss: measured.optional(),
    /** Steps that were left out because they were bad, and how often the run was rolled back. */
    skipped: count,
    rollbacks: count,
  }),
  /** What the data of an artifact are. */
  z.object({ event: z.literal("sources"), sources: z.array(sourceSchema) }),
  /** A tokenizer was made of a text. */
  z.object({ event: z.literal("vocabulary"), path: z.string(), size: count }),
  /** How much of the data was read, from 0 to 1, and the tokens of it. */
  z.object({ event: z.literal("working"), done: z.number(), tokens: count }),
  /** Data were tokenized into a folder. */
  z.object({
    event: z.literal("tokenized"),
    path: z.string(),
    format: z.string(),
    dtype: z.enum(["uint16", "uint32"]),
    shards: count,
    documents: count,
    tokens: count,
    /** Records that were left out because they cannot be read. */
    bad: count,
    seconds: z.number(),
  }),
  /** What some data are. */
  z.object({
    event: z.literal("statistics"),
    tokenizer: z.string(),
    unit: z.string(),
    vocabulary: count,
    sources: z.array(
      z.object({
        path: z.string(),
        kind: z.string(),
        files: count,
        records: count,
        bad: count,
        /** Null where the data are token ids. */
        bytes: count.nullable(),
        tokens: count,
        shortest: count,
        median: count,
        longest: count,
      }),
    ),
    /** How many records have how many tokens, in classes from a power of two to the next; those that have none are left out. */
    lengths: z.array(z.object({ from: count, to: count, records: count })),
    /** Records that say the same as an earlier one, or nearly; for that, `compared` of them were held against each other. */
    duplicates: z.object({ records: count, exact: count, near: count, compared: count }),
    /** How many ids of the vocabulary are there. */
    used: count,
    /** Nats a token, without and with knowing the token before. */
    unigram: z.number(),
    bigram: measured,
    tokens_per_byte: measured,
    seconds: z.number(),
  }),
  /** A checkpoint's loss over held-out data. `bytes`: of the targets' text; perplexity is null where it is beyond numbers. */
  z.object({
    event: z.literal("evaluated"),
    step: count,
    loss: measured,
    perplexity: measured,
    bits_per_byte: measured,
    tokens: count,
    bytes: count,
    data: z.string(),
  }),
  /** Further generated text. */
  z.object({ event: z.literal("text"), text: z.string() }),
  /** The tokens of a prompt, and how probable each was after those before it; null where that is not known, as of the first. */
  z.object({
    event: z.literal("prompt"),
    tokens: z.array(z.object({ id: count, text: z.string(), probability: measured })),
  }),
  /** A generated token, and what was seen as it was found. */
  z.object({
    event: z.literal("token"),
    /** Counted from the prompt's first token. */
    position: count,
    id: count,
    /** What it adds to the text: nothing where a character is not yet whole. */
    text: z.string(),
    /** By the model's own chances, whatever the temperature. */
    probability: measured,
    /** 1: the likeliest. */
    rank: count,
    /** Of the chances of all tokens, in nats. */
    entropy: measured,
    top: z.array(z.object({ id: count, text: z.string(), probability: measured })),
    /** Of the program that found it, from its start until the token was there. */
    seconds: z.number(),
    /** The position of the first token that it was found from; the last is the one before it. */
    first: count,
    /** Of what modules gave for the last of these tokens, by module, number and layer. */
    activations: z.record(z.string(), z.record(z.string(), z.array(measured))),
    /** What that token attended to, by module, layer and head: the entropy in nats, the strongest keys by position. */
    attention: z.record(
      z.string(),
      z.object({
        layers: z.array(z.array(z.object({ entropy: measured, keys: z.array(z.tuple([count, measured])) }))),
        /** Base64: a byte for each layer, head and token seen: 255 times the root of its probability. */
        rows: z.string(),
      }),
    ),
  }),
  /** Generation ended. */
  z.object({
    event: z.literal("generated"),
    tokens: count,
    seconds: z.number(),
    tokens_per_second: measured,
    /** `stop`: a text that ends it came; `eos`: the tokenizer's own token for that did. */
    reason: z.enum(["length", "stop", "eos", "interrupted"]),
    /** How many tokens the programs that wrote the text see at once. */
    context: count,
  }),
  /** How much of a part of pruning is done, from 0 to 1. */
  z.object({
    event: z.literal("pruning"),
    what: z.enum(["measuring", "choosing", "writing", "judging"]),
    done: z.number(),
  }),
  /** Experts were pruned: `kept` of `experts` in each mixture; `others` is the share of the choices that fell on those that were not kept. */
  z.object({
    event: z.literal("pruned"),
    path: z.string(),
    step: count,
    experts: count,
    kept: count,
    merged: z.boolean(),
    others: z.number(),
    loss_before: measured,
    loss_after: measured,
    /** That the losses are over. */
    tokens: count,
    data: z.string(),
  }),
  /** An entry point was run and its results written. */
  z.object({
    event: z.literal("result"),
    path: z.string(),
    tensors: z.array(z.object({ name: z.string(), dtype: z.string(), shape: z.array(count) })),
  }),
  /** A file of an export was written. */
  z.object({ event: z.literal("shard"), path: z.string(), number: count, bytes: count }),
  /** Weights were exported. */
  z.object({
    event: z.literal("exported"),
    path: z.string(),
    step: count,
    names: z.enum(["xenarc", "huggingface", "peft"]),
    tensors: count,
    bytes: count,
    dtypes: z.array(z.string()),
  }),
  /** The Python side's versions and devices. */
  z.object({
    event: z.literal("facts"),
    python: z.string(),
    packages: z.record(z.string(), z.string()),
    devices: z.array(z.object({ id: count, platform: z.string(), kind: z.string() })),
  }),
  /** Something worth saying; `print` is what the model itself prints. */
  z.object({ event: z.literal("log"), level: z.enum(["info", "warning", "print"]), message: z.string() }),
  /** What went wrong; the command ends. */
  z.object({ event: z.literal("error"), kind: z.string(), message: z.string(), hint: z.string() }),
]);

/** An event of the runtime; `event` tells which. */
export type RuntimeEvent = z.infer<typeof eventSchema>;

/** One kind of event. */
export type EventOf<K extends RuntimeEvent["event"]> = Extract<RuntimeEvent, { event: K }>;

/** The event of a line, or undefined for a line that is none. */
export function parseEvent(line: string): RuntimeEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
