import { isFloat } from "../../compiler/ir.js";
import { meshSize } from "../../compiler/mesh.js";
import { currentLayout, deviceShape, withLayout } from "../../compiler/trace.js";
import { leaves, mapLeaves } from "../../compiler/tree.js";
import { customVjp, dryRun, scan, shard, valueAndGrad } from "../../ops/control.js";
import { full, iota, where, zeros } from "../../ops/functions.js";
import { seqOver } from "../../ops/per_device.js";
import { foldIn, type Key } from "../../ops/random.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";

/**
 * The sum of the cross-entropies (nats, f32) of targets `[...]` (integers) under softmax(logits `[..., vocab]`), and the number of
 * targets. Targets of -1 are left out of both.
 */
export function crossEntropy<A extends string>(
  logits: Tensor<A | "vocab">,
  targets: Tensor<A>,
): { sum: Scalar; count: Scalar } {
  return {
    sum: tokenLosses(logits, targets).sum(targets.names),
    count: targets.ge(0).cast("f32").sum(targets.names),
  };
}

/** What chunks of scores may take, in float32: more of them at once make no product of matrices faster. */
const CHUNK_BYTES = 256 * 2 ** 20;

/**
 * `crossEntropy(head(model, hidden), targets)`, but the scores of only some positions of each sequence exist at a time, in a scan.
 * Its gradient is computed beside the value, chunk by chunk, so that no score is computed twice or kept; what the model's weights
 * get is summed in float32. (Hsu et al. 2024, "Liger Kernel", arXiv:2410.10989, "FusedLinearCrossEntropy".)
 *
 * @param head scores `[..., vocab]` of hidden states `[..., embed]`; of what it computes with, the model's weights are differentiated.
 * @param hidden `[batch, seq, embed]`
 * @param targets `[batch, seq]`, integers; those of -1 are left out.
 * @param chunk how many positions of what a device has of a sequence; rounded down to what divides it. Default: all, unless their scores
 *   would take more than 256 MiB and more than four times the weights: then as many as take no more than 256 MiB, or the weights.
 */
export function chunkedCrossEntropy<M>(
  model: M,
  head: (model: M, hidden: Tensor) => Tensor,
  hidden: Tensor<"batch" | "seq" | "embed">,
  targets: Tensor<"batch" | "seq">,
  chunk?: number,
): { sum: Scalar; count: Scalar } {
  const { result: logits, reads } = dryRun(() => head(model, hidden));
  const read = leaves(model).filter(({ value }) => reads.has(value)) as Tensor[];
  const weights = read.filter(({ value }) => isFloat(value.type));
  const keys = read.filter((x) => !weights.includes(x));
  const local = deviceShape(logits);
  const [batch, seq] = (["batch", "seq"] as const).map((n) => logits.size(n) / local[logits.position(n)]!) as [
    number,
    number,
  ];
  // Under sequence parallelism hidden states are split further along `seq`, over what splits the vocabulary of the scores.
  const further = seqOver(hidden as Tensor).filter((m) => !seqOver(logits).includes(m));
  const part = further.reduce((n, m) => n * meshSize(currentLayout()!.mesh, m), 1);
  const chunks = chunkCount(local, local[logits.position("seq")]! / part, weights, chunk && chunk / part);
  if (chunks === 1) return crossEntropy<"batch" | "seq">(head(model, hidden), targets);

  // Each device sums up what the weights get from its own tokens, and the sums meet after the loop: from here on `batch` and `seq` number
  // the devices that tokens are split over, weights have a copy for each, and `row` and `position` are a device's own. A chunk has some
  // positions of each part of the hidden states' sequence, so that its own are all that is gathered for it.
  const inParts = (t: Tensor): Tensor =>
    withLayout(currentLayout()?.withActivations({ part: further }), () => shard(t));
  const cut = (t: Tensor): Tensor =>
    inParts(t.split("batch", { batch, row: -1 }).split("seq", { seq, part, chunk: chunks, position: -1 }) as Tensor);
  const joined = (t: Tensor): Tensor =>
    t.merge(["batch", "row"], "batch").merge(["seq", "part", "chunk", "position"], "seq") as Tensor;
  // Each chunk on each device draws for itself.
  const places = batch * seq * part;
  const numbers = (chunk: Tensor) =>
    (iota({ place: places }) as Tensor).split("place", { batch, seq, part }).add(chunk.mul(places) as Tensor);
  const summed = customVjp(
    (h: Tensor, t: Tensor, ...read: readonly Tensor[]) => {
      const [k, w] = [read.slice(0, keys.length), read.slice(keys.length)];
      const copies = w.map((x) => shard((x.broadcast({ batch, seq }) as Tensor).ordered(["batch", "seq", ...x.names])));
      const both = valueAndGrad(([x, ...w]: readonly Tensor[], t: Tensor, keys: readonly Tensor[]): Scalar => {
        const [ofKeys, ofWeights] = [keys.values(), w.values()];
        const given = mapLeaves(model, (leaf) =>
          reads.has(leaf.value) ? (isFloat(leaf.value.type) ? ofWeights : ofKeys).next().value! : leaf,
        );
        return crossEntropy<any>(head(given, x!), t).sum;
      });
      const [[sum, ofCopies], ofHidden] = scan(
        "chunk",
        [full({}, 0), copies.map((x) => zeros(x.sizes as Record<string, number>))] as const,
        { h: cut(h), t: cut(t), ...(k.length && { number: iota({ chunk: chunks }) }) },
        ([sum, sums], x) => {
          const own = k.map((key) => foldIn(key as Key, numbers(x.number as unknown as Tensor)) as Tensor);
          const [more, [dh, ...dw]] = both([x.h, ...copies], x.t, own);
          return [[sum.add(more), sums.map((s, i) => s.add(dw[i]!.cast("f32")))] as never, inParts(dh!)] as const;
        },
      );
      const ofWeights = ofCopies.map((g) => shard((g as Tensor).sum(["batch", "seq"]) as Tensor, "optimizer"));
      return [sum, { ofHidden: joined(ofHidden as Tensor), ofWeights }] as const;
    },
    ({ ofHidden, ofWeights }, ct) => [
      ofHidden.mul(ct.cast(ofHidden.dtype)),
      undefined,
      ...keys.map(() => undefined),
      ...ofWeights.map((g, i) => g.mul(ct).cast(weights[i]!.dtype)),
    ],
  );
  return {
    sum: summed(hidden as Tensor, targets as Tensor, ...keys, ...weights) as Scalar,
    count: targets.ge(0).cast("f32").sum(targets.names),
  };
}

