import fc from "fast-check";
import { type DType, Region, type Value } from "../../compiler/ir.js";
import { backward } from "../../compiler/passes/grad.js";
import { HloBuilder } from "../../ops/hlo/index.js";
import { applying, type Body } from "../../ops/hlo/regions.js";
import { type ScatterAttrs, scatter } from "../../ops/hlo/scatter.js";
import { someOf, tuple } from "./draw.js";
import { agrees, type MisuseOf, refuses, type Use } from "./harness.js";
import { indexValues, jaxIndices, type Windows, windows } from "./windows.js";

const subtract: Body = (b, x, y) => b.subtract(x!, y!);
/** Bodies, and whether windows outside of the input can be compared: JAX differentiates extremes as if there were none. */
const bodies: readonly { body?: Body; jax: string; within?: true }[] = [
  { body: applying("add"), jax: "lax.scatter_add" },
  { body: applying("add"), jax: "lax.scatter_add", within: true },
  { body: subtract, jax: "lax.scatter_sub" },
  { jax: "lax.scatter" },
  { jax: "lax.scatter", within: true },
  { body: applying("maximum"), jax: "lax.scatter_max", within: true },
  { body: applying("minimum"), jax: "lax.scatter_min", within: true },
];
const use = ({ body, jax, within }: (typeof bodies)[number]) =>
  windows.map((w: Windows): Use => {
    const attrs: ScatterAttrs = {
      updateWindowDims: w.offsetDims,
      insertedWindowDims: w.collapsed,
      inputBatchingDims: w.batching,
      scatterIndicesBatchingDims: w.indicesBatching,
      scatterDimsToOperandDims: w.map,
      indexVectorDim: w.indexVectorDim,
      indicesAreSorted: false,
      uniqueIndices: false,
      ...(within && { inBounds: true }),
    };
    const i = jaxIndices(w);
    const numbers = `lax.ScatterDimensionNumbers(${tuple(w.offsetDims)}, ${tuple(w.collapsed)}, ${tuple(w.map)}, ${tuple(w.batching)}, ${i.batching})`;
    return {
      inputs: [{ shape: w.shape, dtype: "f32" }, w.indices, { shape: w.batch, dtype: "f32" }],
      build: (b, x, indices, updates) => b.scatter([x!], indices!, [updates!], attrs, body),
      jax: `lambda x, i, u: ${jax}(x, ${i.of}, u, ${numbers}, mode="${within ? "promise_in_bounds" : "drop"}")`,
      values: [{ min: -2, max: 2 }, indexValues(w, within ?? false), { min: -2, max: 2 }],
      tolerance: { rtol: 1e-5, atol: 1e-5 },
      gradientTolerance: { rtol: 1e-5, atol: 1e-5 },
    };
  });
agrees("scatter", fc.tuple(...bodies.map(use)), { runs: 2 });

// Unique indices: rows of a constant.
const rows: ScatterAttrs = {
  updateWindowDims: [1],
  insertedWindowDims: [0],
  inputBatchingDims: [],
  scatterIndicesBatchingDims: [],
  scatterDimsToOperandDims: [0],
  indexVectorDim: 1,
  indicesAreSorted: false,
  uniqueIndices: true,
};
const unique = ({ body, jax }: { body?: Body; jax: string }) =>
  someOf(8, { min: 1, max: 6 }).map((indices): Use => {
    const dtype = "f32";
    return {
      // Two of the rows that there may be an index of lie outside.
      inputs: [
        { shape: [6, 3], dtype },
        { shape: [indices.length, 3], dtype },
      ],
      build: (b, x, u) =>
        b.scatter([x!], b.constantData({ shape: [indices.length], dtype: "i32" }, indices), [u!], rows, body),
      jax: `lambda x, u: ${jax}(x, jnp.array(${tuple(indices)}, jnp.int32)[:, None], u, lax.ScatterDimensionNumbers((1,), (0,), (0,)), unique_indices=True, mode="drop")`,
      values: { min: -2, max: 2 },
      gradientTolerance: { rtol: 1e-5, atol: 1e-5 },
    };
  });
