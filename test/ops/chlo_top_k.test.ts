import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, DTYPES, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.integer, ...DTYPES.float];
const use = (dtype: DType) =>
  fc.record({ shape: anyShape({ min: 1 }, { min: 1, max: 6 }), k: fc.nat() }).map(({ shape, k }): Use => {
    const n = k % (shape.at(-1)! + 1);
    return {
      inputs: [{ shape, dtype }],
      build: (b, x) => b.topK(x, n),
      jax: `lambda x: lax.top_k(x, ${n})`,
    };
  });
agrees("top_k", fc.tuple(...dtypes.map(use)));

const k = (n: number) => ({ attrs: { k: n }, mlir: `k = ${n} : i64` });
refuses(ops.topK, {
  C1: { operands: ["f32"], results: ["f32", "i32"], ...k(1) },
  C2: [
    { operands: ["2x3xf32"], results: ["2x4xf32", "2x4xi32"], ...k(4) },
    { operands: ["2x3xf32"], results: ["2x1xf32", "2x1xi32"], ...k(-1) },
  ],
  C3: { operands: ["2x3xf32"], results: ["2x3xf32", "2x2xi32"], ...k(2) },
  C4: { operands: ["2x3xf32"], results: ["2x2xf32", "2x1xi32"], ...k(2) },
  C5: [
    { operands: ["2x3xf32"], results: ["2x2xf64", "2x2xi32"], ...k(2) },
    { operands: ["2x3xf32"], results: ["2x2xf32", "2x2xi64"], ...k(2) },
  ],
});
