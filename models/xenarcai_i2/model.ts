/**
 * XenArcAIi2: layers of hierarchical attention, a summary of the context and a mixture of experts, which a plan of the context so far
 * steers and which tokens may skip. docs/models/xenarcai_i2.md goes through its document.
 */
import { z } from "zod";
import { stopGradient } from "../../ops/control.js";
import { constant, dot, full, gather, gelu, iota, where } from "../../ops/functions.js";
import { type Initializer, normal, ones, zeros } from "../../ops/initializers.js";
import { Module, param, Stack } from "../../ops/module.js";
import { perDevice, putInParts, seqOver } from "../../ops/per_device.js";
import { report } from "../../ops/report.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";
import { inLength } from "../control/assessment.js";
import type { Controlled, RunValue } from "../control/run_value.js";
import { headsDivide } from "../decoder.js";
import { defineModel } from "../define.js";
import { blockwiseKeys, computationKeys, embeddingKeys, normKeys } from "../keys.js";
import { type Hidden, LanguageModel, type RunOptions } from "../language_model.js";
import { attendedShare, type Reached } from "../layers/attention/reach.js";
import { HIDDEN } from "../layers/attention/visible.js";
import {
  attention,
  Embedding,
  type EmbeddingKinds,
  type HierarchyOptions,
  Hlsa,
  type HlsaCache,
  type HlsaValues,
  Linear,
  Moe,
  PATHS,
  type Projections,
  projections,
  RecurrentState,
  RmsNorm,
  type Usual,
  WEIGHTS,
  withEmbeddings,
} from "../layers/index.js";
import { fewEnough, mixtureKeys, mixtureOf } from "../mixtral.js";

/** A value of the run: one for all layers, or one for each. */
const byLayer = (each: z.ZodNumber) => z.union([each, z.array(each).min(1)]);
const count = z.int().positive();

