import { composite } from "../../../ops/composite.js";
import { customVjp, named, scan } from "../../../ops/control.js";
import type { Attributes } from "../../../ops/hlo/attributes.js";
import type { AnyTensor, Tensor } from "../../../ops/tensor.js";
import {
  accumulator,
  across,
  begin,
  evenly,
  finish,
  fromBlocks,
  inBlocks,
  type KeyBlocks,
  meanVisited,
  overKeys,
  type QueryBlocks,
  type View,
} from "./block.js";
import { differentiable, type Passes } from "./differentiable.js";
import { count, type Keys, type Order, type Queries, type Row, type Sees } from "./visible.js";

/** The forward and the backward pass in blocks, for queries and keys of these sizes, and the way into blocks and back. */
function inSteps(query: Queries, key: Keys, order: Order, sees: Sees, blockSize: number) {
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
  const segments = sees.segments && { query: byQueries(sees.segments.query), key: byKeys(sees.segments.key) };
  // What changes from one block of queries to the next goes through the scan; a mask that is not about queries stays outside.
  const changing = mask?.has("queryBlock" as never);
  const perBlock = {
    positions: byQueries(perRow) as Tensor<"queryBlock" | "head" | "seq">,
    mask: changing ? mask : undefined,
    segment: segments?.query,
  };
  const view = ({ positions, mask: own, segment }: { positions: Row; mask?: unknown; segment?: unknown }): View => ({
    positions,
    mask: changing ? (own as View["mask"]) : mask,
    segments: segments && { query: segment as Row, key: segments.key },
  });

  // Fewer queries than keys may be at any positions.
  const blocks = { size: keyBlock, count: keyBlocks, queries: queryBlock, length };
  const expected = length === keys ? meanVisited(sees, blocks) : undefined;
  const range = { size: keyBlock, count: keyBlocks, hideFrom: hideFilling ? keys : undefined, expected };
  const { attend, differentiate } = overKeys(causal, range, rows, sees);

  const forward = (q: QueryBlocks, k: KeyBlocks, v: KeyBlocks) => {
    const [, rowwise] = scan("queryBlock", {}, { q, ...perBlock }, (carry, { q, ...own }) => {
      const { out, logSum } = finish(attend(q, k, v, view(own), begin(q, v.size("headDim"))));
      return [carry, { out: out.cast(q.dtype), logSum }];
    });
    const out = named(rowwise.out, "attn_out");
    const logSum = named(rowwise.logSum, "attn_out");
    return [out, { q, k, v, out, logSum }] as const;
  };

  const backward = ({ q, k, v, out, logSum }: ReturnType<typeof forward>[1], ct: QueryBlocks) => {
    // The sum over keys of the probabilities times their cotangents.
    const delta = ct.cast("f32").mul(out.cast("f32")).sum("headDim");
    const [qAcross, ctAcross] = [across(q, rows), across(ct, rows)];
    const init = { dk: accumulator(k), dv: accumulator(v) };
    const xs = { q, qAcross, ct, ctAcross, logSum, delta, ...perBlock };
    const [{ dk, dv }, dq] = scan("queryBlock", init, xs, (sums, { positions, mask, segment, ...x }) => {
      const { dq, ...next } = differentiate(x, k, v, view({ positions, mask, segment }), sums);
      return [next, dq.cast(q.dtype)];
    });
    return [dq, dk.cast(k.dtype), dv.cast(v.dtype)] as const;
  };

  const inQueryBlocks = <T extends Tensor>(x: T) =>
    byQueries(x).ordered(["queryBlock", ...x.names.filter((n) => n !== "queryBlock")]) as unknown as QueryBlocks;
  const inKeyBlocks = (x: Keys): KeyBlocks => byKeys(x).ordered(["keyBlock", ...x.names]);
  return {
    forward,
    backward,
    inQueryBlocks,
    inKeyBlocks,
    wholeQueries: (x: QueryBlocks) => fromBlocks(x, "seq", "queryBlock", length) as Queries,
    wholeKeys: (x: KeyBlocks) => fromBlocks(x, "key", "keyBlock", keys) as Keys,
  };
}

/**
 * Attention a block of queries and a block of keys at a time: no array of all scores exists. The softmax is built up from block to
 * block with a running maximum and sum (Milakov and Gimelshein 2018, "Online normalizer calculation for softmax", arXiv:1805.02867;
 * Rabe and Staats 2021, "Self-attention Does Not Need O(n^2) Memory", arXiv:2112.05682); the derivative computes each block's
 * probabilities again from the row's logSumExp (Dao et al. 2022, "FlashAttention", arXiv:2205.14135, algorithm 4). Blocks of keys
 * behind the last position of a block of causal queries are not computed.
 *
 * @param asKernel names the whole, and its derivative, as composites that a platform's kernel may replace; neither positions nor mask.
 */
