import { customVjp, named } from "../../../ops/control.js";
import { dot, fullLike, where } from "../../../ops/functions.js";
import {
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

/**
 * Attention with all scores at once, for few keys. The probabilities are kept for the derivative while they are not much larger than
 * the operands, else computed again from the row's logSumExp.
 */
export function direct(
  query: Queries,
  key: Keys,
  value: Keys,
  order: Order,
  { causal, positions, mask }: Sees,
): Queries {
  const keys = key.size("key");
  const seen = visible(causal, positions ?? (count("seq", query.size("seq")) as Row), count("key", keys), mask);
  const keepProbs = keys <= 4 * query.size("headDim");
  const rows = order.query.filter((n) => !key.has(n as "head")) as "seq"[];

  const scores = (q: Queries, k: Keys): Scores => {
    const s = dot(q, k, "headDim", { dtype: "f32" });
    return seen ? where(seen, s, HIDDEN) : s;
  };
  const attend = customVjp(
    (q: Queries, k: Keys, v: Keys) => {
      const s = scores(q, k);
      const peak = s.max("key").maximum(LOWEST);
      const weights = s.sub(peak).exp();
      const total = weights.sum("key");
      const divisor = where(total.eq(0), fullLike(total, 1), total);
      const probs = weights.div(divisor).cast(v.dtype);
      const kept = keepProbs ? { probs } : { logSum: named(peak.add(divisor.log()), "attn_out") };
      return [named(dot(probs, v, "key"), "attn_out"), { q, k, v, kept }] as const;
    },
    ({ q, k, v, kept }, ct) => {
      const probs = "probs" in kept ? kept.probs.cast("f32") : scores(q, k).sub(kept.logSum).exp();
      const dProbs = dot(ct, v, "headDim", { dtype: "f32" });
      const weighted = probs.mul(dProbs);
      const dScores = weighted.sub(probs.mul(weighted.sum("key"))).cast(q.dtype);
      // Queries and cotangents on the left: these small operands, not the scores, are then the ones that XLA:CPU transposes.
      return [dot(dScores, k, "key"), dot(q, dScores, rows), dot(ct, probs.cast(v.dtype), rows)];
    },
  );
  return attend(query.ordered(order.query), key.ordered(order.key), value.ordered(order.key)).ordered(query.names);
}