/** The section `model` of the configuration; every key has a default. */
export const xenarcaiI2Config = z
  .strictObject({
    /** Longest sequence. */
    context: count.default(128),
    /** Entries of the vocabulary; 256: bytes. */
    vocab: count.default(256),
    /** Layers of attention, a summary and a mixture of experts, one after the other. */
    layers: count.default(4),
    /** Heads of attention, each of the width embed / heads. */
    heads: count.default(4),
    /** Heads of keys and values, each shared by heads / kvHeads heads. */
    kvHeads: count.default(2),
    /** Width of the residual stream. */
    embed: count.default(128),
    /** Width inside each expert. */
    expertWidth: count.default(64),
    ...mixtureKeys,
    /** Experts in each layer. */
    experts: count.default(16),
    /** The most experts a token is given. */
    perToken: count.default(8),
    /** The least experts a token is given. */
    least: count.default(2),
    /** A token is given the fewest experts whose probabilities add up to this. */
    threshold: z.number().gt(0).max(1).default(0.6),
    /** Rank of the weights that the hypernetwork makes of the plan, which adjust the router's logits; 0: no adjustment. */
    hyperRank: z.int().nonnegative().default(4),
    /** Width of the plan; 0: no planning. */
    plan: z.int().nonnegative().default(16),
    /** Tokens may skip layers. */
    skip: z.boolean().default(true),
    /** The part of the tokens that is to skip a layer. */
    skipTarget: z.number().min(0).max(1).default(0.5),
    /** Weight of the loss that holds it there. */
    skipLoss: z.number().nonnegative().default(0.1),
    /** Width of the summaries of the context; 0: none. */
    summary: z.int().nonnegative().default(16),
    /** Tokens that a summary is of. */
    summaryChunk: count.default(16),
    /** The first tokens, which all see. */
    sinks: z.int().nonnegative().default(16),
    /** The most global tokens. */
    maxGlobals: count.default(32),
    /** Width inside the selector of global tokens; 0: the first of each interval is one. */
    selector: z.int().nonnegative().default(16),
    /** The smallest chunk. */
    unit: count.default(16),
    /** The most dimensions of the latent that queries, keys and values are made from. */
    maxLatent: count.default(64),
    /** Dimensions that the cache keeps of a token, for keys and values. */
    rank: count.default(16),
    /** Width of the layers' recurrent states, and of the planner's; 0: none. */
    state: z.int().nonnegative().default(32),
    /** How many positions a query looks back. A value of the run, as training begins: one for all layers, or one for each. */
    window: byLayer(count).default(32),
    /** The step from one position of the window that is seen to the next. A value of the run, too. */
    dilation: byLayer(count).default(2),
    /** How many tokens are global. A value of the run, too. */
    globals: byLayer(z.int().nonnegative()).default(16),
    /** The part of all positions that a query is to attend to. A value of the run, too. */
    sparsity: byLayer(z.number().min(0).max(1)).default(0.5),
    /** Positions in a chunk, down to a multiple of `unit`. A value of the run, too. */
    chunk: byLayer(count).default(16),
    /** How many dimensions of the latent count. A value of the run, too. */
    latent: byLayer(count).default(64),
    /** Base of the rotary positions' wavelengths. */
    theta: z.number().positive().default(1e6),
    /** How many times longer sequences may be than those of `original` positions, that theta is meant for (YaRN). */
    yarn: z
      .strictObject({
        /** How many times longer. */
        factor: z.number().min(1),
        /** Positions that theta is meant for. */
        original: count,
      })
      .optional(),
    ...embeddingKeys,
    ...normKeys,
    ...blockwiseKeys,
    ...computationKeys,
  })
  .refine(...headsDivide)
  .refine(({ heads, kvHeads }) => heads % kvHeads === 0, { path: ["kvHeads"], message: "kvHeads must divide heads" })
  .refine(...fewEnough)
  .refine(({ least, perToken }) => least <= perToken, {
    path: ["least"],
    message: "the least experts of a token cannot be more than the most",
  })
  .refine(({ plan, state }) => plan === 0 || state > 0, {
    path: ["state"],
    message: "plans are made of a recurrent state: without one `plan` is 0",
  })
  .refine(({ plan, hyperRank }) => plan > 0 || hyperRank === 0, {
    path: ["hyperRank"],
    message: "the hypernetwork reads the plan: without one it is 0",
  })
  .superRefine((c, issues) => {
    for (const name of VALUES) {
      const given = c[name];
      if (Array.isArray(given) && given.length !== c.layers)
        issues.addIssue({ code: "custom", path: [name], message: `${given.length} values for ${c.layers} layers` });
    }
  });
/** A resolved configuration of {@link xenarcaiI2}. */
export type XenarcaiI2Config = z.infer<typeof xenarcaiI2Config>;

const VALUES = ["window", "dilation", "globals", "sparsity", "chunk", "latent"] as const;

/** One number, or one along `layers`. */
const given =
  (values: number | readonly number[]): Initializer =>
  (_, sizes) =>
    typeof values === "number" ? full(sizes, values) : (constant(sizes as Sizes<"layers">, values) as Tensor);

/** The values of the run of one layer: parameters that are not trained but set, so that they are inputs of every program. */
class Values extends Module {
  readonly window: Tensor<never>;
  readonly dilation: Tensor<never>;
  readonly globals: Tensor<never>;
  readonly sparsity: Tensor<never>;
  readonly chunk: Tensor<never>;
  readonly latent: Tensor<never>;
  /** By `WEIGHTS`. */
  readonly weights: Tensor<"path">;
  /** Added to the router's logits. */
  readonly router: Tensor<"expert">;
  constructor(c: XenarcaiI2Config) {
    super();
    const set = (values: number | readonly number[]) => param({}, given(values), { freeze: true, decay: false });
    this.window = set(c.window);
    this.dilation = set(c.dilation);
    this.globals = set(c.globals);
    this.sparsity = set(c.sparsity);
    this.chunk = set(c.chunk);
    this.latent = set(c.latent);
    this.weights = param({ path: WEIGHTS.length }, ones, { freeze: true, decay: false });
    this.router = param({ expert: c.experts }, zeros, { freeze: true, decay: false });
  }

