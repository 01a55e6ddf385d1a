import { type Initializer, normal } from "../../ops/initializers.js";
import { Module } from "../../ops/module.js";
import type { Sizes, Tensor } from "../../ops/tensor.js";
import { Linear } from "../layers/linear.js";

/** Three linear layers with tanh between them: what is observed, `[..., observation]`, to `[..., O]`. Computed in float32. */
export class Perceptron<O extends string> extends Module {
  readonly first: Linear<"observation", "hidden">;
  readonly second: Linear<"hidden", "inner">;
  readonly last: Linear<"inner", O>;
  constructor(
    { observation, hidden }: Sizes<"observation" | "hidden">,
    out: Sizes<O>,
    { lastInit = normal(hidden ** -0.5) }: { readonly lastInit?: Initializer } = {},
  ) {
    super();
    this.first = new Linear({ observation }, { hidden }, { init: normal(observation ** -0.5) });
    this.second = new Linear({ hidden }, { inner: hidden }, { init: normal(hidden ** -0.5) });
    this.last = new Linear<"inner", O>({ inner: hidden }, out as never, { init: lastInit });
  }

  call<A extends string>(x: Tensor<A | "observation">): Tensor<A | O> {
    const hidden = (this.first.call<A>(x) as Tensor).tanh() as Tensor;
    const inner = (this.second.call<A>(hidden as Tensor) as Tensor).tanh() as Tensor;
    return this.last.call<A>(inner as Tensor) as Tensor;
  }
}
