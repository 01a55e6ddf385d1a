import { customVjp, scan, shard, valueAndGrad } from "../../ops/control.js";
import { full, iota, where, zeros } from "../../ops/functions.js";
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

/**
 * As `crossEntropy(head(weights, hidden), targets)`, but the scores of only `seq / chunks` positions of each sequence exist at a time, in
 * a scan. Its gradient is computed beside the value, chunk by chunk, so that no score is computed twice or kept; what weights
 * get is summed in float32. (Hsu et al. 2024, "Liger Kernel", arXiv:2410.10989, section 3.2, "FusedLinearCrossEntropy".)
 *
 * @param head scores `[..., vocab]` of hidden states `[..., embed]`; it computes with no tensor that is differentiated but `weights`.
 * @param hidden `[batch, seq, embed]`
 * @param targets `[batch, seq]`
 */
export function chunkedCrossEntropy(
  head: (weights: readonly Tensor[], hidden: Tensor<"batch" | "seq" | "embed">) => Tensor<"batch" | "seq" | "vocab">,
  weights: readonly Tensor[],
  hidden: Tensor<"batch" | "seq" | "embed">,
  targets: Tensor<"batch" | "seq">,
  chunks: number,
): { sum: Scalar; count: Scalar } {
  // Neighbours go to different chunks: a sequence that is split over devices is then cut into chunks on each of them.
  const seq = hidden.size("seq") / chunks;
  const cut = (t: Tensor): Tensor => t.rename("seq", "position").split("position", { seq, chunk: chunks });
  const joined = (t: Tensor): Tensor => t.merge(["seq", "chunk"], "position").rename("position", "seq") as Tensor;
  const value = valueAndGrad(([h, ...w]: readonly Tensor[], t: Tensor) => crossEntropy(head(w, h!), t).sum);
  const summed = customVjp(
    (h: Tensor, t: Tensor, ...w: readonly Tensor[]) => {
      const whole = w.map(shard);
      const [[sum, ofWeights], ofHidden] = scan(
        "chunk",
        [full({}, 0), whole.map((x) => zeros(x.sizes as Record<string, number>))] as const,
        { h: cut(h), t: cut(t) },
        ([sum, sums], x) => {
          const [part, [dh, ...dw]] = value([x.h, ...whole], x.t);
          return [[sum.add(part), sums.map((s, i) => s.add(dw[i]!.cast("f32")))] as never, dh!] as const;
        },
      );
      return [sum, { ofHidden: joined(ofHidden as Tensor), ofWeights: ofWeights as readonly Tensor[] }] as const;
    },
    ({ ofHidden, ofWeights }, ct) => [
      ofHidden.mul(ct.cast(ofHidden.dtype)),
      undefined,
      ...ofWeights.map((g, i) => g.mul(ct).cast(weights[i]!.dtype)),
    ],
  );
  return {
    sum: summed(hidden as Tensor, targets as Tensor, ...weights) as Scalar,
    count: targets.ge(0).cast("f32").sum(targets.names),
  };
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