  /** As attention takes them, and what is added to the router's logits. */
  call(): HlsaValues & { readonly router: Tensor } {
    const { window, dilation, globals, sparsity, chunk, latent, weights, router } = stopGradient({ ...this } as Values);
    const whole = (x: Tensor<never>) => x.cast("i32") as unknown as Tensor;
    return {
      window: whole(window),
      dilation: whole(dilation),
      globals: whole(globals),
      chunk: whole(chunk),
      latent: whole(latent),
      sparsity: sparsity as unknown as Tensor,
      weights: weights as Tensor,
      router: router as Tensor,
    };
  }
}

/** The most of a value that is a number of something, from what it begins as: times as many, but no more than there can be. */
const upTo = (values: number | readonly number[], times: number, limit: number): number | number[] => {
  const each = (x: number) => Math.min(x * times, limit);
  return typeof values === "number" ? each(values) : values.map(each);
};

/**
 * The values of the run with their bounds: from what they are configured to be, to twice the window and the dilation, the most global tokens
 * and latent dimensions, five times the part attended to and eight times the chunk; weights of paths from none to twice, the router's bias a
 * factor of e either way.
 */
const runValues = (c: XenarcaiI2Config): RunValue[] => {
  const value = (name: (typeof VALUES)[number], most: RunValue["most"], more: Partial<RunValue> = {}): RunValue => ({
    path: `blocks/values/${name}`,
    part: "attention",
    start: c[name],
    least: c[name],
    most,
    ...more,
  });
  return [
    value("window", upTo(c.window, 2, c.context), { step: 1, range: [1, c.context] }),
    value("dilation", upTo(c.dilation, 2, c.context), { step: 1, range: [1, c.context] }),
    value("globals", c.maxGlobals, { step: 1, range: [0, c.maxGlobals], recalls: true }),
    value("sparsity", upTo(c.sparsity, 5, 1), { range: [0, 1] }),
    value("chunk", upTo(c.chunk, 8, c.context), { step: c.unit, range: [c.unit, c.context] }),
    value("latent", c.maxLatent, { step: 1, range: [1, c.maxLatent] }),
    { path: "blocks/values/weights", part: "attention", start: 1, least: 0, most: 2 },
    { path: "blocks/values/router", part: "experts", start: 0, least: -1, most: 1 },
  ];
};

/** What the values are configured to be, on average over layers. */
const usual = (c: XenarcaiI2Config): Usual => {
  const mean = (x: number | readonly number[]) => (typeof x === "number" ? x : x.reduce((a, b) => a + b) / x.length);
  return Object.fromEntries(VALUES.map((name) => [name, mean(c[name])])) as Record<(typeof VALUES)[number], number>;
};

type Stream = Tensor<"batch" | "seq" | "embed">;

/** What decoding carries in a {@link Summarizer}: the sum (f32) of the chunk that has not ended, and the summaries so far. */
export interface SummaryCache {
  readonly sum: Tensor<"batch" | "embed">;
  readonly summaries: Tensor<"batch" | "key" | "headDim">;
}

/** Where tokens are, and how many count: see `RunOptions`. */
interface Places {
  readonly position?: Tensor<"batch"> | undefined;
  readonly length?: Tensor<"batch"> | undefined;
  readonly types?: RunOptions["types"];
}

/**
 * The context so far in few vectors: an MLP brings the mean of every chunk of tokens down to one, and every token behind a chunk's end
 * reads the vectors by attention.
 */
export class Summarizer extends Module {
  readonly hidden: Linear<"embed", "headDim">;
  readonly down: Linear<"headDim", "summary">;
  readonly key: Linear<"summary", "headDim">;
  readonly value: Linear<"summary", "headDim">;
  readonly query: Linear<"embed", "headDim">;
  readonly output: Linear<"headDim", "embed">;
  private readonly chunk: number;
  constructor(embed: number, summary: number, chunk: number, init: Initializer, outputInit: Initializer) {
    super();
    const plain = { bias: false, init };
    this.hidden = new Linear({ embed }, { headDim: summary }, { init });
    this.down = new Linear({ headDim: summary }, { summary }, plain);
    this.key = new Linear({ summary }, { headDim: summary }, plain);
    this.value = new Linear({ summary }, { headDim: summary }, plain);
    this.query = new Linear({ embed }, { headDim: summary }, plain);
    this.output = new Linear({ headDim: summary }, { embed }, { bias: false, init: outputInit });
    this.chunk = chunk;
  }

