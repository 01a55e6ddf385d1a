import fc from "fast-check";
import type { GatherAttrs } from "../../ops/hlo/gather.js";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, tuple } from "./draw.js";
import { agrees, refuses, type Use } from "./harness.js";
import { indexValues, jaxIndices, type Windows, windows } from "./windows.js";

const use =
  (within: boolean) =>
  (w: Windows): Use => {
    const attrs: GatherAttrs = {
      offsetDims: w.offsetDims,
      collapsedSliceDims: w.collapsed,
      operandBatchingDims: w.batching,
      startIndicesBatchingDims: w.indicesBatching,
      startIndexMap: w.map,
      indexVectorDim: w.indexVectorDim,
      sliceSizes: w.sizes,
      indicesAreSorted: false,
      ...(within && { inBounds: true }),
    };
    const i = jaxIndices(w);
    const numbers = `lax.GatherDimensionNumbers(${tuple(w.offsetDims)}, ${tuple(w.collapsed)}, ${tuple(w.map)}, ${tuple(w.batching)}, ${i.batching})`;
    return {
      inputs: [{ shape: w.shape, dtype: "f32" }, w.indices],
      build: (b, x, indices) => b.gather(x!, indices!, attrs),
      jax: `lambda x, i: lax.gather(x, ${i.of}, ${numbers}, ${tuple(w.sizes)}, mode="${within ? "promise_in_bounds" : "clip"}")`,
      values: [undefined, indexValues(w, within)],
    };
  };
agrees("gather of clamped positions", windows.map(use(false)), { uses: 3, runs: 2 });
agrees("gather of positions that lie within", windows.map(use(true)), { uses: 3, runs: 2 });

const whole = fc.constantFrom(...dtypes.any).map((dtype): Use => {
  const attrs = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, sliceSizes: [1, 3] };
  return {
    inputs: [
      { shape: [5, 3], dtype },
      { shape: [4], dtype: "i32" },
    ],
    build: (b, x, i) => b.gather(x!, i!, { ...attrs, indicesAreSorted: false }),
    jax: `lambda x, i: jnp.take(x, i, axis=0, mode="clip")`,
    values: [undefined, { min: -2, max: 6 }],
  };
});
agrees("gather of rows", whole, { uses: 2 });

const good: GatherAttrs = {
  offsetDims: [2],
  collapsedSliceDims: [1],
  operandBatchingDims: [0],
  startIndicesBatchingDims: [0],
  startIndexMap: [1],
  indexVectorDim: 2,
  sliceSizes: [1, 1, 4],
  indicesAreSorted: false,
};
const misuse = (
  change: Partial<GatherAttrs>,
  { operands = ["2x3x4xf32", "2x5x1xi32"], results = ["2x5x4xf32"] } = {},
) => {
  const a = { ...good, ...change };
  return {
    operands,
    results,
    attrs: a,
    mlir: `dimension_numbers = #stablehlo.gather<offset_dims = [${a.offsetDims}], collapsed_slice_dims = [${a.collapsedSliceDims}], operand_batching_dims = [${a.operandBatchingDims}], start_indices_batching_dims = [${a.startIndicesBatchingDims}], start_index_map = [${a.startIndexMap}], index_vector_dim = ${a.indexVectorDim}>, slice_sizes = array<i64: ${a.sliceSizes}>, indices_are_sorted = false`,
  };
};
refuses(ops.gather, {
  I2: misuse({}, { operands: ["2x3x4xf32", "2x5x1xf32"] }),
  C1: misuse({ collapsedSliceDims: [] }),
  C2: [misuse({ indexVectorDim: 4 }), misuse({ indexVectorDim: -1 })],
  C3: misuse({ startIndexMap: [1, 2] }),
  C4: [
    misuse({ offsetDims: [2, 2], collapsedSliceDims: [] }),
    misuse({ offsetDims: [3, 2], collapsedSliceDims: [], sliceSizes: [1, 3, 4] }, { results: ["2x5x3x4xf32"] }),
  ],
  C5: [misuse({ offsetDims: [3] }), misuse({ offsetDims: [-1] })],
  C6: misuse({ collapsedSliceDims: [0] }),
  C7: misuse({ collapsedSliceDims: [2, 1], offsetDims: [], sliceSizes: [1, 1, 1] }, { results: ["2x5xf32"] }),
  C8: [misuse({ collapsedSliceDims: [3] }), misuse({ collapsedSliceDims: [-1] })],
  C9: misuse({ sliceSizes: [1, 2, 4] }),
  C10: misuse(
    {
      operandBatchingDims: [2, 0],
      startIndicesBatchingDims: [1, 0],
      offsetDims: [],
      sliceSizes: [1, 1, 1],
    },
    { operands: ["2x3x5xf32", "2x5x1xi32"], results: ["2x5xf32"] },
  ),
  C11: [misuse({ operandBatchingDims: [3] }), misuse({ operandBatchingDims: [-1] })],
  C12: misuse({ sliceSizes: [2, 1, 4] }),
  C13: misuse(
    { operandBatchingDims: [0, 2], startIndicesBatchingDims: [0, 0], offsetDims: [], sliceSizes: [1, 1, 1] },
    { operands: ["2x3x2xf32", "2x5x1xi32"], results: ["2x5xf32"] },
  ),
  C14: [misuse({ startIndicesBatchingDims: [3] }), misuse({ startIndicesBatchingDims: [-1] })],
  C15: misuse({ startIndicesBatchingDims: [2] }, { operands: ["1x3x4xf32", "2x5x1xi32"] }),
  C16: misuse({ startIndicesBatchingDims: [] }),
  C17: misuse({ startIndicesBatchingDims: [1] }),
  C18: [misuse({ startIndexMap: [0] }), misuse({ startIndexMap: [1, 1] }, { operands: ["2x3x4xf32", "2x5x2xi32"] })],
  C19: [misuse({ startIndexMap: [3] }), misuse({ startIndexMap: [-1] })],
  C20: misuse({ sliceSizes: [1, 1] }),
  C21: [misuse({ sliceSizes: [1, 1, 5] }), misuse({ sliceSizes: [1, 1, -1] })],
  C22: misuse({}, { results: ["2x4x5xf32"] }),
  C23: misuse({}, { results: ["2x5x4xf16"] }),
});
