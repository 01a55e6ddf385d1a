import { contract } from "../../ops/functions.js";
import { uniform, zeros } from "../../ops/initializers.js";
import { Module, Parameter } from "../../ops/module.js";
import { foldIn, type Key, type Keys, split } from "../../ops/random.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";
import { Dropout } from "./dropout.js";

/** What adapters have in common. */
export interface LowRankOptions {
  readonly rank: number;
  /** What an adapter adds is times this. */
  readonly scale: number;
  /** The part of its input that is dropped while training. Default 0. */
  readonly dropout?: number;
}

/**
 * A map of low rank beside a linear layer's: scale * b(a(x)) (Hu et al. 2021, "LoRA", arXiv:2106.09685). `a` begins uniform in
 * 1 / sqrt(width of the input), `b` at 0: at first nothing is added.
 */
export class LowRank<I extends string, O extends string> extends Module {
  readonly a: Tensor<I | "rank">;
  readonly b: Tensor<O | "rank">;
  readonly scale: number;
  /** Randomness of the dropout, with the axes that `a` and `b` have besides; without it nothing is dropped. */
  declare readonly key?: Keys<string>;
  private readonly from: readonly I[];
  private readonly further: readonly string[];
  private readonly dropout: Dropout;
  /** Beside `weight`, whose further axes, those of a stack of layers or of experts, both get too. */
  constructor(weight: Parameter, from: Sizes<I>, to: Sizes<O>, { rank, scale, dropout = 0 }: LowRankOptions) {
    super();
    const { declared } = weight.value;
    const further = Object.entries(weight.sizes).filter(([axis]) => !(axis in from) && !(axis in to));
    const parameter = (sizes: object, init = zeros) =>
      new Parameter({ ...Object.fromEntries(further), ...sizes }, init, {}, declared, weight.stacks) as Tensor;
    const width = Object.values<number>(from).reduce((n, size) => n * size, 1);
    this.a = parameter({ ...from, rank }, uniform(1 / Math.sqrt(width)));
    this.b = parameter({ rank, ...to });
    this.scale = scale;
    this.from = Object.keys(from) as I[];
    this.further = further.map(([axis]) => axis);
    this.dropout = new Dropout(dropout);
  }

  /** Whether it needs a key to train. */
  get random(): boolean {
    return this.dropout.rate > 0;
  }

  /** Gives it randomness: `key` is folded with `number`, and each layer of a stack gets one of its own. Called on a copy of the model. */
  seed(key: Key, number: number): void {
    const own = foldIn(key, number);
    const a = this.a as Tensor;
    const sizes = Object.fromEntries(this.further.map((axis) => [axis, a.size(axis)]));
    Object.assign(this, { key: this.further.length ? split(own, sizes) : own });
  }

  /** x `[..., I]` to `[..., O]`, in x's element type. */
  call<A extends string>(x: Tensor<A | I>): Tensor<A | O> {
    const given = this.dropout.call(x, this.key as Key | undefined);
    const narrow = contract<A, "rank", I>(given, this.a.cast(x.dtype), this.from) as Tensor<A | "rank">;
    return (contract<A, O, "rank">(narrow, this.b.cast(x.dtype), ["rank"]) as Tensor).mul(this.scale) as Tensor;
  }
}
