import { named } from "../../ops/control.js";
import { type Initializer, normal, zeros } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import { putInParts } from "../../ops/per_device.js";
import { type Tensor, tensorError } from "../../ops/tensor.js";
import { type AttentionOptions, attention } from "./attention/dot_product.js";
import { Linear } from "./linear.js";
import { rotary } from "./rotary.js";

/** Sizes of an {@link Attention} layer. */
export interface AttentionSizes {
  /** Width of the input and of the result. */
  readonly embed: number;
  readonly heads: number;
  /** Default embed / heads. */
  readonly headDim?: number;
  /** Heads of keys and values, each shared by heads / kvHeads queries. Default: as many as heads. */
  readonly kvHeads?: number;
}

/** Options of an {@link Attention} layer. */
export interface AttentionLayerOptions {
  /** Biases in the linear layers. Default true. */
  readonly bias?: boolean;
  /** How the weights begin. Default normal(0.02). */
  readonly init?: Initializer;
  /** How the weight of the last layer begins, which ends in the residual stream. Default as the others. */
  readonly outputInit?: Initializer;
  /** Rotary positions with this base (theta). Default none. */
  readonly rotary?: number | undefined;
  /** A position sees the last so many up to itself only; of several, key heads and their queries take each in turn. Default all. */
  readonly window?: number | readonly number[] | undefined;
  /** With a window, so many positions at the beginning are seen besides: see `AttentionOptions`. Default 0. */
  readonly globals?: number | undefined;
  /** Scores are held between this and its negative: see `AttentionOptions`. Default none. */
  readonly softCap?: number | undefined;
  /** Every head has a learned score of one more key whose value is zero, which begins at 0: see `AttentionOptions`. Default false. */
  readonly sinks?: boolean | undefined;
  /** Queries and keys worked on at a time. Default 512. */
  readonly blockSize?: number | undefined;
}

/** Positions, cache and visibility of one call of an {@link Attention} layer. */
export interface AttentionCallOptions {
  /** Positions of the input (integers): `seq`, or `batch` and `seq`. */
  readonly positions?: Tensor | undefined;
  /** Keys and values of earlier positions. */
  readonly cache?: KvCache | undefined;
  /**
   * The sequences packed into a row, by number (integers): `seq`, or `batch` and `seq`. A position sees its own sequence only. With a
   * cache, what the cache has of them is kept in it.
   */
  readonly segments?: Tensor | undefined;
  /** Default true. */
  readonly causal?: boolean;
}

/** Keys and values by position: `key` is as long as the context. */
export interface KvCache<B extends string = any> {
  readonly key: Tensor<B | "key" | "kvHeads" | "headDim">;
  readonly value: Tensor<B | "key" | "kvHeads" | "headDim">;
  /** The sequences that they belong to (i32), where rows are packed. */
  readonly segments?: Tensor<B | "key"> | undefined;
}

/**
 * Multi-head attention (Vaswani et al. 2017, "Attention Is All You Need", section 3.2.2). With fewer `kvHeads` than heads, groups of
 * heads share keys and values (Ainslie et al. 2023, "GQA", arXiv:2305.13245).
 */
export class Attention extends Module {
  readonly query: Linear<"embed", "heads" | "headDim">;
  readonly key: Linear<"embed", "kvHeads" | "headDim">;
  readonly value: Linear<"embed", "kvHeads" | "headDim">;
  readonly output: Linear<"heads" | "headDim", "embed">;
  readonly sinks: Tensor<"heads"> | undefined;
  private readonly group: number;
  private readonly theta: number | undefined;
  private readonly scores: Pick<AttentionOptions, "window" | "globals" | "softCap" | "blockSize">;
  constructor(
    { embed, heads, headDim = embed / heads, kvHeads = heads }: AttentionSizes,
    options: AttentionLayerOptions = {},
  ) {
    super();
    const {
      bias = true,
      init = normal(0.02),
      outputInit = init,
      rotary,
      window,
      globals,
      softCap,
      blockSize,
    } = options;
    this.group = heads / kvHeads;
    if (!Number.isInteger(headDim) || !Number.isInteger(this.group)) {
      throw tensorError(`Attention: embed is ${embed}, heads ${heads}, kvHeads ${kvHeads}.`, [], {
        expected: "embed a multiple of heads (or a headDim given), and heads a multiple of kvHeads",
      });
    }
    this.query = new Linear({ embed }, { heads, headDim }, { bias, init });
    this.key = new Linear({ embed }, { kvHeads, headDim }, { bias, init });
    this.value = new Linear({ embed }, { kvHeads, headDim }, { bias, init });
    this.output = new Linear({ heads, headDim }, { embed }, { bias, init: outputInit });
    this.sinks = options.sinks ? param({ heads }, zeros, { decay: false }) : undefined;
    this.theta = rotary;
    const windows = typeof window === "object" ? { kvHeads: window } : window;
    this.scores = { window: windows, globals, softCap, ...(blockSize && { blockSize }) };
  }

