import { iota } from "../../../ops/functions.js";
import type { Scalar, Tensor } from "../../../ops/tensor.js";

/*
 * In these files types name the axes that the algorithms speak of; `head` stands for all others (batch, heads, groups), which the
 * tensors have or have not. A `Row` belongs to the queries.
 */
export type Queries = Tensor<"head" | "seq" | "headDim">;
export type Keys = Tensor<"head" | "key" | "headDim">;
export type Scores = Tensor<"head" | "seq" | "key">;
export type Row = Tensor<"head" | "seq">;

/** The axes as the products want them: those that queries and keys share first, those they are multiplied along last. */
export interface Order {
  readonly query: readonly ("head" | "seq" | "headDim")[];
  readonly key: readonly ("head" | "key" | "headDim")[];
}

/** The sequences of one row that queries and keys belong to, by number (integers). */
export interface Segments {
  readonly query: Row;
  readonly key: Tensor<"head" | "key">;
}

/** Which keys a query sees, and what its scores are: see `AttentionOptions`. */
export interface Sees {
  readonly causal: boolean;
  readonly positions?: Row | undefined;
  readonly mask?: Scores | undefined;
  readonly window?: number | undefined;
  readonly softCap?: number | undefined;
  readonly sinks?: Row | undefined;
  readonly segments?: Segments | undefined;
}

/** What the score of a key that is not seen is set to: finite, so that no difference of two is NaN. */
export const HIDDEN = -1e30;
/** Where running maxima begin: above hidden scores, so that these weigh exactly 0, below all others. */
export const LOWEST = -1e29;

/** 0, 1, 2, ... along an axis, from `start` on (i32). */
export function count<A extends "seq" | "key">(axis: A, size: number, start?: Scalar): Tensor<A> {
  const numbers = iota({ [axis]: size } as Record<A, number>);
  return start === undefined ? numbers : numbers.add<never>(start);
}

/** Whether queries at `positions` see the keys of these indices; undefined: all see all. */
export function visible(
  { causal, window, mask, segments }: Pick<Sees, "causal" | "window" | "mask" | "segments">,
  positions: Row,
  indices: Tensor<"key">,
): Scores | undefined {
  const before = causal
    ? positions.broadcast({ key: indices.size("key") }).ge(indices.cast(positions.dtype))
    : undefined;
  const allowed = both(segments && sameSegment(segments), mask);
  if (window === undefined) return both(before, allowed);
  const behind = positions.sub(window).broadcast({ key: indices.size("key") });
  return both(both(before, behind.lt(indices.cast(positions.dtype))), allowed);
}

/** Whether query and key are of one sequence. */
function sameSegment({ query, key }: Segments): Scores {
  const missing = key.names.filter((n) => !query.has(n as "head")).map((n) => [n, key.size(n)]);
  return (query as Tensor).broadcast(Object.fromEntries(missing)).eq(key) as Tensor;
}

/** Scores held between `softCap` and its negative. */
export const capped = (s: Scores, softCap: number | undefined): Scores =>
  softCap === undefined ? s : s.div(softCap).tanh().mul(softCap);

/** The cotangent of scores before they were capped, from that of the capped scores `s`. */
export function uncapped(ct: Scores, s: Scores | undefined, softCap: number | undefined): Scores {
  // Hidden scores are far outside of the cap's range, and have no cotangent.
  return s === undefined || softCap === undefined ? ct : ct.mul(s.maximum(-softCap).div(softCap).square().neg().add(1));
}

/** True where both are; an absent one is true everywhere. Either may have axes that the other has not. */
export function both(p: Scores | undefined, q: Scores | undefined): Scores | undefined {
  if (!p || !q) return p ?? q;
  const missing = q.names.filter((n) => !p.has(n)).map((n) => [n, q.size(n)]);
  return (p as Tensor).broadcast(Object.fromEntries(missing)).and(q) as Tensor;
}
