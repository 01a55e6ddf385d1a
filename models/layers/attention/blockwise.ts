import { customVjp, named, scan, whileLoop } from "../../../ops/control.js";
import { dot, full, fullLike, scalar, where, zeros } from "../../../ops/functions.js";
import type { Scalar, Tensor } from "../../../ops/tensor.js";
import {
  both,
  count,
  HIDDEN,
  type Keys,
  LOWEST,
  type Order,
  type Queries,
  type Row,
  type Scores,
  type Sees,
  visible,
} from "./visible.js";

type QueryBlocks = Tensor<"queryBlock" | "head" | "seq" | "headDim">;
type KeyBlocks = Tensor<"keyBlock" | "head" | "key" | "headDim">;
type MaskBlocks = Tensor<"keyBlock" | "head" | "seq" | "key">;
/** What scores depend on besides queries and keys: the queries' positions, and the mask (in blocks of keys if it is about keys). */
interface View {
  readonly positions: Row;
  readonly mask: Scores | MaskBlocks | undefined;
}

/** Sums of products are accumulated in float32. */
const wide = { dtype: "f32" } as const;

/**
 * Attention a block of queries and a block of keys at a time: no array of all scores exists. The softmax is built up from block to
 * block with a running maximum and sum (Milakov and Gimelshein 2018, "Online normalizer calculation for softmax", arXiv:1805.02867;
 * Rabe and Staats 2021, "Self-attention Does Not Need O(n^2) Memory", arXiv:2112.05682); the derivative computes each block's
 * probabilities again from the row's logSumExp (Dao et al. 2022, "FlashAttention", arXiv:2205.14135, algorithm 4). Blocks of keys
 * behind the last position of a block of causal queries are not computed.
 */
