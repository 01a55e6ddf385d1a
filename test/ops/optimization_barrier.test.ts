import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape().map(
  (shape): Use => ({
    inputs: [
      { shape, dtype: "f32" },
      { shape, dtype: "i32" },
      { shape, dtype: "bf16" },
    ],
    build: (b, ...xs) => b.optimizationBarrier(xs),
    jax: "lambda *xs: lax.optimization_barrier(xs)",
  }),
);
agrees("optimization_barrier", use, { uses: 2 });

refuses(ops.optimizationBarrier, {
  C1: [
    { operands: ["2xf32"], results: ["2xf16"] },
    { operands: ["2xf32"], results: ["3xf32"] },
    { operands: ["2xf32", "2xf32"], results: ["2xf32"] },
  ],
});
