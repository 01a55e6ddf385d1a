import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import type { RaggedDotAttrs } from "../../ops/hlo/chlo_ragged_dot.js";
import type { Precision } from "../../ops/hlo/dot_dimensions.js";
import { ops } from "../../ops/hlo/index.js";
import { someOf, tuple } from "./draw.js";
import { agrees, refuses, type Use } from "./harness.js";

/** Of which kind the ragged dimension is, how many of each kind there are, how large the ragged one is. */
const modes = ["free", "contracting", "batch"] as const;
const few = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 });
const some = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 });

interface Drawn {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly groups: readonly number[];
  readonly attrs: RaggedDotAttrs;
  readonly largest: number;
}

const drawn = (mode: (typeof modes)[number], rows: fc.Arbitrary<number>): fc.Arbitrary<Drawn> =>
  fc
    .record({
      batch: mode === "batch" ? some : few,
      contracting: mode === "contracting" ? some : few,
      left: mode === "free" ? some : few,
      right: few,
      groups: fc.integer({ min: 1, max: 5 }),
      rows,
      at: fc.nat(),
      perPlace: fc.boolean(),
    })
    .chain(({ batch, contracting, left, right, groups, rows, at, perPlace }) => {
      const own = { free: left, contracting, batch }[mode];
      const ragged = at % own.length;
      own[ragged] = rows;
      const [nb, nc, nl] = [batch.length, contracting.length, left.length];
      const inLeft = [...batch, ...contracting, ...left];
      const inRight = [...batch, ...contracting, ...right, ...(mode === "free" ? [groups] : [])];
      const range = (from: number, n: number) => Array.from({ length: n }, (_, i) => from + i);
      const all = (ns: readonly number[]) => someOf(ns.length, { min: ns.length });
      return fc.tuple(all(inLeft), all(inRight)).map(([p, q]): Drawn => {
        // Free dimensions count in the order in which they stand.
        const frees = range(nb + nc, nl).sort((i, j) => p.indexOf(i) - p.indexOf(j));
        const raggedKind = { free: nb + nc, contracting: nb, batch: 0 }[mode] + ragged;
        const before = mode === "free" ? frees.slice(0, frees.indexOf(raggedKind)) : range(raggedKind - ragged, ragged);
        const places = mode === "batch" ? before : [...range(0, nb), ...before];
        return {
          x: p.map((i) => inLeft[i]!),
          y: q.map((i) => inRight[i]!),
          groups: [...(perPlace ? places.map((i) => inLeft[i]!) : []), groups],
          attrs: {
            lhsBatch: range(0, nb).map((i) => p.indexOf(i)),
            rhsBatch: range(0, nb).map((i) => q.indexOf(i)),
            lhsContracting: range(nb, nc).map((i) => p.indexOf(i)),
            rhsContracting: range(nb, nc).map((i) => q.indexOf(i)),
            lhsRagged: [p.indexOf(raggedKind)],
            rhsGroup: mode === "free" ? [q.indexOf(inRight.length - 1)] : [],
          },
          largest: Math.ceil(rows / 2),
        };
      });
    });

const KINDS: readonly { dtype: DType; as?: DType; precision?: readonly [Precision, Precision]; many?: true }[] = [
  { dtype: "f32" },
  { dtype: "f32", many: true },
  { dtype: "f64", precision: ["HIGHEST", "DEFAULT"] },
  { dtype: "bf16", as: "f32" },
  { dtype: "i32" },
];

const rows = { few: fc.integer({ min: 1, max: 6 }), many: fc.integer({ min: 100, max: 400 }) };
const uses = fc.tuple(
  ...modes.flatMap((mode) =>
    KINDS.map((kind) =>
      drawn(mode, kind.many ? rows.many : rows.few).map((d): Use => {
        const { dtype, as, precision } = kind;
        const attrs = { ...d.attrs, ...(precision && { precision }) };
        const numbers = `lax.RaggedDotDimensionNumbers(((${tuple(attrs.lhsContracting)}, ${tuple(attrs.rhsContracting)}), (${tuple(attrs.lhsBatch)}, ${tuple(attrs.rhsBatch)})), ${tuple(attrs.lhsRagged)}, ${tuple(attrs.rhsGroup)})`;
        const how = precision ? `(${precision.map((p) => `lax.Precision.${p}`)})` : "None";
        return {
          inputs: [
            { shape: d.x, dtype },
            { shape: d.y, dtype },
            { shape: d.groups, dtype: "i32" },
          ],
          build: (b, x, y, groups) => b.raggedDot(x!, y!, groups!, attrs, as),
          // JAX's dense formula: lax.ragged_dot_general has no derivative for two of the three modes.
          jax: `lambda x, y, g: jax._src.lax.lax._ragged_dot_general_impl(x, y, g, ${numbers}, precision=${how}, preferred_element_type=${as ? "jnp.float32" : "None"})`,
          values: [
            { min: -3, max: 3 },
            { min: -3, max: 3 },
            { min: 0, max: d.largest },
          ],
          // Summed in one order or another; a cotangent in f32 is rounded to the operands' type first.
          tolerance: dtype === "f32" || dtype === "bf16" ? { rtol: 1e-5, atol: 1e-3 } : {},
          gradientTolerance: dtype === "bf16" ? { rtol: 3e-2, atol: 0.3 } : { rtol: 1e-5, atol: 1e-3 },
        };
      }),
    ),
  ),
);
agrees("ragged_dot", uses);

