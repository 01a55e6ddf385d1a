import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import type { Precision } from "../../ops/hlo/dot_dimensions.js";
import type { DotAlgorithm, DotGeneralAttrs } from "../../ops/hlo/dot_general.js";
import { ops } from "../../ops/hlo/index.js";
import { someOf, tuple } from "./draw.js";
import { agrees, refuses, type Use } from "./harness.js";

/** Sizes of batch, contracting and free dimensions, and where they stand in either operand. */
const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 });
const dimensions = fc.tuple(sizes, sizes, sizes, sizes).chain(([batch, contracting, ...free]) => {
  const side = (own: number[]) => {
    const all = [...batch, ...contracting, ...own];
    return someOf(all.length, { min: all.length }).map((order) => ({
      shape: order.map((i) => all[i]!),
      batch: batch.map((_, i) => order.indexOf(i)),
      contracting: contracting.map((_, i) => order.indexOf(batch.length + i)),
    }));
  };
  return fc.tuple(side(free[0]), side(free[1]));
});

const kinds: readonly { dtype: DType; as?: DType; precision?: DotGeneralAttrs["precision"]; f32?: true }[] = [
  { dtype: "f32" },
  { dtype: "f64", precision: ["HIGHEST", "DEFAULT"] },
  { dtype: "bf16", as: "f32" },
  { dtype: "f16", precision: ["DEFAULT", "HIGH"] },
  { dtype: "i32" },
  { dtype: "i8", as: "i32" },
  { dtype: "f32", f32: true },
];
const JAX: Partial<Record<DType, string>> = { f32: "jnp.float32", i32: "jnp.int32" };
const F32: DotAlgorithm = {
  lhsPrecisionType: "f32",
  rhsPrecisionType: "f32",
  accumulationType: "f32",
  lhsComponentCount: 1,
  rhsComponentCount: 1,
  numPrimitiveOperations: 1,
  allowImpreciseAccumulation: false,
};

const uses = fc.tuple(...kinds.map(() => dimensions)).map((drawn) =>
  drawn.map(([x, y], i): Use => {
    const { dtype, as, precision, f32 } = kinds[i]!;
    const attrs: DotGeneralAttrs = {
      lhsBatch: x.batch,
      rhsBatch: y.batch,
      lhsContracting: x.contracting,
      rhsContracting: y.contracting,
      ...(precision && { precision }),
      ...(f32 && { algorithm: F32 }),
    };
    const numbers = `((${tuple(x.contracting)}, ${tuple(y.contracting)}), (${tuple(x.batch)}, ${tuple(y.batch)}))`;
    const how = f32
      ? "lax.DotAlgorithmPreset.F32_F32_F32"
      : precision && `(${precision.map((p) => `lax.Precision.${p}`)})`;
    return {
      inputs: [
        { shape: x.shape, dtype },
        { shape: y.shape, dtype },
      ],
      build: (b, p, q) => b.dotGeneral(p!, q!, attrs, as),
      jax: `lambda x, y: lax.dot_general(x, y, ${numbers}, precision=${how ?? "None"}, preferred_element_type=${as ? JAX[as] : "None"})`,
      values: { min: -3, max: 3 },
      // Summed in one order or another; and the cotangent of a product kept in f32 is rounded to the operands' type first.
      tolerance: dtype === "f32" || dtype === "bf16" ? { rtol: 1e-5, atol: 1e-4 } : { rtol: 1e-2, atol: 1e-1 },
      gradientTolerance: dtype === "f32" || dtype === "f64" ? { rtol: 1e-5, atol: 1e-4 } : { rtol: 3e-2, atol: 0.2 },
    };
  }),
);
agrees("dot_general", uses);