agrees(
  "scatter to unique places",
  fc.tuple(
    ...[
      { body: applying("multiply"), jax: "lax.scatter_mul" },
      { jax: "lax.scatter" },
      { body: applying("add"), jax: "lax.scatter_add" },
    ].map(unique),
  ),
  { runs: 2 },
);

// Components that do not mix are differentiated one by one.
const several = fc.constant<Use>({
  inputs: [
    { shape: [5, 3], dtype: "f32" },
    { shape: [5, 3], dtype: "f32" },
    { shape: [4], dtype: "i32" },
    { shape: [4, 3], dtype: "f32" },
    { shape: [4, 3], dtype: "f32" },
  ],
  build: (b, x, y, i, u, v) =>
    b.scatter([x!, y!], i!, [u!, v!], { ...rows, uniqueIndices: false }, (inner, p, q, r, s) => [
      inner.add(p!, r!),
      inner.maximum(s!, q!),
    ]),
  jax: `lambda x, y, i, u, v: [f(a, i[:, None], w, lax.ScatterDimensionNumbers((1,), (0,), (0,))) for f, a, w in [(lax.scatter_add, x, u), (lax.scatter_max, y, v)]]`,
  values: [
    { min: -2, max: 2 },
    { min: -2, max: 2 },
    { min: 0, max: 4 },
    { min: -2, max: 2 },
    { min: -2, max: 2 },
  ],
  tolerance: { rtol: 1e-5, atol: 1e-5 },
  gradientTolerance: { rtol: 1e-5, atol: 1e-5 },
});
agrees("scatter by component", several, { runs: 2 });

const f32 = (...shape: number[]) => ({ shape, dtype: "f32" }) as const;
test.each<[string, RegExp, Body]>([
  ["a body that is not one known op", /its body is not one/, (b, x, y) => b.add(x!, b.multiply(y!, y!))],
  ["a product at places that may be the same", /not said to be unique/, applying("multiply")],
])("scatter says that %s has no derivative", (_, message, body) => {
  const region = new Region();
  const b = HloBuilder.into(region);
  const x = region.arg(f32(6, 3));
  const i = b.constant({ shape: [2], dtype: "i32" }, 0);
  const y = b.scatter([x], i, [b.constant(f32(2, 3), 1)], { ...rows, uniqueIndices: false }, body)[0]!;
  expect(() => backward(b, 0, [y], [b.constant(f32(6, 3), 1)], [x])).toThrow(message);
});

