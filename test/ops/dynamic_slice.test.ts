import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, forEach, tuple } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

// Starts outside of the tensor as well: both move the part to where it lies within.
const use = anyShape({}, { min: 1, max: 5 }).chain((shape) =>
  fc
    .tuple(
      fc.constantFrom(...dtypes.any),
      fc.constantFrom("i32", "i64", "ui8"),
      forEach(shape, (n) => fc.nat(n)),
    )
    .map(([dtype, index, sizes]): Use => {
      const names = shape.map((_, d) => `i${d}`);
      return {
        inputs: [{ shape, dtype }, ...shape.map(() => ({ shape: [], dtype: index }) as const)],
        build: (b, x, ...starts) => b.dynamicSlice(x!, starts, sizes),
        jax: `lambda ${["x", ...names].join(", ")}: lax.dynamic_slice(x, ${tuple(names)}, ${tuple(sizes)}, allow_negative_indices=False)`,
        values: [undefined, ...shape.map(() => ({ min: index === "ui8" ? 0 : -2, max: 6 }))],
      };
    }),
);
agrees("dynamic_slice", use, { uses: 4 });

const sizes = (...ns: number[]) => ({ attrs: { sizes: ns }, mlir: `slice_sizes = array<i64: ${ns}>` });
refuses(ops.dynamicSlice, {
  I2: [
    { operands: ["4x6xf32", "1xi32", "1xi32"], results: ["2x3xf32"], ...sizes(2, 3) },
    { operands: ["4x6xf32", "f32", "f32"], results: ["2x3xf32"], ...sizes(2, 3) },
  ],
  C1: { operands: ["4x6xf32", "i32", "i32"], results: ["2x3xf16"], ...sizes(2, 3) },
  C2: [
    { operands: ["4x6xf32", "i32"], results: ["2x3xf32"], ...sizes(2, 3) },
    { operands: ["4x6xf32", "i32", "i32"], results: ["2x3xf32"], ...sizes(2) },
  ],
  C3: { operands: ["4x6xf32", "i32", "i64"], results: ["2x3xf32"], ...sizes(2, 3) },
  C4: [
    { operands: ["4x6xf32", "i32", "i32"], results: ["5x3xf32"], ...sizes(5, 3) },
    { operands: ["4x6xf32", "i32", "i32"], results: ["0x3xf32"], ...sizes(-1, 3) },
  ],
  C5: { operands: ["4x6xf32", "i32", "i32"], results: ["2x2xf32"], ...sizes(2, 3) },
});
