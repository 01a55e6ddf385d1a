import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, someOf, tuple } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape({ max: 4 }, { min: 0, max: 4 }).chain((shape) =>
  fc.tuple(fc.constantFrom(...dtypes.any), someOf(shape.length, { min: shape.length })).map(
    ([dtype, permutation]): Use => ({
      inputs: [{ shape, dtype }],
      build: (b, x) => b.transpose(x!, permutation),
      jax: `lambda x: lax.transpose(x, ${tuple(permutation)})`,
    }),
  ),
);
agrees("transpose", use, { uses: 4 });

const permutation = (...ds: number[]) => ({
  attrs: { permutation: ds },
  mlir: `permutation = array<i64: ${ds.join(", ")}>`,
});
refuses(ops.transpose, {
  C1: { operands: ["2x3xf32"], results: ["3x2xf16"], ...permutation(1, 0) },
  C2: [
    { operands: ["2x3xf32"], results: ["3x2xf32"], ...permutation(1, 0, 2) },
    { operands: ["2x3xf32"], results: ["3x3xf32"], ...permutation(1, 1) },
    { operands: ["2x3xf32"], results: ["3x2xf32"], ...permutation(1, 2) },
  ],
  C3: { operands: ["2x3xf32"], results: ["2x3xf32"], ...permutation(1, 0) },
});
