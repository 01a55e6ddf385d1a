import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, DTYPES, jaxName, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.integer, ...DTYPES.float];
const bits = (d: DType) => Number(/\d+/.exec(d)![0]);
const use = fc
  .record({ shape: anyShape(), from: fc.constantFrom(...dtypes), to: fc.constantFrom(...dtypes) })
  .map(({ shape, from, to }): Use => {
    const wider = bits(to) / bits(from);
    return {
      inputs: [{ shape: wider > 1 ? [...shape, wider] : shape, dtype: from }],
      build: (b, x) => b.bitcastConvert(x, to),
      jax: `lambda x: lax.bitcast_convert_type(x, ${jaxName(to)})`,
    };
  });
agrees("bitcast_convert", use, { uses: 24, runs: 2 });

refuses(ops.bitcastConvert, {
  C1: [
    { operands: ["2xf32"], results: ["3xi32"] },
    { operands: ["2xf32"], results: ["2x4xi16"] },
    { operands: ["2x4xi16"], results: ["2xi32"] },
    { operands: ["i16"], results: ["i32"] },
  ],
  C2: { operands: ["2xcomplex<f32>"], results: ["2xf64"] },
});
