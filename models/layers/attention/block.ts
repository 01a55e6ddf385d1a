/** A block of queries against blocks of keys: the steps that block-wise attention is made of, on one device or across several. */
import { whileLoop } from "../../../ops/control.js";
import { dot, full, fullLike, scalar, where, zeros } from "../../../ops/functions.js";
import type { Scalar, Tensor } from "../../../ops/tensor.js";
import {
  both,
  capped,
  count,
  HIDDEN,
  type Keys,
  LOWEST,
  type Queries,
  type Row,
  type Scores,
  type Sees,
  uncapped,
  visible,
} from "./visible.js";

export type QueryBlocks = Tensor<"queryBlock" | "head" | "seq" | "headDim">;
export type KeyBlocks = Tensor<"keyBlock" | "head" | "key" | "headDim">;
type MaskBlocks = Tensor<"keyBlock" | "head" | "seq" | "key">;

/** What scores depend on besides queries and keys: positions, mask (in blocks of keys if it is about keys), segments (keys' in blocks). */
export interface View {
  /** Relative to the first key. */
  readonly positions: Row;
  readonly mask: Scores | MaskBlocks | undefined;
  readonly segments?: { readonly query: Row; readonly key: Tensor<"keyBlock" | "head" | "key"> } | undefined;
  /** The position of the first key, where that is not 0. */
  readonly start?: Scalar | undefined;
}

/** The keys that a block of queries is compared with: `count` blocks of one size. */
export interface KeyRange {
  readonly size: number;
  readonly count: number;
  /** How many keys there are, where those that fill up the last block have to be hidden. */
  readonly hideFrom?: number | undefined;
  /**
   * The most blocks that a block of queries sees something of, from the one on in which its window begins: each then visits so many, and the
   * loop's length is known when it is compiled. Default: as many as it sees something of.
   */
  readonly visits?: number | undefined;
  /** How many blocks a plan takes a block of queries to visit. Default: half of them. */
  readonly expected?: number | undefined;
}

/** How many of `count` blocks of `size` keys a block of `queries` visits on average, where the queries are `length` positions in order. */
export function meanVisited(
  { causal, window = Number.POSITIVE_INFINITY, globals = 0 }: Pick<Sees, "causal" | "window" | "globals">,
  { size, count, queries, length }: { readonly [of in "size" | "count" | "queries" | "length"]: number },
): number {
  const blocks = Array.from({ length: Math.ceil(length / queries) }, (_, i) => {
    const near = Math.min(count, Math.floor(Math.max(0, i * queries - window + 1) / size));
    const end = causal ? Math.min(count, Math.ceil(((i + 1) * queries) / size)) : count;
    return end - near + Math.min(near, Math.ceil(globals / size));
  });
  return blocks.reduce((n, visited) => n + visited, 0) / blocks.length;
}

/** The softmax over the keys seen so far: by query the highest score, the sum of the weights, the sum of the weighted values (f32). */
export interface Running {
  readonly peak: Row;
  readonly total: Row;
  readonly sum: Queries;
}

/** What the derivative needs of queries: `logSum` is the row's logSumExp, `delta` the sum of the result times its cotangent. */
export interface Differentiated {
  readonly q: Queries;
  readonly qAcross: Queries;
  readonly ct: Queries;
  readonly ctAcross: Queries;
  readonly logSum: Row;
  readonly delta: Row;
}

/** Sums of the cotangents of keys and values (f32), headDim before key. */
export interface KeySums {
  readonly dk: KeyBlocks;
  readonly dv: KeyBlocks;
}

/** Sums of products are accumulated in float32. */
const wide = { dtype: "f32" } as const;

/** The softmax over no keys, for queries `q` and values of this width. */
export function begin(q: Tensor, valueDim: number): Running {
  const { headDim: _, ...row } = q.sizes as Record<string, number>;
  const sizes = { ...row, headDim: valueDim };
  return { peak: full(row, LOWEST) as Row, total: zeros(row) as Row, sum: zeros(sizes) as Queries };
}

/** The result and the rows' logSumExp (f32). A query that saw no key has zeros. */
export function finish({ peak, total, sum }: Running): { readonly out: Queries; readonly logSum: Row } {
  const divisor = where(total.eq(0), fullLike(total, 1), total);
  return { out: sum.div(divisor), logSum: peak.add(divisor.log()) };
}

