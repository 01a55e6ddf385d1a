import { named } from "../../ops/control.js";
import { silu } from "../../ops/functions.js";
import { normal } from "../../ops/initializers.js";
import { Module } from "../../ops/module.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";
import { Linear } from "./linear.js";
import type { MlpOptions } from "./mlp.js";

/**
 * A feed-forward layer with a gate, SwiGLU: down(silu(gate(x)) * up(x)) (Shazeer 2020, "GLU Variants Improve Transformer",
 * arXiv:2002.05202). No biases by default.
 */
export class GatedMlp extends Module {
  readonly gate: Linear<"embed", "mlp">;
  readonly up: Linear<"embed", "mlp">;
  readonly down: Linear<"mlp", "embed">;
  constructor(
    width: Sizes<"embed">,
    inner: Sizes<"mlp">,
    { bias = false, init = normal(0.02), outputInit = init }: MlpOptions = {},
  ) {
    super();
    this.gate = new Linear(width, inner, { bias, init });
    this.up = new Linear(width, inner, { bias, init });
    this.down = new Linear(inner, width, { bias, init: outputInit });
  }

  /** x `[..., embed]` to `[..., embed]`. */
  call<A extends string>(x: Tensor<A | "embed">): Tensor<A | "embed"> {
    const made = Linear.together<A, "embed">(x, [this.gate, this.up]);
    const gate = named(made(this.gate), "mlp_gate");
    const up = named(made(this.up), "mlp_up");
    return this.down.call<A>(silu(gate).mul(up));
  }
}
