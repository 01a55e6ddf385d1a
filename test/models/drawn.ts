/** Models with random weights, and random tokens. */
import { mapLeaves } from "../../compiler/tree.js";
import type { ModelDefinition } from "../../models/define.js";
import type { LanguageModel } from "../../models/language_model.js";
import { tensor as given } from "../../ops/array.js";
import type { Tensor } from "../../ops/tensor.js";
import { encode } from "../oracle/oracle.js";

/** Numbers that repeat too late to matter, in [-1, 1). */
export function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** A model whose parameters are random, but for the `values` of some, in the order in which JAX's dimensions stand. */
export function drawn(
  definition: ModelDefinition,
  config: object,
  values: Readonly<Record<string, readonly number[]>> = {},
): LanguageModel {
  const draw = draws(7);
  const resolved = definition.schema.parse({ model: config }) as never;
  return mapLeaves(definition.build(resolved) as LanguageModel, (leaf, path) => {
    const { sizes } = leaf as Tensor;
    const n = Object.values<number>(sizes).reduce((a, b) => a * b, 1);
    const own = values[path];
    if (own) return given(sizes, Float32Array.from(own));
    const [centre, spread] = path.endsWith("scale") ? [1, 0.3] : [0, 0.3];
    return given(
      sizes,
      Float32Array.from({ length: n }, () => centre + spread * draw()),
    );
  });
}
/** Tokens for us, for JAX, and as numbers. */
export const tokensOf = (seed: number, batch: number, seq: number, vocab: number) => {
  const draw = draws(seed);
  const data = Array.from({ length: batch * seq }, () => Math.floor(((draw() + 1) / 2) * vocab));
  return { ours: given({ batch, seq }, data, "i32"), theirs: encode("i32", [batch, seq], data), data };
};
