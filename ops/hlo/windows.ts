/** What gather and scatter share: the text of their dimension numbers, and the positions at which windows lie within a tensor. */
import type { Value } from "../../compiler/ir.js";
import { kinds } from "./define.js";
import type { HloBuilder } from "./index.js";
import { scalar } from "./regions.js";

/** `#stablehlo.gather<offset_dims = [1], index_vector_dim = 1>`: what is empty or zero is left out. */
export function dimensionNumbers(op: string, numbers: Readonly<Record<string, number | readonly number[]>>): string {
  const given = Object.entries(numbers).flatMap(([name, n]) =>
    typeof n === "number" ? (n ? [`${name} = ${n}`] : []) : n.length ? [`${name} = [${n.join(", ")}]`] : [],
  );
  return `#stablehlo.${op}<${given.join(", ")}>`;
}

/** The last position, by component of an index, at which a window lies within `x`; never more than the indices can say. */
function lastStarts(indices: Value, x: Value, map: readonly number[], windows: readonly number[]): number[] {
  const { dtype } = indices.type;
  const bits = Number(/\d+/.exec(dtype)![0]);
  const largest = 2 ** (kinds.signed(dtype) ? bits - 1 : bits) - 1;
  return map.map((d) => Math.min(x.type.shape[d]! - windows[d]!, largest));
}

/** `bounds` by component, in the indices' type and shape; a scalar where `scalars` may stand and all are equal. */
function boundsAs(b: HloBuilder, bounds: readonly number[], { type }: Value, dim: number, scalars: boolean): Value {
  const { dtype, shape } = type;
  if (bounds.every((n) => n === bounds[0])) return b.constant(scalars ? scalar(dtype) : type, bounds[0] ?? 0);
  return b.broadcastInDim(b.constantData({ shape: [bounds.length], dtype }, bounds), shape, [dim]);
}

/** Indices moved to where the windows lie within `x`, as gather moves them. */
export function clampedStarts(
  b: HloBuilder,
  indices: Value,
  x: Value,
  map: readonly number[],
  windows: readonly number[],
  indexVectorDim: number,
): Value {
  const last = boundsAs(b, lastStarts(indices, x, map, windows), indices, indexVectorDim, true);
  return b.clamp(b.constant(last.type, 0), indices, last);
}

/** Whether the window of each index lies within `x`: a boolean for every index. */
export function windowsInBounds(
  b: HloBuilder,
  indices: Value,
  x: Value,
  map: readonly number[],
  windows: readonly number[],
  indexVectorDim: number,
): Value {
  const last = boundsAs(b, lastStarts(indices, x, map, windows), indices, indexVectorDim, false);
  const below = b.compare(indices, last, "LE");
  const inside = kinds.signed(indices.type.dtype)
    ? b.and(b.compare(indices, b.constant(indices.type, 0), "GE"), below)
    : below;
  return indexVectorDim < indices.type.shape.length ? b.reduceAnd(inside, [indexVectorDim]) : inside;
}