/** The smallest number of equal chunks of a device's `seq` positions that are small enough; `local` is the shape of its scores. */
function chunkCount(local: readonly number[], seq: number, weights: readonly Tensor[], chunk?: number): number {
  const bytes = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 4);
  const sums = weights.reduce((n, w) => n + bytes(deviceShape(w)), 0);
  const limit = Math.max(CHUNK_BYTES, sums);
  // The weights' sums live as long as the loop: for scores that are hardly larger, nothing is won.
  const automatic = bytes(local) > 4 * sums ? bytes(local) / limit : 1;
  const least = chunk === undefined ? automatic : seq / chunk;
  let chunks = Math.min(seq, Math.max(1, Math.ceil(least)));
  while (seq % chunks !== 0) chunks++;
  return chunks;
}

/** The cross-entropy of each target (f32), 0 where the target is -1. */
export function tokenLosses<A extends string>(logits: Tensor<A | "vocab">, targets: Tensor<A>): Tensor<A> {
  return losses(logits as Tensor, targets as Tensor) as Tensor;
}

// Inside, `place` stands for all axes of the targets.

/**
 * logSumExp(logits) - logits[target]. Only the logits and their logSumExp are kept; the derivative is softmax(logits) minus 1 at the
 * target. The target is found by comparing, not by gather and scatter: one pass over what is read anyway.
 */
const losses = customVjp(
  (logits: Tensor<"place" | "vocab">, targets: Tensor<"place">) => {
    const wide = logits.cast("f32");
    const peak = wide.max("vocab");
    const total = wide.sub(peak).exp().sum("vocab").log().add(peak);
    const chosen = where(isTarget(logits, targets), wide, 0).sum("vocab");
    return [where(targets.ge(0), total.sub(chosen), 0), { logits, targets, total }] as const;
  },
  ({ logits, targets, total }, ct) => {
    const probs = logits.cast("f32").sub(total).exp();
    const error = probs.sub(isTarget(logits, targets).cast("f32"));
    return [error.mul(where(targets.ge(0), ct, 0)).cast(logits.dtype), undefined];
  },
);

const isTarget = (logits: Tensor<"place" | "vocab">, targets: Tensor<"place">): Tensor<"place" | "vocab"> => {
  const vocab = { vocab: logits.size("vocab") };
  return targets.broadcast(vocab).eq(iota(vocab, targets.dtype));
};
