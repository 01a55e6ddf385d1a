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
  readonly globals?: number | undefined;
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

/** What `visible` goes by: a window may be by head; globals may be relative to the first of the indices' keys. */
type Visibility = Pick<Sees, "causal" | "mask" | "segments"> & {
  readonly window?: number | Tensor | undefined;
  readonly globals?: number | Scalar | undefined;
};

/** Whether queries at `positions` see the keys of these indices; undefined: all see all. */
export function visible(
  { causal, window, globals, mask, segments }: Visibility,
  positions: Row,
  indices: Tensor<"key">,
): Scores | undefined {
  const keys = { key: indices.size("key") };
  const before = causal ? positions.broadcast(keys).ge(indices.cast(positions.dtype)) : undefined;
  const allowed = both(segments && sameSegment(segments), mask);
  if (window === undefined) return both(before, allowed);
  const behind = typeof window === "number" ? positions.sub(window) : outer(positions, window).sub(window as never);
  const near = (behind as Row).broadcast(keys).lt(indices.cast(positions.dtype));
  const far = globals === undefined ? undefined : indices.lt<never>(globals);
  return both(both(before, far ? either(near, far as Scores) : near), allowed);
}

/** Whether query and key are of one sequence. */
function sameSegment({ query, key }: Segments): Scores {
  return outer(query, key).eq(key) as Tensor;
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
  return p && q ? (outer(p, q).and(q) as Tensor) : (p ?? q);
}

/** True where either is. */
const either = (p: Scores, q: Scores): Scores => outer(p, q).or(q) as Tensor;

/** `x` with the axes besides that `y` has. */
const outer = (x: Tensor, y: Tensor): Tensor =>
  x.broadcast(Object.fromEntries(y.names.filter((n) => !x.has(n)).map((n) => [n, y.size(n)]))) as Tensor;
