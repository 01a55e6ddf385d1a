import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, forEach, tuple } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

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
        inputs: [{ shape, dtype }, { shape: sizes, dtype }, ...shape.map(() => ({ shape: [], dtype: index }) as const)],
        build: (b, x, update, ...starts) => b.dynamicUpdateSlice(x!, update!, starts),
        jax: `lambda ${["x", "update", ...names].join(", ")}: lax.dynamic_update_slice(x, update, ${tuple(names)}, allow_negative_indices=False)`,
        values: [undefined, undefined, ...shape.map(() => ({ min: index === "ui8" ? 0 : -2, max: 6 }))],
      };
    }),
);
agrees("dynamic_update_slice", use, { uses: 4 });

refuses(ops.dynamicUpdateSlice, {
  I3: [
    { operands: ["4x6xf32", "2x3xf32", "1xi32", "1xi32"], results: ["4x6xf32"] },
    { operands: ["4x6xf32", "2x3xf32", "i1", "i1"], results: ["4x6xf32"] },
  ],
  C1: { operands: ["4x6xf32", "2x3xf32", "i32", "i32"], results: ["4x5xf32"] },
  C2: { operands: ["4x6xf32", "2x3xf16", "i32", "i32"], results: ["4x6xf32"] },
  C3: { operands: ["4x6xf32", "3xf32", "i32", "i32"], results: ["4x6xf32"] },
  C4: { operands: ["4x6xf32", "2x3xf32", "i32"], results: ["4x6xf32"] },
  C5: { operands: ["4x6xf32", "2x3xf32", "i32", "i64"], results: ["4x6xf32"] },
  C6: { operands: ["4x6xf32", "5x3xf32", "i32", "i32"], results: ["4x6xf32"] },
});
