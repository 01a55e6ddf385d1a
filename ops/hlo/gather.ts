import { bytesOf, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp, i64Array, list, operandKind } from "./define.js";
import { at, others, outside, repeats, sameElementType, sorted, wrongShape } from "./dimensions.js";
import { genericSyntax } from "./regions.js";
import { clampedStarts, dimensionNumbers } from "./windows.js";

export interface GatherAttrs {
  /** Dimensions of the result along which a slice lies. */
  readonly offsetDims: readonly number[];
  /** Dimensions of the operand that a slice has one element of and that the result has not. */
  readonly collapsedSliceDims: readonly number[];
  /** Dimensions that operand and indices go through side by side. */
  readonly operandBatchingDims: readonly number[];
  readonly startIndicesBatchingDims: readonly number[];
  /** The operand's dimension that each component of an index is about. */
  readonly startIndexMap: readonly number[];
  /** The dimension of the indices along which an index's components lie; their rank: an index is a scalar. */
  readonly indexVectorDim: number;
  readonly sliceSizes: readonly number[];
  readonly indicesAreSorted: boolean;
  /** The author's promise that every slice lies within the operand; the derivative is then spared a clamp. Not printed. */
  readonly inBounds?: boolean;
}
type Optional = "operandBatchingDims" | "startIndicesBatchingDims" | "indicesAreSorted";
export type GatherArguments = Omit<GatherAttrs, Optional> & Partial<Pick<GatherAttrs, Optional>>;

/** The indices' sizes without their vector dimension, and the slices' without those collapsed, each where the result has them. */
function combine<T>(batch: readonly T[], offset: readonly T[], { offsetDims }: GatherAttrs): T[] {
  const [b, o] = [batch.values(), offset.values()];
  return Array.from({ length: batch.length + offsetDims.length }, (_, d) =>
    offsetDims.includes(d) ? o.next().value! : b.next().value!,
  );
}
const batchOf = <T>(xs: readonly T[], a: GatherAttrs): T[] => at(xs, others(xs.length, [a.indexVectorDim]));
const offsetOf = <T>(xs: readonly T[], a: GatherAttrs): T[] =>
  at(xs, others(xs.length, a.collapsedSliceDims, a.operandBatchingDims));
const resultShape = (indices: Value, a: GatherAttrs): number[] =>
  combine(batchOf(indices.type.shape, a), offsetOf(a.sliceSizes, a), a);

/**
 * Takes slices of the operand at positions computed at run time; a position is moved until the slice lies within the operand.
 * StableHLO specification, "gather". The derivative adds into the places that were read, those moved to included.
 */
export const gather: HloOp<
  GatherAttrs,
  [operand: Value, startIndices: Value, attrs: GatherArguments, axes?: readonly string[]]