const good: DotGeneralAttrs = { lhsBatch: [0], rhsBatch: [0], lhsContracting: [2], rhsContracting: [1] };
const misuse = (
  change: Partial<DotGeneralAttrs>,
  { operands = ["2x3x4xf32", "2x4x5xf32"], results = ["2x3x5xf32"], accepted = false } = {},
) => {
  const a = { ...good, ...change };
  const algorithm = a.algorithm && {
    lhs_precision_type: a.algorithm.lhsPrecisionType,
    rhs_precision_type: a.algorithm.rhsPrecisionType,
    accumulation_type: a.algorithm.accumulationType,
    lhs_component_count: a.algorithm.lhsComponentCount,
    rhs_component_count: a.algorithm.rhsComponentCount,
    num_primitive_operations: a.algorithm.numPrimitiveOperations,
    allow_imprecise_accumulation: a.algorithm.allowImpreciseAccumulation,
  };
  const fields = (o: object) =>
    Object.entries(o)
      .map(([k, v]) => `${k} = ${v}`)
      .join(", ");
  const mlir = [
    `dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = [${a.lhsBatch}], rhs_batching_dimensions = [${a.rhsBatch}], lhs_contracting_dimensions = [${a.lhsContracting}], rhs_contracting_dimensions = [${a.rhsContracting}]>`,
    ...(a.precision ? [`precision_config = [${a.precision.map((p) => `#stablehlo<precision ${p}>`)}]`] : []),
    ...(algorithm ? [`algorithm = #stablehlo.dot_algorithm<${fields(algorithm)}>`] : []),
  ].join(", ");
  return { operands, results, attrs: a, mlir, ...(accepted && { accepted: true as const }) };
};
const algorithm = (change: Partial<DotAlgorithm>) => misuse({ algorithm: { ...F32, ...change } });
refuses(ops.dotGeneral, {
  C1: misuse({ rhsBatch: [] }),
  C2: misuse({ lhsContracting: [] }),
  C3: [
    misuse({ lhsBatch: [0, 0], rhsBatch: [0, 2] }),
    misuse({ lhsContracting: [0] }, { operands: ["2x3x4xf32", "2x2x5xf32"] }),
  ],
  C4: [misuse({ rhsContracting: [0] }, { operands: ["2x3x2xf32", "2x4x5xf32"] })],
  C5: [misuse({ lhsBatch: [3] }), misuse({ lhsBatch: [-1] })],
  C6: [misuse({ lhsContracting: [3] }), misuse({ lhsContracting: [-1] })],
  C7: [misuse({ rhsBatch: [3] }), misuse({ rhsBatch: [-1] })],
  C8: [misuse({ rhsContracting: [3] }), misuse({ rhsContracting: [-1] })],
  C9: misuse({}, { operands: ["2x3x4xf32", "3x4x5xf32"] }),
  C10: misuse({}, { operands: ["2x3x4xf32", "2x3x5xf32"] }),
  C11: [
    misuse({ precision: ["HIGH"] as unknown as [Precision, Precision] }, { accepted: true }),
    misuse({ precision: ["HIGH", "HIGH", "HIGH"] as unknown as [Precision, Precision] }),
  ],
  C12: misuse({}, { results: ["2x5x3xf32"] }),
  C13: misuse({}, { operands: ["2x3x4xf32", "2x4x5xf16"], accepted: true }),
  C21: misuse({ precision: ["HIGH", "DEFAULT"], algorithm: F32 }),
  C22: algorithm({ lhsComponentCount: 0 }),
  C23: algorithm({ rhsComponentCount: 0 }),
  C24: algorithm({ numPrimitiveOperations: 0 }),
  I8: [
    algorithm({ lhsComponentCount: 2 }),
    algorithm({ rhsPrecisionType: "f16" }),
    algorithm({ numPrimitiveOperations: 3 }),
    algorithm({ allowImpreciseAccumulation: true }),
    algorithm({ lhsPrecisionType: "f8E5M2", rhsPrecisionType: "f8E4M3FN", accumulationType: "bf16" }),
  ],
});
