import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, DTYPES, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.boolean, ...DTYPES.integer, ...DTYPES.float];
const direction = fc.constantFrom(
  "EQ" as const,
  "NE" as const,
  "GE" as const,
  "GT" as const,
  "LE" as const,
  "LT" as const,
);
const use = (dtype: DType) =>
  fc.record({ shape: anyShape(), directions: fc.array(direction, { minLength: 3, maxLength: 3 }) }).map(
    ({ shape, directions }): Use => ({
      inputs: [
        { shape, dtype },
        { shape, dtype },
      ],
      build: (b, x, y) => directions.map((d) => b.compare(x, y, d)),
      jax: `lambda x, y: [${directions.map((d) => `lax.${d.toLowerCase()}(x, y)`)}]`,
    }),
  );
agrees("compare", fc.tuple(...dtypes.map(use)));

const equal = (dtype: DType) =>
  fc.record({ shape: anyShape(), direction: fc.constantFrom("EQ" as const, "NE" as const) }).map(
    ({ shape, direction }): Use => ({
      inputs: [{ shape, dtype }],
      build: (b, x) => b.compare(x, b.multiply(x, x), direction),
      jax: `lambda x: lax.${direction.toLowerCase()}(x, x * x)`,
      gradient: false,
    }),
  );
agrees("compare of complex numbers", fc.tuple(...DTYPES.complex.map(equal)), { runs: 1 });

/** The order that TOTALORDER has: of the bits as integers, the negative ones turned around. */
const TOTAL =
  "lambda x, y: (lambda k: k(x) < k(y))(lambda f: (lambda i: jnp.where(i < 0, i ^ 0x7fffffff, i))(lax.bitcast_convert_type(f, jnp.int32)))";
agrees(
  "compare in total order",
  anyShape().map(
    (shape): Use => ({
      inputs: [
        { shape, dtype: "f32" },
        { shape, dtype: "f32" },
      ],
      build: (b, x, y) => b.compare(x, y, "LT", "TOTALORDER"),
      jax: TOTAL,
      gradient: false,
    }),
  ),
  { uses: 4, runs: 1 },
);

const attributes = (direction: string, compareType: string) => ({
  attrs: { direction, compareType },
  mlir: `comparison_direction = #stablehlo<comparison_direction ${direction}>, compare_type = #stablehlo<comparison_type ${compareType}>`,
});
refuses(ops.compare, {
  I3: { operands: ["2xf32", "2xf32"], results: ["2xi1"], ...attributes("XX", "FLOAT") },
  I4: { operands: ["2xf32", "2xf32"], results: ["2xi1"], ...attributes("LT", "XX") },
  O1: { operands: ["2xf32", "2xf32"], results: ["2xi8"], ...attributes("LT", "FLOAT") },
  C1: { operands: ["2xf32", "2xf64"], results: ["2xi1"], ...attributes("LT", "FLOAT") },
  C2: [
    { operands: ["2xf32", "3xf32"], results: ["2xi1"], ...attributes("LT", "FLOAT") },
    { operands: ["2xf32", "2xf32"], results: ["3xi1"], ...attributes("LT", "FLOAT") },
  ],
  // MLIR's verifier does not look at the compare type.
  C3: [
    { operands: ["2xf32", "2xf32"], results: ["2xi1"], ...attributes("LT", "SIGNED"), accepted: true },
    { operands: ["2xi32", "2xi32"], results: ["2xi1"], ...attributes("LT", "UNSIGNED"), accepted: true },
    { operands: ["2xui32", "2xui32"], results: ["2xi1"], ...attributes("LT", "SIGNED"), accepted: true },
    { operands: ["2xi1", "2xi1"], results: ["2xi1"], ...attributes("LT", "SIGNED"), accepted: true },
    {
      operands: ["2xcomplex<f32>", "2xcomplex<f32>"],
      results: ["2xi1"],
      ...attributes("EQ", "TOTALORDER"),
      accepted: true,
    },
  ],
});