> = {
  name: "stablehlo.gather",
  constraints: {
    I2: operandKind(1, ["integer"]),
    C1: ({ operands: [x], attrs: a }) =>
      x!.type.shape.length !== a.offsetDims.length + a.collapsedSliceDims.length + a.operandBatchingDims.length
        ? `${typeText(x!.type)} is not ${a.offsetDims.length} offset, ${a.collapsedSliceDims.length} collapsed and ${a.operandBatchingDims.length} batching dimensions`
        : undefined,
    C2: ({ operands: [, indices], attrs: { indexVectorDim: d } }) =>
      outside([d], indices!.type.shape.length + 1)
        ? `index vector dimension ${d} is none of ${typeText(indices!.type)}`
        : undefined,
    C3: ({ operands: [, indices], attrs: { startIndexMap, indexVectorDim } }) => {
      const components = indices!.type.shape[indexVectorDim] ?? 1;
      return startIndexMap.length !== components
        ? `an index has ${components} components, the start index map ${list(startIndexMap)} has ${startIndexMap.length}`
        : undefined;
    },
    C4: ({ attrs: { offsetDims: ds } }) =>
      repeats(ds) || !sorted(ds) ? `offset dimensions ${list(ds)} are not ascending` : undefined,
    C5: ({ results: [y], attrs: { offsetDims } }) =>
      outside(offsetDims, y!.type.shape.length)
        ? `offset dimensions ${list(offsetDims)} leave a result of rank ${y!.type.shape.length}`
        : undefined,
    C6: ({ attrs: { collapsedSliceDims, operandBatchingDims } }) =>
      repeats(collapsedSliceDims, operandBatchingDims)
        ? `collapsed dimensions ${list(collapsedSliceDims)} and batching dimensions ${list(operandBatchingDims)} repeat`
        : undefined,
    C7: ({ attrs: { collapsedSliceDims: ds } }) =>
      sorted(ds) ? undefined : `collapsed dimensions ${list(ds)} are not ascending`,
    C8: ({ operands: [x], attrs: { collapsedSliceDims: ds } }) =>
      outside(ds, x!.type.shape.length) ? `collapsed dimensions ${list(ds)} leave ${typeText(x!.type)}` : undefined,
    C9: ({ attrs: { sliceSizes, collapsedSliceDims } }) =>
      at(sliceSizes, collapsedSliceDims).some((n) => n > 1)
        ? `slices of ${list(sliceSizes)} have more than one element along a collapsed dimension of ${list(collapsedSliceDims)}`
        : undefined,
    C10: ({ attrs: { operandBatchingDims: ds } }) =>
      sorted(ds) ? undefined : `the operand's batching dimensions ${list(ds)} are not ascending`,
    C11: ({ operands: [x], attrs: { operandBatchingDims: ds } }) =>
      outside(ds, x!.type.shape.length)
        ? `the operand's batching dimensions ${list(ds)} leave ${typeText(x!.type)}`
        : undefined,
    C12: ({ attrs: { sliceSizes, operandBatchingDims } }) =>
      at(sliceSizes, operandBatchingDims).some((n) => n > 1)
        ? `slices of ${list(sliceSizes)} have more than one element along a batching dimension of ${list(operandBatchingDims)}`
        : undefined,
    C13: ({ attrs: { startIndicesBatchingDims: ds } }) =>
      repeats(ds) ? `the indices' batching dimensions ${list(ds)} repeat` : undefined,
    C14: ({ operands: [, indices], attrs: { startIndicesBatchingDims: ds } }) =>
      outside(ds, indices!.type.shape.length)
        ? `the indices' batching dimensions ${list(ds)} leave ${typeText(indices!.type)}`
        : undefined,
    C15: ({ attrs: { startIndicesBatchingDims, indexVectorDim } }) =>
      startIndicesBatchingDims.includes(indexVectorDim)
        ? `index vector dimension ${indexVectorDim} is a batching dimension of the indices as well`
        : undefined,
    C16: ({ attrs: { operandBatchingDims, startIndicesBatchingDims } }) =>
      operandBatchingDims.length !== startIndicesBatchingDims.length
        ? `${operandBatchingDims.length} batching dimensions of the operand, ${startIndicesBatchingDims.length} of the indices`
        : undefined,
    C17: ({ operands: [x, indices], attrs: { operandBatchingDims, startIndicesBatchingDims } }) => {
      const [p, q] = [at(x!.type.shape, operandBatchingDims), at(indices!.type.shape, startIndicesBatchingDims)];
      return p.some((n, i) => n !== q[i])
        ? `batching dimensions differ in size: ${list(p)} of the operand, ${list(q)} of the indices`
        : undefined;
    },
    C18: ({ attrs: { startIndexMap, operandBatchingDims } }) =>
      repeats(startIndexMap, operandBatchingDims)
        ? `start index map ${list(startIndexMap)} and batching dimensions ${list(operandBatchingDims)} repeat`
        : undefined,
    C19: ({ operands: [x], attrs: { startIndexMap } }) =>
      outside(startIndexMap, x!.type.shape.length)
        ? `start index map ${list(startIndexMap)} leaves ${typeText(x!.type)}`
        : undefined,
    C20: ({ operands: [x], attrs: { sliceSizes } }) =>
      sliceSizes.length !== x!.type.shape.length
        ? `${sliceSizes.length} slice sizes for ${typeText(x!.type)}`
        : undefined,
    C21: ({ operands: [x], attrs: { sliceSizes } }) =>
      sliceSizes.some((n, d) => n < 0 || n > x!.type.shape[d]!)
        ? `slices of ${list(sliceSizes)} do not fit ${typeText(x!.type)}`
        : undefined,
    C22: ({ operands: [, indices], results: [y], attrs }) => wrongShape(resultShape(indices!, attrs), y!),
    C23: sameElementType(),
  },
  syntax: genericSyntax(({ attrs: a }) => [
    `dimension_numbers = ${dimensionNumbers("gather", {
      offset_dims: a.offsetDims,
      collapsed_slice_dims: a.collapsedSliceDims,
      operand_batching_dims: a.operandBatchingDims,
      start_indices_batching_dims: a.startIndicesBatchingDims,
      start_index_map: a.startIndexMap,
      index_vector_dim: a.indexVectorDim,
    })}`,
    `indices_are_sorted = ${a.indicesAreSorted}`,
    `slice_sizes = ${i64Array(a.sliceSizes)}`,
  ]),
  cost: ({ operands: [, indices], results: [y] }) => ({
    flops: 0,
    transcendentals: 0,
    bytes: bytesOf(indices!.type) + 2 * bytesOf(y!.type),
  }),
  make(b, x, indices, given, axes) {
    const attrs = { operandBatchingDims: [], startIndicesBatchingDims: [], indicesAreSorted: false, ...given };
    const names =
      axes ?? (x.axes && indices.axes && combine(batchOf(indices.axes, attrs), offsetOf(x.axes, attrs), attrs));
    const type = { shape: resultShape(indices, attrs), dtype: x.type.dtype };
    return emitOne(b, gather, [x, indices], attrs, type, names);
  },
  vjp(b, { operands: [x, indices], attrs: a }, [ct]) {
    const starts = a.inBounds
      ? indices!
      : clampedStarts(b, indices!, x!, a.startIndexMap, a.sliceSizes, a.indexVectorDim);
    return [
      b.scatterAdd(b.constant(x!.type, 0, x!.axes), starts, ct!, {
        updateWindowDims: a.offsetDims,
        insertedWindowDims: a.collapsedSliceDims,
        inputBatchingDims: a.operandBatchingDims,
        scatterIndicesBatchingDims: a.startIndicesBatchingDims,
        scatterDimsToOperandDims: a.startIndexMap,
        indexVectorDim: a.indexVectorDim,
        indicesAreSorted: a.indicesAreSorted,
        inBounds: true,
      }),
    ];
  },
};
