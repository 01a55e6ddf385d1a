import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, DTYPES, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.boolean, ...DTYPES.integer, ...DTYPES.float, ...DTYPES.complex];
const use = (dtype: DType) =>
  fc.record({ shape: anyShape(), scalar: fc.boolean() }).map(
    ({ shape, scalar }): Use => ({
      inputs: [
        { shape: scalar ? [] : shape, dtype: "i1" },
        { shape, dtype },
        { shape, dtype },
      ],
      build: (b, pred, x, y) => b.select(pred, x, y),
      jax: "lax.select",
    }),
  );
agrees("select", fc.tuple(...dtypes.map(use)));

refuses(ops.select, {
  I1: { operands: ["2xi32", "2xf32", "2xf32"], results: ["2xf32"] },
  C1: { operands: ["1xi1", "2xf32", "2xf32"], results: ["2xf32"] },
  C2: [
    { operands: ["i1", "2xf32", "2xf64"], results: ["2xf32"] },
    { operands: ["i1", "2xf32", "2xf32"], results: ["3xf32"] },
  ],
});