export function blockwise(
  query: Queries,
  key: Keys,
  value: Keys,
  order: Order,
  sees: Sees,
  blockSize: number,
  asKernel = false,
): Queries {
  if (asKernel || sees.sinks) {
    return differentiable(order, asWhole(order, sees, blockSize, asKernel), sees.sinks)(query, key, value);
  }
  const [q, k, v] = [query.ordered(order.query), key.ordered(order.key), value.ordered(order.key)] as const;
  const steps = inSteps(q, k, order, sees, blockSize);
  const attend = customVjp(steps.forward, steps.backward);
  const out = attend(steps.inQueryBlocks(q), steps.inKeyBlocks(k), steps.inKeyBlocks(v));
  return steps.wholeQueries(out).ordered(query.names);
}

/** The same as one operation, and its derivative as another: where allowed, a platform's kernels may take their place. */
export function asWhole(order: Order, sees: Sees, blockSize: number, asKernel: boolean): Passes {
  const { causal, window, globals, softCap, segments } = sees;
  const attributes: Attributes = {
    causal,
    ...(window !== undefined && { window: { value: window, type: "i64" } }),
    ...(globals !== undefined && { globals: { value: globals, type: "i64" } }),
    ...(softCap !== undefined && { soft_cap: { value: softCap, type: "f64" } }),
  };
  const rows = order.query.filter((n) => n !== "headDim");
  const operation = <T extends readonly AnyTensor[], R>(name: string, f: (...args: T) => R) =>
    asKernel ? composite(name, attributes, f) : f;
  /** The steps for these segments: a kernel's decomposition has them among its arguments. */
  const steps = (q: Queries, k: Keys, [query, key]: readonly Tensor[]) =>
    inSteps(q, k, order, { ...sees, segments: query && key && { query: query as Row, key } }, blockSize);

  const forward = operation("xenarc.attention", (q: Queries, k: Keys, v: Keys, ...segments: readonly Tensor[]) => {
    const s = steps(q, k, segments);
    const [, { out, logSum }] = s.forward(s.inQueryBlocks(q), s.inKeyBlocks(k), s.inKeyBlocks(v));
    return {
      out: s.wholeQueries(out).ordered(order.query),
      logSum: s.wholeQueries(logSum as Tensor).ordered(rows) as Row,
    };
  });
  type Backward = [q: Queries, k: Keys, v: Keys, out: Queries, logSum: Row, ct: Queries, ...segments: Tensor[]];
  const backward = operation(
    "xenarc.attention_backward",
    (...[q, k, v, out, logSum, ct, ...segments]: Backward): [Queries, Keys, Keys] => {
      const s = steps(q, k, segments);
      const kept = {
        q: s.inQueryBlocks(q),
        k: s.inKeyBlocks(k),
        v: s.inKeyBlocks(v),
        out: s.inQueryBlocks(out),
        logSum: s.inQueryBlocks(logSum) as Tensor,
      };
      const [dq, dk, dv] = s.backward(kept, s.inQueryBlocks(ct));
      const wholeKeys = (x: KeyBlocks) => s.wholeKeys(x).ordered(order.key);
      return [s.wholeQueries(dq).ordered(order.query), wholeKeys(dk), wholeKeys(dv)];
    },
  );
  const ofRows = (q: Queries, k: Keys) =>
    segments ? [byPlace(segments.query, "seq", q, order), byPlace(segments.key, "key", k, order)] : [];
  return {
    forward: (q, k, v) => forward(q, k, v, ...ofRows(q, k)),
    backward: (q, k, v, out, logSum, ct) => backward(q, k, v, out, logSum, ct.ordered(order.query), ...ofRows(q, k)),
  };
}

/** Segments as a kernel takes them: by place among all axes in front of the heads (see `placesOf`). */
function byPlace(segments: Tensor, along: "seq" | "key", of: Tensor, order: Order): Tensor {
  const missing = placesOf(order).filter((n) => !segments.has(n));
  const wide = segments.broadcast(Object.fromEntries(missing.map((n) => [n, of.size(n)]))) as Tensor;
  return wide.ordered([...wide.names.filter((n) => n !== along), along]);
}

/** The axes that kernels take one batch element after the other of: what queries and keys share but the last of it, their heads. */
export const placesOf = ({ key }: Order): readonly string[] => key.slice(0, -3);