  /** x `[batch, seq, embed]` to what its tokens read, `[batch, seq, embed]`; with a cache, one token of each input at its position. */
  call(x: Stream, cache: SummaryCache | undefined, places: Places): [Stream, SummaryCache] {
    const [next, positions] = cache ? this.step(x, cache, places.position!) : this.whole(x, places.length);
    const vectors = next.summaries.rename("headDim", "summary") as Tensor;
    const query = this.query.call<"batch" | "seq">(x) as Tensor;
    const ended = positions.add(1).div(this.chunk).sub(1) as Tensor;
    const [key, value] = [this.key, this.value].map((l) => l.call<"batch" | "key">(vectors.cast(x.dtype) as Tensor));
    // A device has all summaries and reads them for its own tokens: the partitioner would gather each block of tokens.
    const given = { query, key, value, ended } as Record<"query" | "key" | "value" | "ended", Tensor>;
    const read = perDevice(
      given,
      ({ query, key, value, ended }) => attention(query, key, value, { causal: true, positions: ended }) as Tensor,
      { axes: { seq: seqOver(query as Tensor) } },
    );
    return [this.output.call<"batch" | "seq">(read) as Tensor, next];
  }

  private summary(mean: Tensor): Tensor {
    return this.down.call<"batch" | "key">(gelu(this.hidden.call<"batch" | "key">(mean) as Tensor)) as Tensor;
  }

  private whole(x: Stream, length: Tensor<"batch"> | undefined): [SummaryCache, Tensor] {
    const { chunk } = this;
    const seq = x.size("seq");
    const chunks = Math.ceil(seq / chunk);
    const place = iota({ seq });
    const filled = (x as Tensor).cast("f32").pad("seq", 0, chunks * chunk - seq) as Tensor;
    const means = filled.split("seq", { key: chunks, seq: chunk }).mean("seq") as Tensor;
    const summaries = this.summary(means.cast(x.dtype) as Tensor).rename("summary", "headDim") as Tensor;
    const last = (
      length ??
      (iota({ batch: x.size("batch") })
        .mul(0)
        .add(seq) as Tensor)
    ).sub(1) as Tensor;
    const broad = last.broadcast({ seq }) as Tensor;
    const open = broad.div(chunk).eq(place.div(chunk)).and(broad.ge(place)) as Tensor;
    const sum = dot((x as Tensor).cast("f32"), open.cast("f32"), "seq") as Tensor;
    return [
      {
        sum: sum.ordered(["batch", "embed"]) as Tensor,
        summaries: summaries.ordered(["batch", "key", "headDim"]) as Tensor,
      },
      place as Tensor,
    ];
  }

  private step(x: Stream, cache: SummaryCache, position: Tensor<"batch">): [SummaryCache, Tensor] {
    const { chunk } = this;
    const isFirst = position.rem(chunk).eq(0) as Tensor;
    const before = where(isFirst, cache.sum.mul(0) as Tensor, cache.sum as Tensor) as Tensor;
    const sum = before.add((x as Tensor).at("seq", 0).cast("f32")) as Tensor;
    // The mean of the chunk that the token is in: right when the chunk has ended, and read then.
    const mean = sum
      .mul(1 / chunk)
      .cast(x.dtype)
      .broadcast({ key: 1 }) as Tensor;
    const one = this.summary(mean).rename("summary", "headDim").cast(cache.summaries.dtype) as Tensor;
    const at = position.div(chunk).broadcast({ place: 1 }) as Tensor;
    const summaries = putInParts(cache.summaries as Tensor, "key", at, one.rename("key", "place") as Tensor) as Tensor;
    return [
      { sum: sum.ordered(cache.sum.names) as Tensor, summaries: summaries as Tensor },
      position.broadcast({ seq: 1 }) as Tensor,
    ];
  }
}

