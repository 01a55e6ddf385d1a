import { named, scan, shard } from "../../ops/control.js";
import { dot, gather, gelu, iota, where } from "../../ops/functions.js";
import { type Initializer, normal } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import { perDevice, putInParts } from "../../ops/per_device.js";
import { type Scalar, type Tensor, tensorError } from "../../ops/tensor.js";
import { evenly } from "./attention/block.js";
import { alongSequences, headsOver } from "./attention/heads.js";
import { hierarchical } from "./attention/hierarchical.js";
import { hierarchicalStep } from "./attention/hierarchical_step.js";
import {
  allOptions,
  byInput,
  type HierarchyOptions,
  PATHS,
  type Reach,
  type Reached,
  unitMeans,
} from "./attention/reach.js";
import { HIDDEN, type Keys } from "./attention/visible.js";
import { Latent } from "./latent.js";
import { Linear } from "./linear.js";
import { RecurrentState } from "./recurrent_state.js";
import { RmsNorm } from "./rms_norm.js";
import { rotary, type Yarn, yarnScale } from "./rotary.js";

/** The axes of heads. */
const HEADS = ["kvHeads", "group"];

/** Sizes of an {@link Hlsa} layer. */
export interface HlsaSizes {
  /** Width of the input and of the result. */
  readonly embed: number;
  readonly heads: number;
  /** Default embed / heads. */
  readonly headDim?: number;
  /** Heads of keys and values, each shared by heads / kvHeads queries. Default: as many as heads. */
  readonly kvHeads?: number;
  /** The most dimensions of the latent that queries, keys and values are made from. */
  readonly latent: number;
  /** What of a position is kept in the cache for keys and values. */
  readonly rank: number;
  /** Width of the recurrent state; 0: there is none. */
  readonly state: number;
  /** Width inside the selector of global tokens; 0: they are the first of each interval. Default 0. */
  readonly selector?: number;
}

/** Options of an {@link Hlsa} layer. */
export interface HlsaOptions extends HierarchyOptions {
  /** Base of the rotary positions' wavelengths. */
  readonly theta: number;
  /** How they are stretched. Default: not. */
  readonly yarn?: Yarn | undefined;
  readonly epsilon?: number;
  readonly init?: Initializer;
  readonly outputInit?: Initializer;
}

/** The values of the run of one layer: those of `Reach`, and these. Scalars, or with the axis `batch`. */
export interface HlsaValues extends Reach {
  /** How many dimensions of the latent count (i32). */
  readonly latent: Tensor;
  /** What each path weighs in the softmax, and the recurrent state in the result, by `WEIGHTS` along `path` (f32); 0: nothing. */
  readonly weights: Tensor;
}

/** The paths of attention, then the recurrent state. */
export const WEIGHTS = [...PATHS, "recurrent"] as const;

/** What decoding carries from token to token. */
export interface HlsaCache {
  /** What keys and values are made from, by position. */
  readonly latent: Tensor<"batch" | "key" | "rank">;
  /** Means of the keys and values of units that have ended (f32). */
  readonly meanKey: Tensor;
  readonly meanValue: Tensor;
  /** The first query of the block of queries of the last position. */
  readonly anchor: Tensor;
  /** The recurrent state behind the last position (f32), where there is one. */
  readonly state?: Tensor<"batch" | "state"> | undefined;
  /** The selector's scores by position (f32), where there is one. */
  readonly selection?: Tensor<"batch" | "key"> | undefined;
}

/** Of one call. */
export interface HlsaCallOptions {
  readonly values: HlsaValues;
  /** Added to the logarithms of the weights, by position (f32). */
  readonly bias?: Tensor<"batch" | "seq" | "path"> | undefined;
  readonly cache?: HlsaCache | undefined;
  /** With a cache: the position of the one token of each input (i32). */
  readonly position?: Tensor<"batch"> | undefined;
  /** How many positions count (i32): see `RunOptions`. Default all. */
  readonly length?: Tensor<"batch"> | undefined;
}

/** Below this a weight is nothing. */
const NOTHING = 1e-30;

/**
 * Hierarchical long-sequence attention: `hierarchical` attention over keys and values that are kept as a latent of low rank (DeepSeek-AI
 * 2024, "DeepSeek-V2", arXiv:2405.04434, section 2.1), and a recurrent state beside it. How far a query sees, how many dimensions count and
 * what each path weighs are values of the run.
 */
export class Hlsa extends Module {
  readonly input: Latent<{ readonly query: Tensor; readonly kept: Tensor }>;
  readonly norm: RmsNorm<"rank">;
  readonly key: Tensor<"rank" | "kvHeads" | "headDim">;
  readonly value: Tensor<"rank" | "kvHeads" | "headDim">;
  readonly output: Linear<"heads" | "headDim", "embed">;
  readonly recurrent: RecurrentState | undefined;
  readonly read: Linear<"state", "embed"> | undefined;
  readonly selector: Linear<"embed", "selector"> | undefined;
  readonly score: Tensor<"selector"> | undefined;
  private readonly group: number;
  private readonly scale: number;
  private readonly options: HlsaOptions;

