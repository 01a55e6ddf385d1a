/** Products of few rows with weights that stay where they are stored. */
import type { Layout } from "../../compiler/mesh.js";
import { currentLayout } from "../../compiler/trace.js";
import { contract } from "../../ops/functions.js";
import { allGather, allReduce, axisSize, ownPart, perDevice } from "../../ops/per_device.js";
import { describe, sharded, type Tensor } from "../../ops/tensor.js";

/** Mesh axes that split an axis, the first outermost. */
type Over = readonly string[];

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

/** How one of the weights lies. */
interface Lying {
  /** Axes that it is stored in more parts along than products are, and their names meanwhile. */
  readonly stored: readonly {
    readonly axis: string;
    readonly name: string;
    readonly over: Over;
    readonly more: Over;
  }[];
  /** What splits the axes that are summed over in products. */
  readonly summed: Over;
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
  const specOf = (kind: "activations" | "parameters", t: Tensor) => lies(layout, kind, t);
  const ofInput = specOf("activations", x);
  const kept = x.names.filter((n) => !from.includes(n));
  const numbers = (t: Tensor, names: readonly string[]) => {
    const of = specOf("activations", t);
    return names.reduce((n, axis) => n * (t.size(axis) / axisSize(of[t.position(axis)]!)), 1);
  };
  const lying = weights.map((w, i): Lying | undefined => {
    const [used, at] = [specOf("activations", w), specOf("parameters", w)];
    const agrees = w.names.every((n, d) => {
      const there = from.includes(n) ? ofInput[x.position(n)]! : used[d]!;
      return String(there) === String(used[d]) && used[d]!.every((m, k) => at[d]![k] === m);
    });
    const stored = w.names.flatMap((axis, d) => {
      const more = at[d]!.slice(used[d]!.length);
      return more.length > 0 ? [{ axis, name: `${axis} of ${i}`, over: at[d]!, more }] : [];
    });
    if (!agrees || stored.length === 0) return undefined;
    return { stored, summed: from.flatMap((n) => used[w.position(n)]!) };
  });
  if (!lying.every((l) => l !== undefined)) return undefined;
  const over = [...new Set(lying.flatMap(({ stored }) => stored.flatMap(({ more }) => more)))];
  const rowAxes = kept.map((n) => [n, ofInput[x.position(n)]!] as const);
  const few = weights.every((w) => {
    const to = w.names.filter((n) => !from.includes(n));
    const rows = numbers(x, kept) * rowsOver(rowAxes, over).times;
    return areFew(rows, numbers(w, from) + numbers(w, to), numbers(w, w.names));
  });
  if (!few) return undefined;

  const named = weights.map((w, i) =>
    lying[i]!.stored.reduce((w, { axis, name }) => w.rename(axis, name) as Tensor, w.cast(x.dtype) as Tensor),
  );
  const axes = Object.fromEntries(lying.flatMap(({ stored }) => stored.map(({ name, over }) => [name, over])));
  return perDevice(
    { x, ws: named },
    ({ x, ws }) => {
      const rows = rowsOver(rowAxes, over);
      const all = rows.all(x);
      return ws.map((w, i) => {
        const { stored, summed } = lying[i]!;
        const [read, written] = [true, false].map((is) => stored.filter(({ axis }) => from.includes(axis) === is));
        const part = read!.reduce((x, { axis, more }) => ownPart(x, axis, more), all);
        const local = stored.reduce((w, { axis, name }) => w.rename(name, axis) as Tensor, w);
        const sums = contract(part, local, from, { dtype: "f32" }) as Tensor;
        const meet = [...summed, ...read!.flatMap(({ more }) => more)];
        const met = allReduce(sums, meet).cast(x.dtype) as Tensor;
        return rows.own(written!.reduce((y, { axis, more }) => allGather(y, axis, more), met));
      });
    },
    { axes },
  );
}

/** The mesh axes that split each axis of a tensor. */
const lies = (layout: Layout, kind: "activations" | "parameters", t: Tensor): Over[] =>
  layout.spec(kind, sharded(t, `The tensor ${describe(t)}`)).map((over) => over ?? []);