/** What decoding carries in one layer. */
export interface LayerCache {
  readonly attention: HlsaCache;
  readonly summary?: SummaryCache | undefined;
}

/** One layer: x + attention + summary, then + experts; each times the gate, which is 0 where the token skips the layer. */
export class XenarcaiI2Layer extends Module {
  readonly values: Values;
  readonly norm: RmsNorm<"embed">;
  readonly gate: Linear<"embed", "gate"> | undefined;
  /** The plan, to this layer's strategy. */
  readonly strategy: Linear<"plan", "strategy"> | undefined;
  readonly paths: Linear<"strategy", "path"> | undefined;
  readonly attention: Hlsa;
  readonly summarizer: Summarizer | undefined;
  readonly moeNorm: RmsNorm<"embed">;
  readonly hyper:
    | { readonly state: Linear<"embed", "hyper">; readonly weights: Linear<"strategy", "hyper" | "expert"> }
    | undefined;
  readonly moe: Moe;
  private readonly skipTarget: number;
  private readonly skipLoss: number;
  private readonly hierarchy: HierarchyOptions;

  constructor(c: XenarcaiI2Config) {
    super();
    const { embed, plan, experts, epsilon, hyperRank: hyper } = c;
    const init = normal(0.02);
    const outputInit = normal(0.02 / Math.sqrt(2 * c.layers));
    const plain = { bias: false, init };
    this.values = new Values(c);
    this.norm = new RmsNorm({ embed }, { epsilon });
    // Nothing tells the gate of a token that skips what it misses: all pass at first, and the loss of skipping closes the gates of those
    // that can do without.
    this.gate = c.skip ? new Linear({ embed }, { gate: 1 }, { init, biasInit: ones }) : undefined;
    this.strategy = plan ? new Linear({ plan }, { strategy: plan }, { init }) : undefined;
    this.paths = plan ? new Linear({ strategy: plan }, { path: WEIGHTS.length }, plain) : undefined;
    const { maxLatent: latent, theta, yarn, sinks, maxGlobals, unit, blockSize, context: span } = c;
    const hierarchy = { sinks, maxGlobals, unit, blockSize, span, usual: usual(c) };
    this.hierarchy = hierarchy;
    this.attention = new Hlsa({ ...c, latent }, { theta, yarn, epsilon, init, outputInit, ...hierarchy });
    this.summarizer = c.summary ? new Summarizer(embed, c.summary, c.summaryChunk, init, outputInit) : undefined;
    this.moeNorm = new RmsNorm({ embed }, { epsilon });
    this.hyper = hyper
      ? {
          state: new Linear({ embed }, { hyper }, plain),
          weights: new Linear({ strategy: plan }, { hyper, expert: experts }, plain),
        }
      : undefined;
    const mixture = {
      ...mixtureOf(c),
      threshold: c.threshold,
      least: c.least,
      priority: "token",
      init,
      outputInit,
    } as const;
    this.moe = new Moe({ embed }, { mlp: c.expertWidth }, mixture);
    this.skipTarget = c.skipTarget;
    this.skipLoss = c.skipLoss;
  }

