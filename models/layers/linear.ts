import type { Spec } from "../../compiler/mesh.js";
import { currentLayout } from "../../compiler/trace.js";
import { customVjp, shard, weightOf } from "../../ops/control.js";
import { contract } from "../../ops/functions.js";
import { type Initializer, normal, zeros } from "../../ops/initializers.js";
import { Module, type Parameter, param } from "../../ops/module.js";
import { perDevice, reduceScatter } from "../../ops/per_device.js";
import { type Distinct, describe, type Sizes, sharded, type Tensor, tensorError } from "../../ops/tensor.js";
import { LowRank, type LowRankOptions } from "./low_rank.js";

/** Options of a {@link Linear} layer. */
export interface LinearOptions {
  /** Adds a bias, which weight decay spares. Default true. */
  readonly bias?: boolean;
  /** How the weight begins. Default normal(0.02). */
  readonly init?: Initializer;
  /** How the bias begins. Default 0. */
  readonly biasInit?: Initializer;
  /** Axes along which there are maps side by side, one for each place of the input along them, such as experts. Default none. */
  readonly of?: Sizes<string>;
}

/**
 * An affine map from some axes to others: `new Linear({ embed: 512 }, { heads: 8, headDim: 64 })`. Computed in the input's element
 * type, to which the float32 weights are cast.
 */
export class Linear<I extends string, O extends string, E extends string = never> extends Module {
  readonly weight: Tensor<I | O | E>;
  readonly bias: Tensor<O | E> | undefined;
  /** What stands beside the weight: see `adapt`. */
  declare readonly lora?: LowRank<I, O>;
  /** Axes along which there are maps side by side. */
  readonly side: readonly string[];
  private readonly from: Sizes<I>;
  private readonly to: Sizes<O>;
  constructor(
    from: Sizes<I>,
    to: Sizes<O> & Distinct<I, O>,
    {
      bias = true,
      init = normal(0.02),
      biasInit = zeros,
      of = {} as Sizes<E>,
    }: LinearOptions & { readonly of?: Sizes<E> } = {},
  ) {
    super();
    this.side = Object.keys(of);
    this.from = from;
    this.to = to;
    const matrix = { from: Object.keys(from), to: Object.keys(to) };
    this.weight = param<string>({ ...of, ...from, ...to }, init, { matrix }) as Tensor;
    this.bias = bias ? (param<string>({ ...of, ...to }, biasInit, { decay: false }) as Tensor) : undefined;
  }

  /** Adds to its results those of an adapter of low rank, times `scale`. Called on a layer as built, before it is traced. */
  adapt(options: LowRankOptions): void {
    const lora = new LowRank(this.weight as Tensor as Parameter, this.from, this.to, options);
    Object.assign(this, { lora });
  }

  /** x `[..., I]` to `[..., O]`. @throws XenarcError when x has an axis of O already. */
  call<X extends string>(x: Tensor<X> & Tensor<I>): Tensor<0 extends 1 & X ? any : O>; // nothing besides I (tsc would infer A = I)
  call<A extends string>(x: Tensor<A | I>): Tensor<A | O>;
  call<A extends string>(x: Tensor<A | I>): Tensor<A | O> {
    const taken = Object.keys(this.to).find((n) => x.has(n));
    if (taken)
      throw tensorError(`Linear: the input ${describe(x)} has the axis "${taken}" of the output already.`, [x], {
        fix: "Rename it.",
      });
    const weight = weightOf(this.weight).cast(x.dtype) as Tensor;
    const from = Object.keys(this.from);
    const stored = storedAlong(x as Tensor, weight);
    const own = stored ? product(x as Tensor, weight, from, stored) : (contract(x as Tensor, weight, from) as Tensor);
    const y = this.lora ? (own.add(this.lora.call<A>(x) as Tensor) as Tensor) : own;
    return this.bias ? (y.add(this.bias.cast(x.dtype) as Tensor) as Tensor) : y;
  }
}

/** Mesh axes that the storage of a weight is split by along one of its axes, and that split tokens of x: all of them, or some. */
interface Stored {
  readonly axis: string;
  readonly over: readonly string[];
  readonly areTokens: boolean;
}

/** The axis along which a weight is stored split by what splits x's sequence, if there is one. */
function storedAlong(x: Tensor, weight: Tensor): Stored | undefined {
  // A sequence that is split over `tensor` as well is whole along it here, as heads and widths are split.
  const layout = currentLayout()?.withActivations({});
  if (!(x.has("seq") && layout?.over("activations", "seq").length)) return undefined;
  const lying = (kind: "activations" | "parameters", t: Tensor): Spec =>
    layout.spec(kind, sharded(t, `The tensor ${describe(t)}`));
  const ofInput = lying("activations", x);
  const ofSequence = ofInput[x.position("seq")] ?? [];
  const stored = lying("parameters", weight);
  const along = stored.findIndex((over) => over?.some((m) => ofSequence.includes(m)));
  if (along === -1) return undefined;
  const over = stored[along]!;
  const ofTokens = x.names.filter((n) => !weight.has(n)).flatMap((n) => ofInput[x.position(n)] ?? []);
  return { axis: weight.names[along]!, over, areTokens: over.every((m) => ofTokens.includes(m)) };
}

/**
 * x times a weight that is stored like this, over the axes `from`. The weight is made whole, and each device sums up its gradient over the tokens that
 * it has: XLA may otherwise gather the sequence, and have every device compute all of it.
 */
function product(x: Tensor, weight: Tensor, from: readonly string[], { axis, over, areTokens }: Stored): Tensor {
  const { names } = weight;
  const tokens = x.names.filter((n) => !weight.has(n));
  const sums = (x: Tensor, ct: Tensor): Tensor => contract(x, ct, tokens) as Tensor;
  const gradient = (x: Tensor, ct: Tensor): Tensor => {
    if (!areTokens) return sums(x, ct).ordered(names);
    const ofDevice = (own: { x: Tensor; ct: Tensor }): Tensor =>
      over.reduce((g, m) => reduceScatter(g, "stored", m), sums(own.x, own.ct).rename(axis, "stored") as Tensor);
    const parts = perDevice({ x, ct }, ofDevice, { over, axes: { stored: over } });
    return (parts.rename("stored", axis) as Tensor).ordered(names);
  };
  const to = names.filter((n) => !from.includes(n) && !x.has(n));
  const multiply = customVjp(
    (x: Tensor, w: Tensor) => [contract(x, shard(w), from) as Tensor, { x, w }] as const,
    ({ x, w }, ct: Tensor) => [(contract(ct, shard(w), to) as Tensor).ordered(x.names), gradient(x, ct)],
  );
  return multiply(x, weight);
}
