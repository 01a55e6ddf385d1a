import { customVjp } from "../../ops/control.js";
import { clamp, dot, fullLike, gather, oneHot, scatterAdd } from "../../ops/functions.js";
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
    return lookup(this.vocab)(this.weight as Tensor, tokens as Tensor) as Tensor;
  }
}

// Inside, `place` stands for all axes of the numbers, `unit` for those of a vector.

/** `gather`, its derivative computed as a product with one-hot rows for small tables: faster than adding up rows one by one. */
const lookup = (axis: string) => {
  const vocab = axis as "vocab";
  return customVjp(
    (table: Tensor<"vocab" | "unit">, at: Tensor<"place">) => [gather(table, vocab, at), { table, at }] as const,
    ({ table, at }, ct) => {
      const rows = table.size(vocab);
      const places = clamp(at, 0, rows - 1);
      const sums =
        rows <= SMALL
          ? dot(oneHot(places, { [vocab]: rows } as Sizes<"vocab">, ct.dtype), ct, at.names)
          : scatterAdd(fullLike(table, 0), vocab, places, ct);
      return [sums, undefined];
    },
  );
};

/** Rows up to which the product is faster. */
const SMALL = 1024;
