import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = fc.record({
  shape: anyShape(),
  dtype: fc.constantFrom("bf16" as const, "f16" as const, "f32" as const, "f64" as const),
  exponent: fc.integer({ min: 1, max: 8 }),
  mantissa: fc.integer({ min: 0, max: 10 }),
});
agrees(
  "reduce_precision",
  use.map(
    ({ shape, dtype, exponent, mantissa }): Use => ({
      inputs: [{ shape, dtype }],
      build: (b, x) => b.reducePrecision(x, exponent, mantissa),
      jax: `lambda x: lax.reduce_precision(x, ${exponent}, ${mantissa})`,
    }),
  ),
  { uses: 12 },
);
const [operands, results] = [["2xf32"], ["2xf32"]];
const attributes = (e: number, m: number) => ({
  attrs: { exponentBits: e, mantissaBits: m },
  mlir: `exponent_bits = ${e} : i32, mantissa_bits = ${m} : i32`,
});
refuses(ops.reducePrecision, {
  I1: { operands: ["2xi32"], results: ["2xi32"], ...attributes(5, 4) },
  I2: { operands, results, ...attributes(2 ** 32, 4) },
  I3: { operands, results, ...attributes(5, 0.5), mlir: "exponent_bits = 5 : i32, mantissa_bits = 0.5 : f32" },
  C1: { operands, results: ["3xf32"], ...attributes(5, 4) },
  C2: { operands, results, ...attributes(0, 4) },
  C3: { operands, results, ...attributes(5, -1) },
});
