import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, someOf, tuple } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape({}, { min: 0, max: 4 }).chain((shape) =>
  fc.tuple(fc.constantFrom(...dtypes.any), someOf(shape.length)).map(
    ([dtype, dimensions]): Use => ({
      inputs: [{ shape, dtype }],
      build: (b, x) => b.reverse(x!, dimensions),
      jax: `lambda x: lax.rev(x, ${tuple(dimensions)})`,
    }),
  ),
);
agrees("reverse", use, { uses: 4 });

const along = (...dimensions: number[]) => ({
  attrs: { dimensions },
  mlir: `dimensions = array<i64: ${dimensions}>`,
});
refuses(ops.reverse, {
  C1: { operands: ["2x3xf32"], results: ["3x2xf32"], ...along(0) },
  C2: { operands: ["2x3xf32"], results: ["2x3xf32"], ...along(0, 0) },
  C3: [
    { operands: ["2x3xf32"], results: ["2x3xf32"], ...along(2) },
    { operands: ["2x3xf32"], results: ["2x3xf32"], ...along(-1) },
  ],
});