  /** x `[batch, seq, embed]` and the plan `[batch, seq, plan]`, to x and what decoding carries on. */
  call(x: Stream, plan: Tensor | undefined, cache: LayerCache | undefined, places: Places): [Stream, LayerCache] {
    const h = this.norm.call<"batch" | "seq">(x);
    const { passes, scale } = this.passed(h);
    const gated = (y: Stream): Stream => (scale ? y.mul(scale.cast(y.dtype) as Tensor) : y) as Stream;
    const strategy = plan && (gelu(this.strategy!.call<"batch" | "seq">(plan) as Tensor) as Tensor);
    const own = strategy && (this.paths!.call<"batch" | "seq">(strategy) as Tensor).cast("f32");
    const none = (passes ?? (x as Tensor).at("embed", 0).eq(0)).cast("f32").mul(0).broadcast({ path: WEIGHTS.length });
    const bias = ((own ?? none) as Tensor).ordered(["batch", "seq", "path"]) as Tensor;
    const steered = passes ? (where(passes, bias, HIDDEN) as Tensor) : bias;
    const { router, ...values } = this.values.call();
    const options = { values, bias: steered, ...places, cache: cache?.attention };
    const [attended, seen] = this.attention.call(h, options);
    if (!cache) this.reportAttended(values, passes, h.size("seq"));
    const [read, summary] = this.summarizer?.call(h, cache?.summary, places) ?? [undefined, undefined];
    // Nothing of what a token leaves out is there for its gate to learn from: attention and experts do not compute it.
    const taken = passes && read ? (where(passes, read, 0) as Tensor) : read;
    const middle = x.add(gated((taken ? (attended as Tensor).add(taken) : attended) as Stream) as Tensor) as Stream;
    const g = this.moeNorm.call<"batch" | "seq">(middle);
    const mixed = this.moe.call<"batch" | "seq">(g, {
      adjustment: this.adjusted(g, strategy, router),
      active: passes as Tensor<"batch" | "seq"> | undefined,
      types: places.types,
      counted: places.length && inLength(g, places.length),
    });
    return [middle.add(gated(mixed) as Tensor) as Stream, { attention: seen, ...(summary && { summary }) }];
  }

  /** What is added to the router's logits (f32): a bias, and what a small network gives whose weights a network makes of the strategy. */
  private adjusted(x: Stream, strategy: Tensor | undefined, bias: Tensor): Tensor {
    if (!this.hyper || !strategy) return bias.broadcast({ batch: x.size("batch"), seq: x.size("seq") });
    const state = (this.hyper.state.call<"batch" | "seq">(x) as Tensor).cast("f32") as Tensor;
    const weights = (this.hyper.weights.call<"batch" | "seq">(strategy) as Tensor).cast("f32") as Tensor;
    return dot(state, weights, "hyper").add(bias) as Tensor;
  }

  /** Says which part of the positions up to its own a token attends to; none where it skips the layer. */
  private reportAttended(values: HlsaValues, passes: Tensor | undefined, seq: number): void {
    const paths = values.weights.slice("path", 0, PATHS.length) as Tensor<"path">;
    const part = attendedShare(paths, seq, values as unknown as Reached, this.hierarchy);
    report.metric(
      "attended",
      (passes ? part.mul(passes.cast("f32")).mean(["batch", "seq"]) : part.mean("seq")) as Tensor,
    );
  }

  /**
   * Whether a token passes through the layer (i1), and what its branches are times: 1 or 0, with the derivative of the gate (Bengio et al.
   * 2013, arXiv:1308.3432, the straight-through estimator).
   */
  private passed(h: Stream): { readonly passes?: Tensor | undefined; readonly scale?: Tensor | undefined } {
    if (!this.gate) return {};
    const open = (this.gate.call<"batch" | "seq">(h) as Tensor).at("gate", 0).cast("f32").sigmoid() as Tensor;
    const passes = stopGradient(open).ge(0.5) as Tensor;
    const scale = open.sub(stopGradient(open)).add(passes.cast("f32")) as Tensor;
    const skipped = scale.mean(["batch", "seq"]).neg().add(1) as unknown as Tensor<never>;
    report.metric("skip_rate", skipped);
    report.loss("skip", skipped.sub(this.skipTarget).square() as Tensor<never>, this.skipLoss);
    return { passes, scale };
  }
}

/** What decoding carries on. */
export interface XenarcaiI2Cache {
  readonly layers: LayerCache;
  /** The state that plans are made of (f32). */
  readonly planning?: Tensor<"batch" | "state"> | undefined;
}

