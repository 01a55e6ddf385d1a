/** Products of few rows with weights that stay where they are stored. */
import { currentLayout } from "../../compiler/trace.js";
import { contract } from "../../ops/functions.js";
import { allGather, allReduce, axisSize, ownPart, perDevice } from "../../ops/per_device.js";
import type { Tensor } from "../../ops/tensor.js";
import { asGiven, asStored, lies, type Over, type Stored, storedFurther, storedOver } from "./stored.js";

/** By how much fewer numbers have to be sent: sums go there and back, some in float32. */
const MARGIN = 4;

/** Whether products of so many rows, each of so many numbers to read and to write, are less to send than the numbers of a weight. */
export const areFew = (rows: number, each: number, weight: number): boolean => MARGIN * rows * each < weight;

/** Where a device has rows of its own along mesh axes: all rows, and its own again of what was made of them. */
export interface Rows {
  readonly all: (x: Tensor) => Tensor;
  readonly own: (y: Tensor) => Tensor;
  /** How many times as many there are. */
  readonly times: number;
}

/** Rows along `axes`, which lie over mesh axes, from everywhere along those of `over`. In code of one device. */
export function rowsOver(axes: readonly (readonly [axis: string, lying: Over])[], over: Over): Rows {
  const pairs = axes.flatMap(([n, lying]) => lying.filter((m) => over.includes(m)).map((m) => [n, m] as const));
  return {
    // The innermost parts are neighbours.
    all: (x) => pairs.reduceRight((x, [n, m]) => allGather(x, n, m), x),
    own: (y) => pairs.reduce((y, [n, m]) => ownPart(y, n, m), y),
    times: pairs.reduce((n, [, m]) => n * axisSize(m), 1),
  };
}

/**
 * x times each of the weights, over the axes `from`, the weights where they are stored (Pope et al. 2022, "Efficiently Scaling Transformer
 * Inference", arXiv:2211.05102, section 3.2): each device multiplies all rows by its part of a weight, and the products meet. Undefined where
 * that is no less to send than the weights, as it is where rows are many, or no weight is stored in more parts than it is multiplied in.
 */
export function stationaryProducts(
  x: Tensor,
  weights: readonly Tensor[],
  from: readonly string[],
): readonly Tensor[] | undefined {
  const layout = currentLayout()?.withActivations({});
  if (layout === undefined || weights.some((w) => w.names.some((n) => x.has(n) && !from.includes(n)))) return undefined;
  const [ofInput, ofWeights] = [lies(layout, "activations", x), weights.map((w) => lies(layout, "activations", w))];
  const agree = weights.every((w, i) =>
    from.every((n) => String(ofInput[x.position(n)]) === String(ofWeights[i]![w.position(n)])),
  );
  const storing = weights.map((w, i) => storedFurther(layout, w, i));
  if (!agree || !storing.every((stored) => stored !== undefined && stored.length > 0)) return undefined;
  const parts = storing as (readonly Stored[])[];
  const kept = x.names.filter((n) => !from.includes(n));
  const over = [...new Set(parts.flat().flatMap(({ more }) => more))];
  const rows = rowsOver(
    kept.map((n) => [n, ofInput[x.position(n)]!] as const),
    over,
  );
  const numbers = (t: Tensor, lying: readonly Over[], names: readonly string[]) =>
    names.reduce((n, axis) => n * (t.size(axis) / axisSize(lying[t.position(axis)]!)), 1);
  const count = numbers(x, ofInput, kept) * rows.times;
  const few = weights.every((w, i) => {
    const of = (names: readonly string[]) => numbers(w, ofWeights[i]!, names);
    return areFew(count, of(from) + of(w.names.filter((n) => !from.includes(n))), of(w.names));
  });
  if (!few) return undefined;

  return perDevice(
    { x, ws: weights.map((w, i) => asStored(w.cast(x.dtype) as Tensor, parts[i]!)) },
    ({ x, ws }) => {
      const all = rows.all(x);
      return ws.map((stored, i) => {
        const w = asGiven(stored, parts[i]!);
        const [read, written] = [true, false].map((is) => parts[i]!.filter(({ axis }) => from.includes(axis) === is));
        const part = read!.reduce((x, { axis, more }) => ownPart(x, axis, more), all);
        const sums = contract(part, w, from, { dtype: "f32" }) as Tensor;
        const summed = from.flatMap((n) => ofWeights[i]![weights[i]!.position(n)]!);
        const met = allReduce(sums, [...summed, ...read!.flatMap(({ more }) => more)]).cast(x.dtype) as Tensor;
        return rows.own(written!.reduce((y, { axis, more }) => allGather(y, axis, more), met));
      });
    },
    { axes: storedOver(parts.flat()) },
  );
}
