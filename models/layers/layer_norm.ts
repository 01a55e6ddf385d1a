import { customVjp } from "../../ops/control.js";
import { ones, zeros } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";

/** How a {@link LayerNorm} is made. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Adds a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * Mean 0 and variance 1 over some axes, then a scale and a bias for each place (Ba et al. 2016, "Layer Normalization",
 * arXiv:1607.06450). Computed in float32; the result has the input's element type. Weight decay spares the parameters.
 */
export class LayerNorm<D extends string> extends Module {
  readonly scale: Tensor<D>;
  readonly bias: Tensor<D> | undefined;
  private readonly axes: readonly string[];
  private readonly epsilon: number;
  constructor(sizes: Sizes<D>, { epsilon = 1e-5, bias = true }: LayerNormOptions = {}) {
    super();
    this.axes = Object.keys(sizes);
    this.epsilon = epsilon;
    this.scale = param(sizes, ones, { decay: false });
    this.bias = bias ? param(sizes, zeros, { decay: false }) : undefined;
  }

  /** x `[..., D]` normalized over D. */
  call<A extends string>(x: Tensor<A | D>): Tensor<A | D> {
    const y = normalized(this.axes, this.epsilon)(x as Tensor, this.scale as Tensor) as Tensor;
    return (this.bias ? y.add(this.bias) : y).cast(x.dtype);
  }
}

// Inside, `row` stands for all axes that are not normalized, `unit` for those that are.

/** The normalized and scaled input (f32). Only the input and two statistics of each row are kept for the derivative. */
const normalized = (axes: readonly string[], epsilon: number) => {
  const unit = axes as readonly "unit"[];
  return customVjp(
    (x: Tensor<"row" | "unit">, scale: Tensor<"unit">) => {
      const wide = x.cast("f32");
      const mean = wide.mean(unit);
      const centred = wide.sub(mean);
      const rstd = centred.square().mean(unit).add(epsilon).rsqrt();
      return [centred.mul(rstd).mul(scale), { x, scale, mean, rstd }] as const;
    },
    ({ x, scale, mean, rstd }, ct) => {
      const y = x.cast("f32").sub(mean).mul(rstd);
      const g = ct.mul(scale);
      const dx = g
        .sub(g.mean(unit))
        .sub(y.mul(g.mul(y).mean(unit)))
        .mul(rstd);
      return [dx.cast(x.dtype), ct.mul(y).sum(others(x, scale))];
    },
  );
};

/** The axes of x that y has not. */
export const others = <A extends string, K extends A>(x: Tensor<A>, y: Tensor<K>): Exclude<A, K>[] =>
  x.names.filter((n): n is Exclude<A, K> => !y.has(n));