agrees(
  "ragged_dot as lax.ragged_dot",
  fc.record({ rows: rows.many, largest: fc.integer({ min: 1, max: 100 }) }).map(
    ({ rows, largest }): Use => ({
      inputs: [
        { shape: [rows, 4], dtype: "f32" },
        { shape: [6, 4, 5], dtype: "f32" },
        { shape: [6], dtype: "i32" },
      ],
      build: (b, x, y, groups) => b.raggedDot(x!, y!, groups!, good),
      jax: "lambda x, y, g: lax.ragged_dot(x, y, g)",
      values: [
        { min: -3, max: 3 },
        { min: -3, max: 3 },
        { min: 0, max: largest },
      ],
      tolerance: { rtol: 1e-5, atol: 1e-4 },
      gradientTolerance: { rtol: 1e-5, atol: 1e-3 },
    }),
  ),
);

const good: RaggedDotAttrs = {
  lhsBatch: [],
  rhsBatch: [],
  lhsContracting: [1],
  rhsContracting: [1],
  lhsRagged: [0],
  rhsGroup: [0],
};
const misuse = (
  change: Partial<RaggedDotAttrs>,
  { operands = ["8x4xf32", "3x4x5xf32", "3xi32"], results = ["8x5xf32"], accepted = false } = {},
) => {
  const attrs = { ...good, ...change };
  const numbers = {
    lhs_batching_dimensions: attrs.lhsBatch,
    rhs_batching_dimensions: attrs.rhsBatch,
    lhs_contracting_dimensions: attrs.lhsContracting,
    rhs_contracting_dimensions: attrs.rhsContracting,
    lhs_ragged_dimensions: attrs.lhsRagged,
    rhs_group_dimensions: attrs.rhsGroup,
  };
  const text = Object.entries(numbers).map(([name, ds]) => `${name} = [${ds}]`);
  const precision = attrs.precision
    ? `, precision_config = [${attrs.precision.map((p) => `#chlo<precision ${p}>`)}]`
    : "";
  const mlir = `ragged_dot_dimension_numbers = #chlo.ragged_dot<${text.join(", ")}>${precision}`;
  return { operands, results, attrs, mlir, ...(accepted && { accepted: true as const }) };
};
const batched = { operands: ["2x8x4xf32", "3x2x4x5xf32", "2x3xi32"], results: ["2x8x5xf32"] };
const inBatch = { lhsBatch: [0], rhsBatch: [1], lhsContracting: [2], rhsContracting: [2], lhsRagged: [1] };
refuses(ops.raggedDot, {
  C1: misuse({ ...inBatch, rhsBatch: [] }, batched),
  C2: misuse({ lhsContracting: [] }),
  C3: misuse({ ...inBatch, lhsContracting: [0] }, batched),
  C4: misuse({ ...inBatch, rhsContracting: [1] }, batched),
  C5: misuse({ ...inBatch, lhsBatch: [3] }, batched),
  C6: misuse({ lhsContracting: [2] }),
  C7: misuse({ ...inBatch, rhsBatch: [4] }, batched),
  C8: misuse({ rhsContracting: [3] }),
  C9: misuse({ ...inBatch, rhsBatch: [0] }, { ...batched, operands: ["2x8x4xf32", "3x2x4x5xf32", "2x2xi32"] }),
  C10: misuse({}, { operands: ["8x4xf32", "3x2x5xf32", "3xi32"] }),
  C11: misuse({ precision: ["HIGH", "HIGH", "HIGH"] as unknown as [Precision, Precision] }),
  C12: [misuse({ lhsRagged: [] }), misuse({ lhsRagged: [0, 1] }), misuse({ lhsRagged: [2] })],
  C13: [
    misuse({}, { operands: ["8x4xf32", "3x4x5xf32", "1x3xi32"] }),
    misuse(inBatch, { ...batched, operands: ["2x8x4xf32", "3x2x4x5xf32", "3x3xi32"] }),
  ],
  C14: misuse({ rhsGroup: [3] }),
  C15: misuse({ rhsGroup: [1] }, { operands: ["8x3xf32", "3x3x5xf32", "3xi32"] }),
  C16: [misuse({ rhsGroup: [] }, { results: ["8x3x5xf32"] }), misuse({ lhsRagged: [1] }, { results: ["3x8x5xf32"] })],
  C17: misuse({}, { operands: ["8x4xf32", "3x4x5xf32", "2xi32"] }),
  C18: misuse({}, { results: ["5x8xf32"] }),
  C19: misuse({}, { operands: ["8x4xf32", "3x4x5xbf16", "3xi32"], accepted: true }),
  I3: misuse({}, { operands: ["8x4xf32", "3x4x5xf32", "3xf32"] }),
});
