import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, forEach, tuple } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape({ max: 3 }, { min: 0, max: 5 }).chain((shape) => {
  const range = (n: number) => fc.tuple(fc.nat(n), fc.nat(n), fc.integer({ min: 1, max: 3 }));
  return fc.tuple(fc.constantFrom(...dtypes.any), forEach(shape, range)).map(([dtype, ranges]): Use => {
    const start = ranges.map(([p, q]) => Math.min(p, q));
    const limit = ranges.map(([p, q]) => Math.max(p, q));
    const strides = ranges.map(([, , stride]) => stride);
    return {
      inputs: [{ shape, dtype }],
      build: (b, x) => b.slice(x!, start, limit, strides),
      jax: `lambda x: lax.slice(x, ${tuple(start)}, ${tuple(limit)}, ${tuple(strides)})`,
    };
  });
});
agrees("slice", use, { uses: 4 });

const ranges = (start: number[], limit: number[], strides: number[]) => ({
  attrs: { start, limit, strides },
  mlir: `start_indices = array<i64: ${start}>, limit_indices = array<i64: ${limit}>, strides = array<i64: ${strides}>`,
});
refuses(ops.slice, {
  C1: { operands: ["4x6xf32"], results: ["2x3xf16"], ...ranges([1, 0], [3, 6], [1, 2]) },
  C2: [
    { operands: ["4x6xf32"], results: ["2x6xf32"], ...ranges([1], [3, 6], [1, 1]) },
    { operands: ["4x6xf32"], results: ["2x6xf32"], ...ranges([1, 0], [3], [1, 1]) },
    { operands: ["4x6xf32"], results: ["2x6xf32"], ...ranges([1, 0], [3, 6], [1, 1, 1]) },
  ],
  C3: [
    { operands: ["4x6xf32"], results: ["4x6xf32"], ...ranges([-1, 0], [3, 6], [1, 1]) },
    { operands: ["4x6xf32"], results: ["0x6xf32"], ...ranges([3, 0], [2, 6], [1, 1]) },
    { operands: ["4x6xf32"], results: ["4x6xf32"], ...ranges([1, 0], [5, 6], [1, 1]) },
  ],
  C4: { operands: ["4x6xf32"], results: ["2x6xf32"], ...ranges([1, 0], [3, 6], [0, 1]) },
  C5: { operands: ["4x6xf32"], results: ["2x2xf32"], ...ranges([1, 0], [3, 6], [1, 2]) },
});