  constructor(
    { embed, heads, headDim = embed / heads, kvHeads = heads, latent, rank, state, selector = 0 }: HlsaSizes,
    options: HlsaOptions,
  ) {
    super();
    this.group = heads / kvHeads;
    if (!Number.isInteger(headDim) || !Number.isInteger(this.group)) {
      throw tensorError(`Hlsa: embed is ${embed}, heads ${heads}, kvHeads ${kvHeads}.`, [], {
        expected: "embed a multiple of heads (or a headDim given), and heads a multiple of kvHeads",
      });
    }
    const { init = normal(0.02), outputInit = init, epsilon = 1e-5, blockSize = 512, yarn } = options;
    const up = () =>
      param({ rank, kvHeads, headDim }, init, { matrix: { from: ["rank"], to: ["kvHeads", "headDim"] } });
    this.input = new Latent<Hlsa["input"]["up"]>(
      { embed, latent },
      { query: { heads, headDim }, kept: { rank } },
      { blockSize, init },
    );
    this.norm = new RmsNorm({ rank }, { epsilon });
    this.key = up();
    this.value = up();
    this.output = new Linear({ heads, headDim }, { embed }, { bias: false, init: outputInit });
    this.recurrent = state ? new RecurrentState({ embed, state }, { init, horizon: options.span }) : undefined;
    this.read = state ? new Linear({ state }, { embed }, { bias: false, init: outputInit }) : undefined;
    this.selector = selector ? new Linear({ embed }, { selector }, { init }) : undefined;
    this.score = selector ? param({ selector }, init) : undefined;
    this.scale = headDim ** -0.5 * (yarn ? yarnScale(yarn) : 1);
    this.options = options;
  }

  /**
   * x `[batch, seq, embed]` to `[batch, seq, embed]`, and what decoding carries on. Without a cache positions are 0, 1, 2, ...; with one, x has
   * one token of each input, which is put into it at `position`.
   */
  call(x: Tensor<"batch" | "seq" | "embed">, call: HlsaCallOptions): [Tensor<"batch" | "seq" | "embed">, HlsaCache] {
    const { values, cache, position, length } = call;
    if (cache && !(position && x.size("seq") === 1)) {
      throw tensorError("Hlsa: a cache is read with one token of each input and its position.", [x]);
    }
    const { query, kept } = this.input.call(x, values.latent);
    const latent = this.norm.call<"batch" | "seq">(kept);
    const places = cache ? position!.broadcast({ seq: 1 }) : iota({ seq: x.size("seq") });
    const q = named(this.grouped(this.turned(query, places).mul(this.scale).cast(x.dtype)), "query");
    const selection = this.selected(x);
    const weights = this.weighed(x, call);
    const bias = weights.slice("path", 0, PATHS.length) as Tensor<"batch" | "seq" | "path">;
    const seen = { q, latent, selection, bias };
    const [attended, next] = cache ? this.step(seen, cache, position!, values) : this.whole(seen, values, length);
    const out = this.output.call<"batch" | "seq">(this.ungrouped(attended));
    if (!this.recurrent) return [out, next];
    const { states, last } = this.recurrent.call(x, { before: cache?.state, length });
    const share = weights.at("path", PATHS.length).exp();
    const recalled = this.read!.call<"batch" | "seq">(states.mul(share).cast(x.dtype));
    return [out.add(recalled), { ...next, state: last }];
  }

  /** The logarithms of the weights, by position: `HIDDEN` for 0. */
  private weighed(x: Tensor, { values: { weights }, bias }: HlsaCallOptions): Tensor<"batch" | "seq" | "path"> {
    const logs = where(weights.gt(NOTHING), weights.maximum(NOTHING).log(), HIDDEN);
    const missing = ["batch", "seq"].filter((n) => !logs.has(n)).map((n) => [n, x.size(n)]);
    const each = logs.broadcast(Object.fromEntries(missing)).ordered(["batch", "seq", "path"]);
    return bias ? each.add(bias) : each;
  }

  /** The selector's scores, by position. */
  private selected(x: Tensor): Tensor<"batch" | "seq"> | undefined {
    if (!this.selector) return undefined;
    const hidden = gelu(this.selector.call<"batch" | "seq">(x).cast("f32"));
    return dot(hidden, this.score!, "selector");
  }

