import { weightOf } from "../../ops/control.js";
import { contract } from "../../ops/functions.js";
import { type Initializer, normal, zeros } from "../../ops/initializers.js";
import { Module, type Parameter, param } from "../../ops/module.js";
import { type Distinct, describe, type Sizes, type Tensor, tensorError } from "../../ops/tensor.js";
import { LowRank, type LowRankOptions } from "./low_rank.js";
import { splitProducts } from "./split_product.js";
import { stationaryProducts } from "./stationary.js";

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
    const from = Object.keys(this.from);
    const [split] = onMesh(x as Tensor, [this.weight as Tensor], from) ?? [];
    const own = split ?? (contract(x as Tensor, weightOf(this.weight).cast(x.dtype) as Tensor, from) as Tensor);
    return completed(x as Tensor, own, this);
  }

  /**
   * Layers on one input: what each of them makes of x `[..., I]`. On a mesh x is gathered once for all, and so do their cotangents of it
   * meet.
   */
  static together<A extends string, I extends string>(
    x: Tensor<A | I>,
    layers: readonly Linear<I, any>[],
  ): <O extends string>(layer: Linear<I, O>) => Tensor<A | O> {
    const given = x as Tensor;
    const weights = layers.map((l) => l.weight as Tensor);
    const split = onMesh(given, weights, Object.keys(layers[0]!.from));
    return (layer) => (split ? completed(given, split[layers.indexOf(layer)]!, layer) : layer.call<A>(x)) as Tensor;
  }
}

/** x times each of the weights as the code of one device, where the partitioner would send more. */
const onMesh = (x: Tensor, weights: readonly Tensor[], from: readonly string[]): readonly Tensor[] | undefined =>
  splitProducts(x, weights, from) ?? stationaryProducts(x, weights, from);

/** What a layer adds to the product of x and its weight. */
interface Further {
  readonly bias: Tensor | undefined;
  readonly lora?: LowRank<any, any> | undefined;
}

function completed(x: Tensor, own: Tensor, { lora, bias }: Further): Tensor {
  const y = lora ? (own.add(lora.call(x) as Tensor) as Tensor) : own;
  return bias ? (y.add(bias.cast(x.dtype) as Tensor) as Tensor) : y;
}
