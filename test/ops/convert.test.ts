import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, DTYPES, jaxName, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.boolean, ...DTYPES.integer, ...DTYPES.float, ...DTYPES.complex];
const isInteger = (d: DType) => DTYPES.integer.includes(d);
const use = fc.record({ shape: anyShape(), from: fc.constantFrom(...dtypes), to: fc.constantFrom(...dtypes) }).map(
  ({ shape, from, to }): Use => ({
    inputs: [{ shape, dtype: from }],
    build: (b, x) => b.convert(x, to),
    jax: `lambda x: lax.convert_element_type(x, ${jaxName(to)})`,
    // What an integer becomes that is out of range is nobody's promise.
    ...(isInteger(to) && !isInteger(from) && { values: { min: 0, max: 100 } }),
  }),
);
agrees("convert", use, { uses: 24, runs: 2 });

refuses(ops.convert, { C1: { operands: ["2xf32"], results: ["3xi32"] } });