/** Plans: an MLP of a state that goes along the context. */
export class Planner extends Module {
  readonly state: RecurrentState;
  readonly hidden: Linear<"state", "planHidden">;
  readonly out: Linear<"planHidden", "plan">;
  constructor(
    { embed, state, plan, context }: Pick<XenarcaiI2Config, "embed" | "state" | "plan" | "context">,
    init: Initializer,
  ) {
    super();
    this.state = new RecurrentState({ embed, state }, { init, horizon: context });
    this.hidden = new Linear({ state }, { planHidden: 2 * plan }, { init });
    this.out = new Linear({ planHidden: 2 * plan }, { plan }, { init });
  }

  /** x `[batch, seq, embed]` to plans `[batch, seq, plan]`, and the state behind the last token that counts. */
  call(
    x: Stream,
    before: Tensor<"batch" | "state"> | undefined,
    { length }: Places,
  ): [Tensor, Tensor<"batch" | "state">] {
    const { states, last } = this.state.call(x, { before, length });
    const hidden = gelu(this.hidden.call<"batch" | "seq">(states.cast(x.dtype)) as Tensor) as Tensor;
    return [this.out.call<"batch" | "seq">(hidden) as Tensor, last];
  }
}

/** The model: tokens `[batch, seq]` (i32) to scores `[batch, seq, vocab]`. With a cache it reads one token of each input. */
export class XenarcaiI2 extends LanguageModel<XenarcaiI2Cache> {
  readonly tokens: Embedding<"vocab", "embed">;
  /** Of what stands in the place of tokens. */
  readonly embeddings: Projections<"embed">;
  readonly planner: Planner | undefined;
  readonly blocks: Stack<XenarcaiI2Layer, "layers">;
  readonly norm: RmsNorm<"embed">;
  readonly head: Linear<"embed", "vocab">;
  protected override readonly sequential = true;
  private readonly dtype: XenarcaiI2Config["dtype"];
  private readonly kinds: EmbeddingKinds;
  private readonly values: readonly RunValue[];
  private readonly observations: number;
  constructor(c: XenarcaiI2Config) {
    super();
    const { embed, vocab, layers, remat, unroll, epsilon } = c;
    const init = normal(0.02);
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.embeddings = projections(c.embeddings, { embed }, init);
    this.planner = c.plan ? new Planner(c, init) : undefined;
    this.blocks = new Stack({ layers }, () => new XenarcaiI2Layer(c), { remat, unroll });
    this.norm = new RmsNorm({ embed }, { epsilon });
    this.head = new Linear({ embed }, { vocab }, { bias: false, init });
    this.dtype = c.dtype;
    this.kinds = c.embeddings;
    this.values = runValues(c);
    this.observations = 2 * embed + layers * c.experts;
  }

  run(
    tokens: Tensor<"batch" | "seq">,
    { positions, cache, length, types, embeddings }: RunOptions<XenarcaiI2Cache> = {},
  ): Hidden<XenarcaiI2Cache> {
    const places = { position: cache && (positions!.at("seq", 0) as Tensor<"batch">), length, types };
    const x = withEmbeddings(this.tokens.call(tokens, this.dtype) as Stream, this.embeddings, embeddings);
    const [plan, planning] = this.planner?.call(x, cache?.planning, places) ?? [];
    const [h, layers] = this.blocks.scanWith({ x, plan }, { cache: cache?.layers }, (layer, { x, plan }, own) => {
      const [y, next] = layer.call(x, plan, own.cache as LayerCache | undefined, places);
      return [{ x: y, plan }, next];
    });
    return { hidden: this.norm.call(h.x), cache: { layers: layers as LayerCache, ...(planning && { planning }) } };
  }

  override accepts(): EmbeddingKinds {
    return this.kinds;
  }

  override controlled(): Controlled {
    const { values, observations } = this;
    return { values, observations };
  }

  override directions<A extends string>(tokens: Tensor<A>): Tensor<A | "embed"> {
    return gather(this.head.weight, "vocab", tokens as Tensor) as Tensor;
  }

  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }
}

/** The model as a definition to compile, with its configuration. */
export const xenarcaiI2 = defineModel({
  name: "xenarcai-i2",
  config: xenarcaiI2Config,
  build: (c) => new XenarcaiI2(c),
});

export default xenarcaiI2;
