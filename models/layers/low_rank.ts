import { contract } from "../../ops/functions.js";
import { uniform, zeros } from "../../ops/initializers.js";
import { Module, Parameter } from "../../ops/module.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";

/**
 * A map of low rank beside a linear layer's: scale * b(a(x)) (Hu et al. 2021, "LoRA", arXiv:2106.09685). `a` begins uniform in
 * 1 / sqrt(width of the input), `b` at 0: at first nothing is added.
 */
export class LowRank<I extends string, O extends string> extends Module {
  readonly a: Tensor<I | "rank">;
  readonly b: Tensor<O | "rank">;
  private readonly from: readonly I[];
  private readonly scale: number;
  /** Beside `weight`, whose further axes, those of a stack of layers, both get too. */
  constructor(weight: Parameter, from: Sizes<I>, to: Sizes<O>, { rank, scale }: { rank: number; scale: number }) {
    super();
    const { declared } = weight.value;
    const further = Object.entries(weight.sizes).filter(([axis]) => !(axis in from) && !(axis in to));
    const parameter = (sizes: object, init = zeros) =>
      new Parameter({ ...Object.fromEntries(further), ...sizes }, init, {}, declared, weight.stacks) as Tensor;
    const width = Object.values<number>(from).reduce((n, size) => n * size, 1);
    this.a = parameter({ ...from, rank }, uniform(1 / Math.sqrt(width)));
    this.b = parameter({ rank, ...to });
    this.from = Object.keys(from) as I[];
    this.scale = scale;
  }

  /** x `[..., I]` to `[..., O]`, in x's element type. */
  call<A extends string>(x: Tensor<A | I>): Tensor<A | O> {
    const narrow = contract<A, "rank", I>(x, this.a.cast(x.dtype), this.from) as Tensor<A | "rank">;
    return (contract<A, O, "rank">(narrow, this.b.cast(x.dtype), ["rank"]) as Tensor).mul(this.scale) as Tensor;
  }
}