/** Which blocks of keys a block of queries is compared with, and how. `V` is what the scores depend on besides queries and keys. */
export interface Visits<V> {
  /** The number of the first visit, and of the one behind the last. */
  readonly from: (view: V) => Scalar;
  readonly to: (view: V) => Scalar;
  /** The block of a visit. Default: of the visit's number. */
  readonly block?: (view: V, visit: Scalar) => Scalar;
  /** Scores (f32) of queries and the keys of a block; hidden ones are `HIDDEN`. */
  readonly scores: (q: Queries, k: Keys, view: V, block: Scalar) => Scores;
  readonly softCap?: number | undefined;
  /** How many visits a plan takes a block of queries to make. Default: half of the blocks. */
  readonly expected?: number | undefined;
  /** Whether scores have something added by row, of which the cotangent is wanted too. */
  readonly biased?: boolean;
}

/** The two passes over blocks of keys. `rows` are the axes that only queries have. */
export function passes<V>(
  rows: readonly "seq"[],
  { from, to, block = (_, i) => i, scores, softCap, expected, biased = false }: Visits<V>,
) {
  return {
    /** Goes on over further keys. */
    attend(q: Queries, k: KeyBlocks, v: KeyBlocks, view: V, before: Running): Running {
      const end = to(view);
      const { peak, total, sum } = before;
      const start = { i: from(view), peak, total, sum };
      const more = ({ i }: typeof start) => i.lt(end);
      const visit = ({ i, ...before }: typeof start) => {
        const j = block(view, i);
        return { i: i.add(1), ...onward(before, scores(q, k.at("keyBlock", j), view, j), v.at("keyBlock", j)) };
      };
      const { i: _, ...after } = whileLoop(start, more, visit, { expected });
      return after;
    },

    /** The cotangents of the queries and, where there is one, of the bias (f32), and the sums with those of keys and values added. */
    differentiate(
      x: Differentiated,
      k: KeyBlocks,
      v: KeyBlocks,
      view: V,
      sums: KeySums,
    ): KeySums & { dq: Queries; dBias?: Row } {
      const { q, qAcross, ct, ctAcross, logSum, delta } = x;
      const end = to(view);
      const { dk, dv } = sums;
      const start = { i: from(view), dq: zeros(q.sizes), dk, dv, ...(biased && { dBias: zeros(logSum.sizes) as Row }) };
      const more = ({ i }: typeof start) => i.lt(end);
      const visit = ({ i, dq, dk, dv, dBias }: typeof start) => {
        const j = block(view, i);
        const [kj, vj] = [k.at("keyBlock", j), v.at("keyBlock", j)];
        const s = scores(q, kj, view, j);
        const probs = s.sub(logSum).exp();
        const dProbs = dot(ct, vj, "headDim", wide);
        const wideScores = uncapped(probs.mul(dProbs.sub(delta)), s, softCap);
        const dScores = wideScores.cast(q.dtype);
        return {
          i: i.add(1),
          dq: dq.add(dot(dScores, kj, "key", wide)),
          dk: addBlock(dk, j, dot(qAcross, dScores, rows, wide)),
          dv: addBlock(dv, j, dot(ctAcross, probs.cast(v.dtype), rows, wide)),
          ...(dBias && { dBias: dBias.add(wideScores.sum("key")) }),
        };
      };
      const { i: _, ...after } = whileLoop(start, more, visit, { expected });
      return after;
    },
  };
}

/** The softmax over keys seen before and those of these scores and values. */
export function onward(before: Running, s: Scores, v: Keys): Running {
  const peak = before.peak.maximum(s.max("key"));
  const weights = s.sub(peak).exp();
  const fade = before.peak.sub(peak).exp();
  const part = dot(weights.cast(v.dtype), v, "key", wide);
  return { peak, total: before.total.mul(fade).add(weights.sum("key")), sum: before.sum.mul(fade).add(part) };
}