  /**
   * x `[..., seq, embed]` to `[..., seq, embed]`, and the keys and values that it was computed from.
   *
   * Without a cache, position i of x sees positions up to i (all, if not causal); `positions` (integers, `seq` or `batch` and `seq`)
   * only turn rotary embeddings. With a cache, the new keys and values are put into it at `positions`, and each position of x sees
   * the cache up to its own; the cache returned is the updated one.
   */
  call<B extends string>(
    x: Tensor<B | "seq" | "embed">,
    { positions, cache, causal = true, segments }: AttentionCallOptions = {},
  ): [Tensor<B | "seq" | "embed">, KvCache<B>] {
    if (!positions && (cache || this.theta)) {
      throw tensorError(
        `Attention: ${cache ? "a cache is" : "rotary embeddings are"} used by position, and positions are not given.`,
        [x],
      );
    }
    if (cache && !cache.segments !== !segments) {
      throw tensorError(`Attention: ${segments ? "segments are" : "no segments are"} given.`, [x], {
        expected: `${segments ? "a cache with segments: its keys are of some, too" : "segments of x, as the cache has some"}`,
      });
    }
    // From here on `batch` stands for all of B.
    const input = x as Tensor as Tensor<"batch" | "seq" | "embed">;
    const turned = <A extends string>(t: Tensor<A | "headDim">) =>
      this.theta ? rotary(t, positions as Tensor, "headDim", { theta: this.theta }) : t;
    const made = Linear.together<"batch" | "seq", "embed">(input, [this.query, this.key, this.value]);
    const query = named(turned(made(this.query)), "query");
    const key = named(turned(made(this.key)), "key");
    const value = named(made(this.value), "value");
    const packed = segments && this.packed(segments, input);
    const seen = cache
      ? { key: write(cache.key, positions!, key), value: write(cache.value, positions!, value) }
      : { key: key.rename("seq", "key"), value: value.rename("seq", "key") };
    const ofKeys = packed && (cache ? write(cache.segments!, positions!, packed) : packed.rename("seq", "key"));
    const out = attention(this.grouped(query), seen.key.cast(x.dtype), seen.value.cast(x.dtype), {
      causal,
      positions: cache && positions,
      ...this.scores,
      sinks: this.sinks && this.byKey(this.sinks),
      segments: packed,
      keySegments: ofKeys,
    });
    const kept = ofKeys ? { ...seen, segments: ofKeys } : seen;
    return [this.output.call<"batch" | "seq">(this.ungrouped(out)) as Tensor, kept as KvCache];
  }

  /** Heads as groups that share a key: `heads` is `kvHeads` times `group`; groups of one have no axis. */
  private grouped(
    x: Tensor<"batch" | "seq" | "heads" | "headDim">,
  ): Tensor<"batch" | "seq" | "kvHeads" | "headDim" | "group"> {
    if (this.group === 1) return x.rename("heads", "kvHeads") as Tensor;
    return x.split("heads", { kvHeads: x.size("heads") / this.group, group: this.group });
  }
  /** The segments of every row of x (i32). */
  private packed(segments: Tensor, x: Tensor): Tensor<"batch" | "seq"> {
    const missing = x.names.filter((n) => n !== "embed" && !segments.has(n)).map((n) => [n, x.size(n)]);
    return segments.cast("i32").broadcast(Object.fromEntries(missing)) as Tensor;
  }

  /** What each head has, as queries have their heads. */
  private byKey(x: Tensor<"heads">): Tensor {
    const kvHeads = x.size("heads") / this.group;
    return this.group === 1 ? x.rename("heads", "kvHeads") : x.split("heads", { kvHeads, group: this.group });
  }
  private ungrouped(
    x: Tensor<"batch" | "seq" | "kvHeads" | "headDim" | "group">,
  ): Tensor<"batch" | "seq" | "heads" | "headDim"> {
    if (this.group === 1) return (x as Tensor<"batch" | "seq" | "kvHeads" | "headDim">).rename("kvHeads", "heads");
    return x.merge(["kvHeads", "group"], "heads");
  }
}

/** A cache with new entries at their positions. */
const write = <E extends string>(
  cache: Tensor<E | "key">,
  positions: Tensor,
  entries: Tensor<E | "seq">,
): Tensor<E | "key"> =>
  putInParts(cache as Tensor, "key", positions, entries.cast(cache.dtype) as Tensor) as Tensor<E | "key">;
