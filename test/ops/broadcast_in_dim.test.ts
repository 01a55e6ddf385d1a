import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, forEach, someOf, tuple } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape({ max: 4 }, { min: 0, max: 4 }).chain((shape) => {
  const rank = fc.integer({ min: 0, max: shape.length });
  return rank
    .chain((n) =>
      fc.tuple(
        fc.constantFrom(...dtypes.any),
        someOf(shape.length, { min: n, max: n }),
        forEach(Array(n).fill(0), () => fc.boolean()),
      ),
    )
    .map(([dtype, dims, ones]): Use => {
      const from = dims.map((d, i) => (ones[i] ? 1 : shape[d]!));
      // JAX wants the dimensions in order.
      const order = dims.map((_, i) => i).sort((p, q) => dims[p]! - dims[q]!);
      const sorted = order.map((i) => dims[i]!);
      return {
        inputs: [{ shape: from, dtype }],
        build: (b, x) => b.broadcastInDim(x!, shape, dims),
        jax: `lambda x: lax.broadcast_in_dim(lax.transpose(x, ${tuple(order)}), ${tuple(shape)}, ${tuple(sorted)})`,
      };
    });
});
agrees("broadcast_in_dim", use, { uses: 4 });

const dims = (...ds: number[]) => ({
  attrs: { dims: ds },
  mlir: `broadcast_dimensions = array<i64${ds.length ? ": " : ""}${ds}>`,
});
refuses(ops.broadcastInDim, {
  C1: { operands: ["3xf32"], results: ["2x3xf16"], ...dims(1) },
  C2: { operands: ["3xf32"], results: ["2x3xf32"], ...dims(0, 1) },
  C3: [
    { operands: ["3xf32"], results: ["2x3xf32"], ...dims(2) },
    { operands: ["3xf32"], results: ["2x3xf32"], ...dims(-1) },
  ],
  C4: { operands: ["1x3xf32"], results: ["2x3xf32"], ...dims(1, 1) },
  C5: { operands: ["3xf32"], results: ["3x2xf32"], ...dims(1) },
});
