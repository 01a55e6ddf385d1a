/** The programs that write text, and beside each of the two one that says what the model sees meanwhile. */
import type { Program } from "../../compiler/program.js";
import { traceProgram, withLayout } from "../../compiler/trace.js";
import { scan } from "../../ops/control.js";
import { concatenate, gather, scalar, softmax } from "../../ops/functions.js";
import { spec } from "../../ops/module.js";
import { foldIn } from "../../ops/random.js";
import { collect } from "../../ops/report.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { inLength, observe, observed } from "../control/assessment.js";
import type { LanguageModel } from "../language_model.js";
import { embeddingsSpec, type GivenEmbeddings } from "../layers/index.js";
import { look, type Moments, moments, type Seen, wanted } from "../probes.js";
import { weightsOf } from "../train/ema.js";
import type { ProgramConfig } from "./config.js";
import { type SamplingOptions, sample } from "./sampling.js";

type Model = LanguageModel<object>;

/** A prompt, padded at the right to the context, and how many tokens of it are real (i32). */
interface Prompt {
  readonly tokens: Tensor<"batch" | "seq">;
  readonly length: Tensor<"batch">;
  /** What stands in the place of tokens, for models that take such. */
  readonly embeddings?: GivenEmbeddings<"batch">;
}
export const promptSpec = (model: Model, { generate: { batch }, model: { context: seq } }: ProgramConfig): Prompt => {
  const embeddings = embeddingsSpec<"batch", "seq">(model.accepts(), { batch }, { seq });
  const [tokens, length] = [spec({ batch, seq }, "i32"), spec({ batch }, "i32")];
  return { tokens, length, ...(embeddings && { embeddings }) };
};

/** What a model remembers of earlier texts, which it reads a prompt behind; the runtime threads it as it does a cache. */
interface Remembered {
  readonly session: object;
}
const rememberedSpec = (model: Model, c: ProgramConfig): { readonly cache?: Remembered } => {
  const session = sessionOf(model, c);
  return session ? { cache: { session } } : {};
};

/** What the model remembers, as declared: not yet something that lies on a mesh. */
export const sessionOf = (model: Model, { generate: { batch } }: ProgramConfig): object | undefined =>
  withLayout(undefined, () => model.session(batch));

/** The scores of what follows a prompt. */
function readPrompt(params: Model, { tokens, ...options }: Prompt, remembered: Remembered | undefined) {
  const { hidden, cache } = params.run(tokens, { ...options, ...remembered });
  return { hidden, cache, logits: params.logits<"batch">(gather(hidden, "seq", options.length.sub(1))) };
}

/** A token and its position (i32). */
interface Next {
  readonly token: Tensor<"batch">;
  readonly position: Tensor<"batch">;
}
const tokenSpec = ({ generate: { batch } }: ProgramConfig): Next => ({
  token: spec({ batch }, "i32"),
  position: spec({ batch }, "i32"),
});

/** The scores of what follows a token. */
function readToken(params: Model, cache: object, { token, position }: Next) {
  const one = (t: Tensor<"batch">) => t.broadcast({ seq: 1 }).ordered(["batch", "seq"]);
  const run = params.run(one(token), { positions: one(position), cache });
  return { cache: run.cache, logits: params.logits<"batch">(run.hidden.at("seq", 0)) };
}

const samplingSpec = (): SamplingOptions => ({
  key: spec({ threefry: 2 }, "ui32"),
  temperature: spec({}, "f32"),
  top_k: spec({}, "i32"),
  top_p: spec({}, "f32"),
});

/** Randomness of the token after position `at`: one base key serves a whole generation. */
const keyAt = (options: SamplingOptions, at: Tensor<"batch">): SamplingOptions => ({
  ...options,
  key: foldIn(options.key, at.max("batch")),
});

/** Reads a prompt (padded at the right to the context, `length` tokens of it real): the cache, and the token that follows. */
export function prefill(model: Model, c: ProgramConfig): Program {
  const weights = weightsOf(model, c.train);
  return traceProgram(
    "prefill",
    {
      state: weights.state,
      ...rememberedSpec(model, c),
      argument: {
        ...promptSpec(model, c),
        ...samplingSpec(),
      },
    },
    ({ state, cache: remembered, argument: { tokens, length, embeddings, ...options } }) => {
      const [{ cache, logits }, reports] = collect(() => {
        const read = readPrompt(
          weights.model(state),
          { tokens, length, ...(embeddings && { embeddings }) },
          remembered,
        );
        if (c.control) observe(read.hidden, inLength(read.hidden, length));
        return read;
      });
      const next_token = sample(logits, keyAt(options, length.sub(1)));
      return { cache, result: { next_token, ...(c.control && { observed: observed(reports) }) } };
    },
  );
}

