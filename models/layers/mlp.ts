import { named } from "../../ops/control.js";
import { gelu } from "../../ops/functions.js";
import { type Initializer, normal } from "../../ops/initializers.js";
import { Module } from "../../ops/module.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";
import { Linear } from "./linear.js";

/** Options of {@link Mlp} and {@link GatedMlp}. */
export interface MlpOptions {
  /** Biases in the linear layers. */
  readonly bias?: boolean;
  /** How the weights begin. Default normal(0.02). */
  readonly init?: Initializer;
  /** How the weight of the last layer begins, which ends in the residual stream. Default as the others. */
  readonly outputInit?: Initializer;
}

/** Two linear layers with a GELU between (Vaswani et al. 2017, section 3.3; GELU: arXiv:1606.08415, its tanh form). Biases by default. */
export class Mlp extends Module {
  readonly up: Linear<"embed", "mlp">;
  readonly down: Linear<"mlp", "embed">;
  constructor(
    width: Sizes<"embed">,
    inner: Sizes<"mlp">,
    { bias = true, init = normal(0.02), outputInit = init }: MlpOptions = {},
  ) {
    super();
    this.up = new Linear(width, inner, { bias, init });
    this.down = new Linear(inner, width, { bias, init: outputInit });
  }

  /** x `[..., embed]` to `[..., embed]`. */
  call<A extends string>(x: Tensor<A | "embed">): Tensor<A | "embed"> {
    return this.down.call<A>(gelu(named(this.up.call<A>(x), "mlp_up")));
  }
}