  /** All positions of each input. */
  private whole(
    { q, latent, selection, bias }: Seen,
    values: HlsaValues,
    length: Tensor<"batch"> | undefined,
  ): [Tensor, Omit<HlsaCache, "state">] {
    const { unit, blockSize = 512 } = this.options;
    // On a mesh these are gathered, not keys and values, which are wider.
    const rows = shard(latent.rename("seq", "key"));
    const places = iota({ key: rows.size("key") });
    const [k, v] = [this.key, this.value].map((w) => shard(dot(rows, w.cast(rows.dtype), "rank"))) as [Tensor, Tensor];
    const key = named(this.turned(k, places), "key");
    const scores = selection?.rename("seq", "key") as Tensor<"batch" | "key"> | undefined;
    const out = hierarchical(q, key, named(v, "value"), values, bias, scores, this.options);
    const size = evenly(q.size("seq"), blockSize);
    const last = length
      ? length.sub(1)
      : iota({ batch: q.size("batch") })
          .mul(0)
          .add(q.size("seq") - 1);
    const means = (x: Tensor) => unitMeans(x, unit).ordered(["batch", "unit", "kvHeads", "headDim"]);
    const anchor = gather(q, "seq", last.div(size).mul(size) as Tensor<"batch">);
    return [
      out,
      {
        latent: rows.ordered(["batch", "key", "rank"]),
        meanKey: means(key),
        meanValue: means(v),
        anchor: anchor.ordered(q.names.filter((n) => n !== "seq")),
        ...(scores && { selection: scores.ordered(["batch", "key"]) }),
      },
    ];
  }

  /** One position of each input, behind those of the cache. */
  private step(
    { q, latent, selection, bias }: Seen,
    cache: HlsaCache,
    position: Tensor<"batch">,
    values: HlsaValues,
  ): [Tensor, Omit<HlsaCache, "state">] {
    const length = cache.latent.size("key");
    const { unit, blockSize = 512 } = this.options;
    const options = allOptions(this.options, length);
    const at = position.broadcast({ seq: 1 });
    const write = (into: Tensor, x: Tensor) => putInParts(into, "key", at, x.cast(into.dtype));
    const query = q.at("seq", 0);
    const isFirst = position.rem(evenly(length, blockSize)).eq(0);
    const kept = {
      latent: write(cache.latent, latent),
      ...(selection && { selection: write(cache.selection!, selection) }),
      anchor: where(isFirst, query.ordered(cache.anchor.names), cache.anchor.cast(query.dtype)),
    };
    const axes = headsOver(query, HEADS);
    const over = HEADS.flatMap((n) => axes[n] ?? []);
    const given = {
      rows: {
        query,
        position,
        bias: bias.at("seq", 0),
        reach: byInput(values, query.size("batch")),
        ...kept,
        meanKey: cache.meanKey,
        meanValue: cache.meanValue,
      },
      weights: { key: this.key.cast(query.dtype), value: this.value.cast(query.dtype) },
    };
    const ofDevice = ({ rows, weights }: typeof given) => {
      const [, found] = scan("batch", {}, rows, (none, row) => {
        const { query, position, bias, reach, latent, selection, anchor, meanKey, meanValue } =
          row as unknown as Record<string, Tensor>;
        const keysAt = (places: Tensor<"key">) => {
          const taken = gather(latent!, "key", places.rename("key", "place")).rename("place", "key").cast(query!.dtype);
          const [k, v] = [weights.key, weights.value].map((w) => dot(taken, w, "rank")) as [Tensor, Tensor];
          const order = ["kvHeads", "key", "headDim"];
          return { k: this.turned(k, places).ordered(order), v: v.ordered(order) as Keys };
        };
        // The mean of the unit that the position is in: right when the unit has ended, and looked at then.
        const number = position!.div(unit) as unknown as Scalar;
        const inUnit = keysAt(
          iota({ key: unit })
            .add(number.mul(unit))
            .minimum(length - 1) as Tensor<"key">,
        );
        const mean = (old: Tensor, x: Keys) =>
          old.update("unit", number, x.cast("f32").mean("key").broadcast({ unit: 1 }));
        const means = { k: mean(meanKey!, inUnit.k), v: mean(meanValue!, inUnit.v) };
        const sight = {
          position: position as unknown as Scalar,
          bias: bias!,
          reach: reach as unknown as Reached,
          selection,
          means,
          anchor: anchor!,
          keysAt,
        };
        return [none, { out: hierarchicalStep(query!, sight, length, options, over), ...means }];
      });
      return found as Record<"out" | "k" | "v", Tensor>;
    };
    const { out, k, v } = perDevice(given, ofDevice, { axes, over: alongSequences(HEADS) });
    return [
      out.broadcast({ seq: 1 }),
      {
        latent: kept.latent,
        meanKey: k.ordered(cache.meanKey.names),
        meanValue: v.ordered(cache.meanValue.names),
        anchor: kept.anchor.cast(cache.anchor.dtype),
        ...(kept.selection && { selection: kept.selection }),
      },
    ];
  }

  /** Turned by their places. */
  private turned(x: Tensor, places: Tensor): Tensor {
    const { theta, yarn } = this.options;
    return rotary(x, places, "headDim", { theta, yarn });
  }

  /** Heads as groups that share a key. */
  private grouped(x: Tensor): Tensor {
    return x.split("heads", { kvHeads: x.size("heads") / this.group, group: this.group });
  }
  private ungrouped(x: Tensor): Tensor<"batch" | "seq" | "heads" | "headDim"> {
    return x.merge(["kvHeads", "group"], "heads");
  }
}

/** What attention is made from, by position. */
interface Seen {
  readonly q: Tensor;
  readonly latent: Tensor;
  readonly selection: Tensor<"batch" | "seq"> | undefined;
  readonly bias: Tensor<"batch" | "seq" | "path">;
}
