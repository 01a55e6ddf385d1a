import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, DTYPES, jaxName, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.integer, ...DTYPES.float, ...DTYPES.complex];
const use = (dtype: DType) =>
  fc.record({ shape: anyShape({ min: 1 }), dimension: fc.nat() }).map(({ shape, dimension }): Use => {
    const d = dimension % shape.length;
    return {
      inputs: [],
      build: (b) => b.iota({ shape, dtype }, d),
      jax: `lambda: lax.broadcasted_iota(${jaxName(dtype)}, ${JSON.stringify(shape)}, ${d})`,
    };
  });
agrees("iota", fc.tuple(...dtypes.map(use)), { runs: 2 });

const dimension = (n: number) => ({ attrs: { dimension: n }, mlir: `iota_dimension = ${n} : i64` });
refuses(ops.iota, {
  I1: { operands: [], results: ["2x3xf32"], ...dimension(0.5) },
  O1: { operands: [], results: ["2x3xi1"], ...dimension(0) },
  C1: [
    { operands: [], results: ["2x3xf32"], ...dimension(2) },
    { operands: [], results: ["2x3xf32"], ...dimension(-1) },
    { operands: [], results: ["f32"], ...dimension(0) },
  ],
});
