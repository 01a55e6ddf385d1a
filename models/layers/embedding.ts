import { shard } from "../../ops/control.js";
import { gather } from "../../ops/functions.js";
import { type Initializer, normal } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import type { Distinct, Sizes, Tensor } from "../../ops/tensor.js";

/** A table of vectors, looked up by number. The optimizer's weight decay spares it. */
export class Embedding<V extends string, D extends string> extends Module {
  readonly weight: Tensor<V | D>;
  private readonly vocab: V;
  constructor(
    vocab: Sizes<V>,
    to: Sizes<D> & Distinct<V, D>,
    { init = normal(0.02) }: { readonly init?: Initializer } = {},
  ) {
    super();
    this.vocab = Object.keys(vocab)[0] as V;
    this.weight = param<V | D>({ ...vocab, ...to } as Sizes<V | D>, init, { decay: false });
  }

  /** Numbers `[...]` (integers; outside of the table: clamped) to their vectors `[..., D]` (f32). */
  call<A extends string>(tokens: Tensor<A>): Tensor<A | D> {
    return gather(shard(this.weight as Tensor), this.vocab, tokens as Tensor) as Tensor;
  }
}