const good: ScatterAttrs = {
  updateWindowDims: [2],
  insertedWindowDims: [1],
  inputBatchingDims: [0],
  scatterIndicesBatchingDims: [0],
  scatterDimsToOperandDims: [1],
  indexVectorDim: 2,
  indicesAreSorted: false,
  uniqueIndices: false,
};
const parse = (text: string) => ({
  shape: text.split("x").slice(0, -1).map(Number),
  dtype: text.split("x").at(-1) as DType,
});
/** A misuse whose body adds scalars, the i-th accumulator and the i-th update. */
function misuse(
  change: Partial<ScatterAttrs>,
  {
    operands = ["2x3x4xf32", "2x5x1xi32", "2x5x4xf32"],
    results = ["2x3x4xf32"],
    dtype = "f32",
    arguments: given,
  }: { operands?: readonly string[]; results?: readonly string[]; dtype?: DType; arguments?: number } = {},
): MisuseOf {
  const a = { ...good, ...change };
  const tensors = (types: readonly string[]) => types.map((t) => `tensor<${t}>`).join(", ");
  const n = results.length;
  const taken = given ?? 2 * n;
  const args = Array.from({ length: taken }, (_, i) => `%a${i}: tensor<${dtype}>`);
  const sums = results.map((_, i) => `%s${i} = stablehlo.add %a${i}, %a${taken > n ? n + i : i} : tensor<${dtype}>\n`);
  return {
    inputs: operands,
    emit: (b: HloBuilder, ...xs: Value[]) => {
      const region = b.nested(
        args.map(() => ({ shape: [], dtype })),
        (inner, ...given) => results.map((_, i) => inner.add(given[i]!, given[taken > n ? n + i : i]!)),
      );
      b.emit(scatter, xs, a, results.map(parse), [region]);
    },
    generic: `"stablehlo.scatter"(${operands.map((_, i) => `%arg${i}`).join(", ")}) ({
      ^bb0(${args.join(", ")}):
      ${sums.join("")}stablehlo.return ${results.map((_, i) => `%s${i}`).join(", ")} : ${results.map(() => `tensor<${dtype}>`).join(", ")}
    }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [${a.updateWindowDims}], inserted_window_dims = [${a.insertedWindowDims}], input_batching_dims = [${a.inputBatchingDims}], scatter_indices_batching_dims = [${a.scatterIndicesBatchingDims}], scatter_dims_to_operand_dims = [${a.scatterDimsToOperandDims}], index_vector_dim = ${a.indexVectorDim}>} : (${tensors(operands)}) -> (${tensors(results)})`,
  };
}
const [x, i, u] = ["2x3x4xf32", "2x5x1xi32", "2x5x4xf32"] as const;
refuses(scatter, {
  I2: misuse({}, { operands: [x, "2x5x1xf32", u] }),
  C1: misuse({}, { operands: [x, "2x6x4xf32", i, u, u], results: [x, "2x6x4xf32"] }),
  C2: misuse({ insertedWindowDims: [] }),
  C3: misuse({}, { operands: [x, x, i, u, "2x5x3xf32"], results: [x, x] }),
  C4: [misuse({}, { operands: [x, i, "2x6x4xf32"] }), misuse({}, { operands: [x, i, "2x5x5xf32"] })],
  // MLIR takes every second operand for an update, whatever their number.
  C5: { ...misuse({}, { operands: [x, x, i, u], results: [x] }), generic: false },
  C6: misuse({}, { operands: [x, i, "2x5x4xi32"] }),
  C7: [
    misuse({ updateWindowDims: [2, 2], insertedWindowDims: [] }),
    misuse({ updateWindowDims: [3, 2], insertedWindowDims: [] }, { operands: [x, i, "2x5x3x4xf32"] }),
  ],
  C8: [misuse({ updateWindowDims: [3] }), misuse({ updateWindowDims: [-1] })],
  C9: misuse({ insertedWindowDims: [0] }),
  C10: misuse({ insertedWindowDims: [2, 1], updateWindowDims: [] }, { operands: [x, i, "2x5xf32"] }),
  C11: [misuse({ insertedWindowDims: [3] }), misuse({ insertedWindowDims: [-1] })],
  C12: misuse(
    { inputBatchingDims: [2, 0], scatterIndicesBatchingDims: [1, 0], updateWindowDims: [] },
    { operands: ["2x3x5xf32", i, "2x5xf32"], results: ["2x3x5xf32"] },
  ),
  C13: [misuse({ inputBatchingDims: [3] }), misuse({ inputBatchingDims: [-1] })],
  C14: misuse(
    { inputBatchingDims: [0, 2], scatterIndicesBatchingDims: [0, 0], updateWindowDims: [] },
    { operands: ["2x3x2xf32", i, "2x5xf32"], results: ["2x3x2xf32"] },
  ),
  C15: [misuse({ scatterIndicesBatchingDims: [3] }), misuse({ scatterIndicesBatchingDims: [-1] })],
  C16: misuse({ scatterIndicesBatchingDims: [2] }, { operands: ["1x3x4xf32", i, u], results: ["1x3x4xf32"] }),
  C17: misuse({ scatterIndicesBatchingDims: [] }),
  C18: misuse({ scatterIndicesBatchingDims: [1] }),
  C19: misuse({ scatterDimsToOperandDims: [1, 2] }),
  C20: [
    misuse({ scatterDimsToOperandDims: [0] }),
    misuse({ scatterDimsToOperandDims: [1, 1] }, { operands: [x, "2x5x2xi32", u] }),
  ],
  C21: [misuse({ scatterDimsToOperandDims: [3] }), misuse({ scatterDimsToOperandDims: [-1] })],
  C22: [misuse({ indexVectorDim: 4 }), misuse({ indexVectorDim: -1 })],
  C23: [misuse({}, { arguments: 1 }), misuse({}, { dtype: "i32", results: ["2x3x4xi32"] })],
  C24: misuse({}, { results: ["2x3x5xf32"] }),
  C25: misuse({}, { results: ["2x3x4xf64"] }),
});
