/** Random windows of a tensor, as gather reads them and scatter writes them. */
import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { others } from "../../ops/hlo/dimensions.js";
import { forEach, someOf, tuple } from "./draw.js";

/** Dimension numbers under names that both ops' attributes are made from. */
export interface Windows {
  /** The tensor that windows are of. */
  readonly shape: readonly number[];
  readonly indices: { readonly shape: readonly number[]; readonly dtype: DType };
  /** The windows side by side: what gather gives, and what scatter is given. */
  readonly batch: readonly number[];
  readonly sizes: readonly number[];
  readonly offsetDims: readonly number[];
  readonly collapsed: readonly number[];
  readonly batching: readonly number[];
  readonly indicesBatching: readonly number[];
  readonly map: readonly number[];
  readonly indexVectorDim: number;
}

const INDEX_TYPES: readonly DType[] = ["i32", "i64", "ui32", "i8"];

/** Windows of tensors up to rank 4, with and without collapsed and batching dimensions, the indices' components anywhere. */
export const windows: fc.Arbitrary<Windows> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.tuple(fc.constant(shape), someOf(shape.length), fc.nat(1), fc.nat(2)))
  .chain(([shape, order, nBatching, nCollapsed]) => {
    const [batching, rest] = [order.slice(0, Math.min(nBatching, order.length - 1)), order.slice(nBatching)];
    const free = others(shape.length, batching);
    return fc.record({
      shape: fc.constant(shape),
      batching: fc.constant([...batching].sort((p, q) => p - q)),
      collapsed: fc.constant(rest.slice(0, nCollapsed).sort((p, q) => p - q)),
      map: someOf(free.length, { min: 1, max: Math.min(2, free.length) }).map((ds) => ds.map((i) => free[i]!)),
      wanted: forEach(shape, (n) => fc.integer({ min: 1, max: n })),
      // The indices' own dimensions, and where those shared with the tensor and the vector's stand among them.
      own: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
      places: fc.tuple(fc.nat(), fc.nat()),
      vector: fc.nat(),
      flat: fc.boolean(),
      dtype: fc.constantFrom(...INDEX_TYPES),
      offsets: fc.nat(),
    });
  })
  .chain((w) => {
    const batch: { size: number; batching?: number }[] = w.own.map((size) => ({ size }));
    w.batching.forEach((d, i) => {
      batch.splice(w.places[i]! % (batch.length + 1), 0, { size: w.shape[d]!, batching: d });
    });
    // A vector of one component may be left out.
    const flat = w.flat && w.map.length === 1;
    const indexVectorDim = flat ? batch.length : w.vector % (batch.length + 1);
    const indicesShape = batch.map(({ size }) => size);
    if (!flat) indicesShape.splice(indexVectorDim, 0, w.map.length);
    const inIndices = (i: number) => (!flat && i >= indexVectorDim ? i + 1 : i);
    const sizes = w.shape.map((_, d) => (w.collapsed.includes(d) || w.batching.includes(d) ? 1 : w.wanted[d]!));
    const offset = others(w.shape.length, w.collapsed, w.batching).map((d) => sizes[d]!);
    const rank = batch.length + offset.length;
    return someOf(rank, { min: offset.length, max: offset.length, sorted: true }).map((offsetDims): Windows => {
      const result: number[] = Array(rank).fill(0);
      offsetDims.forEach((d, i) => {
        result[d] = offset[i]!;
      });
      others(rank, offsetDims).forEach((d, i) => {
        result[d] = batch[i]!.size;
      });
      return {
        shape: w.shape,
        indices: { shape: indicesShape, dtype: w.dtype },
        batch: result,
        sizes,
        offsetDims,
        collapsed: w.collapsed,
        batching: w.batching,
        indicesBatching: w.batching.map((d) => inIndices(batch.findIndex((b) => b.batching === d))),
        map: w.map,
        indexVectorDim,
      };
    });
  });

/** JAX has an index's components in the last dimension of the indices: those, and their batching dimensions there. */
export function jaxIndices({ indices, indexVectorDim: v, indicesBatching }: Windows): { of: string; batching: string } {
  const flat = v === indices.shape.length;
  return {
    of: flat ? "i[..., None]" : `jnp.moveaxis(i, ${v}, -1)`,
    batching: tuple(indicesBatching.map((d) => (d > v ? d - 1 : d))),
  };
}

/** Values of indices: `within` the tensor, or also around it. */
export const indexValues = ({ shape, sizes, map, indices }: Windows, within: boolean) =>
  within
    ? { min: 0, max: Math.min(...map.map((d) => shape[d]! - sizes[d]!)) }
    : { min: indices.dtype === "ui32" ? 0 : -2, max: 6 };