/** The passes over all keys that a block of queries sees by their positions. */
export function overKeys(
  causal: boolean,
  { size, count: blocks, hideFrom, visits, expected }: KeyRange,
  rows: readonly "seq"[],
  { window, globals, softCap }: Pick<Sees, "window" | "globals" | "softCap"> = {},
) {
  /** A position relative to the first key. */
  const relative = (at: number, start: Scalar | undefined): Scalar => {
    const from = scalar(at, "i32");
    return start ? from.sub(start) : from;
  };
  /** The block that a window begins in, and the first visit: as many before it as there are blocks with global tokens in front. */
  const begins = ({ positions, start }: View): { readonly near: Scalar; readonly from: Scalar } => {
    if (window === undefined) return { near: scalar(0, "i32"), from: scalar(0, "i32") };
    const near = positions
      .min(positions.names)
      .sub(window - 1)
      .maximum(0)
      .div(size)
      .cast("i32");
    if (globals === undefined) return { near, from: near };
    const within = near.minimum(blocks);
    const ofGlobals = relative(globals, start)
      .maximum(0)
      .add(size - 1)
      .div(size);
    return { near: within, from: within.sub(ofGlobals.minimum(within)) };
  };
  const asSeen: Pick<Visits<View>, "from" | "to" | "block"> = {
    from: (view) => begins(view).from,
    to: ({ positions }) =>
      causal ? positions.max(positions.names).add(size).div(size).minimum(blocks).cast("i32") : scalar(blocks, "i32"),
    ...(globals !== undefined && {
      block: (view: View, visit: Scalar) => {
        const { near, from } = begins(view);
        return where(visit.lt(near), visit.sub(from), visit);
      },
    }),
  };
  const inAll: typeof asSeen = {
    from: () => scalar(0, "i32"),
    to: () => scalar(visits!, "i32"),
    block: (view, visit) =>
      begins(view)
        .near.minimum(blocks - visits!)
        .add(visit),
  };
  return passes<View>(rows, {
    softCap,
    expected,
    ...(visits === undefined ? asSeen : inAll),
    scores: (q, k, { positions, mask, segments, start }, j) => {
      const indices = count("key", size, j.mul(size));
      const here = mask?.has("keyBlock" as never)
        ? (mask as MaskBlocks).at("keyBlock", j)
        : (mask as Scores | undefined);
      const filling = hideFrom === undefined ? undefined : (indices.lt(hideFrom) as Scores);
      const ofKeys = segments && { query: segments.query, key: segments.key.at("keyBlock", j) };
      const sees = { causal, window, globals: globals && relative(globals, start), mask: here, segments: ofKeys };
      const seen = both(visible(sees, positions, indices), filling);
      const s = capped(dot(q, k, "headDim", wide), softCap);
      return seen ? where(seen, s, HIDDEN) : s;
    },
  });
}

/** The size of equal blocks, at most `limit`, that cover `length` with the least filling up. */
export const evenly = (length: number, limit: number): number => Math.ceil(length / Math.ceil(length / limit));

/** An axis in blocks, the last one filled up with zeros. A tensor without the axis stays as it is. */
export function inBlocks<A extends string, K extends A, N extends string>(
  x: Tensor<A>,
  axis: K,
  size: number,
  block: N,
): Tensor<A | N> {
  if (!x.has(axis)) return x as Tensor;
  const n = Math.ceil(x.size(axis) / size);
  const filled = n * size === x.size(axis) ? x : x.pad(axis, 0, n * size - x.size(axis));
  return (filled as Tensor).split(axis, { [block]: n, [axis]: size }) as unknown as Tensor;
}

/** The reverse, with the axes in place: the first `size` of the axis. */
export function fromBlocks(x: Tensor, axis: string, block: string, size: number): Tensor {
  const inPlace = x.names.filter((n) => n !== block).flatMap((n) => (n === axis ? [block, n] : [n]));
  return x.ordered(inPlace).merge([block, axis], axis).slice(axis, 0, size) as Tensor;
}

/**
 * With headDim before the axes that only queries have: gradients of keys and values are summed up with headDim before key, as products whose
 * left operand is contracted along its last axes: the form that XLA:CPU is fastest at, and all the same to others.
 */
export const across = (x: QueryBlocks, rows: readonly "seq"[]): QueryBlocks =>
  x.ordered([...x.names.filter((n) => n !== "headDim" && !rows.includes(n as "seq")), "headDim", ...rows]);

/** Zeros (f32) for sums like `x`, headDim before key. */
export function accumulator(x: KeyBlocks): KeyBlocks {
  const { key, headDim, ...outer } = x.sizes;
  return zeros({ ...outer, headDim, key });
}

/** Adds to one block of an accumulator. */
const addBlock = (sums: KeyBlocks, j: Scalar, part: Keys): KeyBlocks =>
  sums.update("keyBlock", j, sums.at("keyBlock", j).add(part).broadcast({ keyBlock: 1 }));