/** Reads one token at its position into the cache (donated) and gives the next. */
export function decodeStep(model: Model, c: ProgramConfig, cache: object): Program {
  const weights = weightsOf(model, c.train);
  return traceProgram(
    "decode_step",
    {
      state: weights.state,
      cache,
      argument: {
        ...tokenSpec(c),
        ...samplingSpec(),
      },
    },
    ({ state, cache, argument: { token, position, ...options } }) => {
      const read = readToken(weights.model(state), cache, { token, position });
      return { cache: read.cache, result: { next_token: sample(read.logits, keyAt(options, position)) } };
    },
  );
}

/** What is remembered after so many of the tokens that a cache is of. */
export function remember(model: Model, { generate: { batch } }: ProgramConfig, cache: object): Program {
  const argument = { length: spec({ batch }, "i32") as Tensor<"batch"> };
  return traceProgram("remember", { cache, argument }, ({ cache, argument: { length } }) => ({
    cache: { session: model.remember(cache, length) },
  }));
}

/** What is seen of the first sequence while the next token is found. */
interface Sight extends Seen<Moments> {
  /** Of every token to be the next (f32). */
  readonly probabilities: Tensor<"vocab">;
}

/** Sees how the next token is found; `at` is the place along `seq` of the token that it follows. */
function sight<R extends { readonly logits: Tensor<"batch" | "vocab"> }>(
  model: Model,
  { generate }: ProgramConfig,
  at: Scalar,
  read: () => R,
): [R, Sight] {
  const patterns = wanted("generate.trace", generate.trace!);
  const ofToken = (x: Tensor) => {
    const row = x.has("batch") ? (x.at("batch", 0) as Tensor) : x;
    return moments(row.has("seq") ? (gather(row, "seq", at) as Tensor) : row);
  };
  const asked = { activations: patterns, attention: patterns, numbers: ofToken, queries: { at } };
  const [result, seen] = look(model, asked, read);
  return [result, { probabilities: chances(result.logits.at("batch", 0)), ...seen }];
}

const chances = <A extends string>(logits: Tensor<A | "vocab">): Tensor<A | "vocab"> =>
  softmax((logits as Tensor).cast("f32"), "vocab") as Tensor;

/** What `prefill` sees on the prompt's last token; and how probable each of the prompt's tokens was after those before it (f32, `following`). */
export function probePrefill(model: Model, c: ProgramConfig): Program {
  const weights = weightsOf(model, c.train);
  const inputs = { state: weights.state, ...rememberedSpec(model, c), argument: promptSpec(model, c) };
  return traceProgram("probe_prefill", inputs, ({ state, cache, argument }) => {
    const params = weights.model(state);
    const last = argument.length.at("batch", 0).sub(1) as Scalar;
    const [{ hidden }, seen] = sight(model, c, last, () => readPrompt(params, argument, cache));
    return { result: { following: following(params, hidden, argument.tokens), ...seen } };
  });
}

/** How many positions have their scores at a time. */
const PART = 128;

/** How probable the token after each is; after the last, which has none, any number. */
function following(params: Model, hidden: Tensor<"batch" | "seq" | "embed">, tokens: Tensor<"batch" | "seq">): Tensor {
  const size = tokens.size("seq");
  const row = tokens.at("batch", 0);
  const next = concatenate([row.slice("seq", 1, size), row.slice("seq", 0, 1)], "seq") as Tensor<"seq">;
  let seq = Math.min(PART, size);
  while (size % seq !== 0) seq--;
  const parts = { part: size / seq, seq };
  const xs = { hidden: hidden.at("batch", 0).split("seq", parts), next: next.split("seq", parts) };
  const [, found] = scan("part", {}, xs, (none, { hidden, next }) => [
    none,
    gather(chances<"seq">(params.logits<"seq">(hidden as Tensor<"seq" | "embed">)), "vocab", next as Tensor<"seq">),
  ]);
  return (found as Tensor).merge(["part", "seq"], "seq") as Tensor;
}

/** What `decode_step` sees; the cache is left as it is. */
export function probeDecodeStep(model: Model, c: ProgramConfig, cache: object): Program {
  const weights = weightsOf(model, c.train);
  return traceProgram(
    "probe_decode_step",
    { state: weights.state, cache, argument: tokenSpec(c) },
    ({ state, cache, argument }) => ({
      result: sight(model, c, scalar(0, "i32"), () => readToken(weights.model(state), cache, argument))[1],
    }),
  );
}

/** The tree of cache that a program gives out, to be traced as another's input. */
export function cacheOf(program: Program): object {
  const tree: Record<string, unknown> = {};
  for (const port of program.outputs.filter((p) => p.role === "cache")) {
    const keys = port.name.split("/");
    let node = tree;
    for (const key of keys.slice(0, -1)) {
      node[key] ??= {};
      node = node[key] as Record<string, unknown>;
    }
    node[keys.at(-1)!] = spec(Object.fromEntries(port.axes.map((a, i) => [a, port.shape[i]!])), port.dtype);
  }
  return tree;
}
