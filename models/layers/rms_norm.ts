import { customVjp } from "../../ops/control.js";
import { ones } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";
import { others } from "./layer_norm.js";

/**
 * Root mean square 1 over some axes, then a scale for each place (Zhang and Sennrich 2019, "Root Mean Square Layer Normalization",
 * arXiv:1910.07467). Computed in float32; the result has the input's element type. Weight decay spares the scale.
 */
export class RmsNorm<D extends string> extends Module {
  readonly scale: Tensor<D>;
  private readonly axes: readonly string[];
  private readonly epsilon: number;
  constructor(sizes: Sizes<D>, { epsilon = 1e-5 }: { readonly epsilon?: number } = {}) {
    super();
    this.axes = Object.keys(sizes);
    this.epsilon = epsilon;
    this.scale = param(sizes, ones, { decay: false });
  }

  /** x `[..., D]` normalized over D. */
  call<A extends string>(x: Tensor<A | D>): Tensor<A | D> {
    const y = normalized(this.axes, this.epsilon)(x as Tensor, this.scale as Tensor) as Tensor;
    return y.cast(x.dtype);
  }
}

// Inside, `row` stands for all axes that are not normalized, `unit` for those that are.

/** The normalized and scaled input (f32). Only the input and one statistic of each row are kept for the derivative. */
const normalized = (axes: readonly string[], epsilon: number) => {
  const unit = axes as readonly "unit"[];
  return customVjp(
    (x: Tensor<"row" | "unit">, scale: Tensor<"unit">) => {
      const wide = x.cast("f32");
      const rrms = wide.square().mean(unit).add(epsilon).rsqrt();
      return [wide.mul(rrms).mul(scale), { x, scale, rrms }] as const;
    },
    ({ x, scale, rrms }, ct) => {
      const y = x.cast("f32").mul(rrms);
      const g = ct.mul(scale);
      const dx = g.sub(y.mul(g.mul(y).mean(unit))).mul(rrms);
      return [dx.cast(x.dtype), ct.mul(y).sum(others(x, scale))];
    },
  );
};
