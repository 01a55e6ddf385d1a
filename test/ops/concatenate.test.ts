import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape({ min: 1 }, { min: 0, max: 4 }).chain((shape) =>
  fc
    .tuple(
      fc.constantFrom(...dtypes.any),
      fc.nat(shape.length - 1),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
    )
    .map(([dtype, dimension, sizes]): Use => {
      const names = sizes.map((_, i) => `x${i}`).join(", ");
      return {
        inputs: sizes.map((n) => ({ shape: shape.with(dimension, n), dtype })),
        build: (b, ...xs) => b.concatenate(xs, dimension),
        jax: `lambda ${names}: lax.concatenate((${names},), ${dimension})`,
      };
    }),
);
agrees("concatenate", use, { uses: 4 });

const along = (dimension: number) => ({ attrs: { dimension }, mlir: `dimension = ${dimension} : i64` });
refuses(ops.concatenate, {
  C1: { operands: ["2x3xf32", "2x3xf16"], results: ["4x3xf32"], ...along(0) },
  C2: [
    { operands: ["2x3xf32", "2x4xf32"], results: ["4x3xf32"], ...along(0) },
    { operands: ["2x3xf32", "2xf32"], results: ["4x3xf32"], ...along(0) },
  ],
  C3: { operands: [], results: ["2x3xf32"], ...along(0) },
  C4: [
    { operands: ["2x3xf32"], results: ["2x3xf32"], ...along(2) },
    { operands: ["2x3xf32"], results: ["2x3xf32"], ...along(-1) },
  ],
  C5: { operands: ["2x3xf32", "2x3xf32"], results: ["4x3xf16"], ...along(0) },
  C6: { operands: ["2x3xf32", "2x3xf32"], results: ["5x3xf32"], ...along(0) },
});