export function blockwise(
  query: Queries,
  key: Keys,
  value: Keys,
  order: Order,
  sees: Sees,
  blockSize: number,
): Queries {
  const { causal } = sees;
  const [length, keys] = [query.size("seq"), key.size("key")];
  const [queryBlock, keyBlock] = [evenly(length, blockSize), evenly(keys, blockSize)];
  const keyBlocks = Math.ceil(keys / keyBlock);
  // Keys that fill up the last block come after every query of a causal sequence; elsewhere they have to be hidden.
  const hideFilling = keys % keyBlock !== 0 && !(causal && sees.positions === undefined && length <= keys);
  const byQueries = <T extends Tensor>(x: T) => inBlocks(x, "seq", queryBlock, "queryBlock");
  const byKeys = <T extends Tensor>(x: T) => inBlocks(x, "key", keyBlock, "keyBlock");
  // All axes that only queries have: seq, and groups.
  const rows = order.query.filter((n) => !key.has(n as "head")) as "seq"[];

  const positions = sees.positions ?? (count("seq", length) as Row);
  const perRow = positions.has("seq") ? positions : (positions as Tensor<"head">).broadcast({ seq: length });
  const mask = sees.mask && (byQueries(byKeys(sees.mask)) as View["mask"]);
  // What changes from one block of queries to the next goes through the scan; a mask that is not about queries stays outside.
  const changing = mask?.has("queryBlock" as never);
  const perBlock = {
    positions: byQueries(perRow) as Tensor<"queryBlock" | "head" | "seq">,
    mask: changing ? mask : undefined,
  };
  const view = (own: { positions: Row }): View => (changing ? (own as View) : { ...own, mask });

  /** How many blocks of keys a block of queries has to look at. */
  const needed = ({ positions }: View): Scalar =>
    causal
      ? positions.max(positions.names).div(keyBlock).add(1).minimum(keyBlocks).cast("i32")
      : scalar(keyBlocks, "i32");

  const scores = (q: Queries, k: Keys, { positions, mask }: View, j: Scalar): Scores => {
    const indices = count("key", keyBlock, j.mul(keyBlock));
    const here = mask?.has("keyBlock" as never) ? (mask as MaskBlocks).at("keyBlock", j) : (mask as Scores | undefined);
    const filling = hideFilling ? (indices.lt(keys) as Scores) : undefined;
    const seen = both(visible(causal, positions, indices, here), filling);
    const s = dot(q, k, "headDim", wide);
    return seen ? where(seen, s, HIDDEN) : s;
  };

  const forward = (q: QueryBlocks, k: KeyBlocks, v: KeyBlocks) => {
    const [, rowwise] = scan("queryBlock", {}, { q, ...perBlock }, (carry, { q, ...own }) => {
      const seen = view(own);
      const end = needed(seen);
      const { headDim: _, ...row } = q.sizes;
      const start = {
        j: scalar(0, "i32"),
        peak: full(row, LOWEST),
        total: zeros(row),
        sum: zeros({ ...row, headDim: v.size("headDim") }),
      };
      const more = ({ j }: typeof start) => j.lt(end);
      const { peak, total, sum } = whileLoop(start, more, ({ j, ...before }) => {
        const s = scores(q, k.at("keyBlock", j), seen, j);
        const peak = before.peak.maximum(s.max("key"));
        const weights = s.sub(peak).exp();
        const fade = before.peak.sub(peak).exp();
        const part = dot(weights.cast(v.dtype), v.at("keyBlock", j), "key", wide);
        return {
          j: j.add(1),
          peak,
          total: before.total.mul(fade).add(weights.sum("key")),
          sum: before.sum.mul(fade).add(part),
        };
      });
      const divisor = where(total.eq(0), fullLike(total, 1), total);
      return [carry, { out: sum.div(divisor).cast(q.dtype), logSum: peak.add(divisor.log()) }];
    });
    const out = named(rowwise.out, "attn_out");
    const logSum = named(rowwise.logSum, "attn_out");
    return [out, { q, k, v, out, logSum }] as const;
  };

  const backward = ({ q, k, v, out, logSum }: ReturnType<typeof forward>[1], ct: QueryBlocks) => {
    // The sum over keys of the probabilities times their cotangents.
    const delta = ct.cast("f32").mul(out.cast("f32")).sum("headDim");
    // Gradients of keys and values are summed up with headDim before key, as products whose left operand is contracted along its
    // last axes: the form that XLA:CPU is fastest at, and all the same to others.
    const [qAcross, ctAcross] = [across(q, rows), across(ct, rows)];
    const init = { dk: accumulator(k), dv: accumulator(v) };
    const xs = { q, qAcross, ct, ctAcross, logSum, delta, ...perBlock };
    const [{ dk, dv }, dq] = scan(
      "queryBlock",
      init,
      xs,
      (sums, { q, qAcross, ct, ctAcross, logSum, delta, ...own }) => {
        const seen = view(own);
        const end = needed(seen);
        const start = { j: scalar(0, "i32"), dq: zeros(q.sizes), ...sums };
        const more = ({ j }: typeof start) => j.lt(end);
        const { dq, dk, dv } = whileLoop(start, more, ({ j, dq, dk, dv }) => {
          const [kj, vj] = [k.at("keyBlock", j), v.at("keyBlock", j)];
          const probs = scores(q, kj, seen, j).sub(logSum).exp();
          const dProbs = dot(ct, vj, "headDim", wide);
          const dScores = probs.mul(dProbs.sub(delta)).cast(q.dtype);
          return {
            j: j.add(1),
            dq: dq.add(dot(dScores, kj, "key", wide)),
            dk: addBlock(dk, j, dot(qAcross, dScores, rows, wide)),
            dv: addBlock(dv, j, dot(ctAcross, probs.cast(v.dtype), rows, wide)),
          };
        });
        return [{ dk, dv }, dq.cast(q.dtype)];
      },
    );
    return [dq, dk.cast(k.dtype), dv.cast(v.dtype)] as const;
  };

  const out = customVjp(forward, backward)(
    byQueries(query).ordered(["queryBlock", ...order.query]),
    byKeys(key).ordered(["keyBlock", ...order.key]),
    byKeys(value).ordered(["keyBlock", ...order.key]),
  );
  const inPlace = query.names.flatMap((n) => (n === "seq" ? (["queryBlock", n] as const) : [n]));
  return out.ordered(inPlace).merge(["queryBlock", "seq"], "seq").slice("seq", 0, length);
}

/** The size of equal blocks, at most `limit`, that cover `length` with the least filling up. */
const evenly = (length: number, limit: number): number => Math.ceil(length / Math.ceil(length / limit));

/** An axis in blocks, the last one filled up with zeros. A tensor without the axis stays as it is. */
function inBlocks<A extends string, K extends A, N extends string>(
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

/** With headDim before the axes that only queries have. */
const across = (x: QueryBlocks, rows: readonly "seq"[]): QueryBlocks =>
  x.ordered([...x.names.filter((n) => n !== "headDim" && !rows.includes(n as "seq")), "headDim", ...rows]);

/** Zeros (f32) for sums like `x`, headDim before key. */
function accumulator(x: KeyBlocks): KeyBlocks {
  const { key, headDim, ...outer } = x.sizes;
  return zeros({ ...outer, headDim, key });
}

/** Adds to one block of an accumulator. */
const addBlock = (sums: KeyBlocks, j: Scalar, part: Keys): KeyBlocks =>
  sums.update("keyBlock", j, sums.at("keyBlock", j).add(part).broadcast({ keyBlock: 1 }));
