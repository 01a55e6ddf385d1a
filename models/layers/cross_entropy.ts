import { customVjp } from "../../ops/control.js";
import { iota, where } from "../../ops/functions.js";
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
