import { customVjp, named } from "../../../ops/control.js";
import { dot, fullLike, where } from "../../../ops/functions.js";
import {
  capped,
  count,
  HIDDEN,
  type Keys,
  LOWEST,
  type Order,
  type Queries,
  type Row,
  type Scores,
  type Sees,
  uncapped,
  visible,
} from "./visible.js";

/**
 * Attention with all scores at once, for few keys. The probabilities are kept for the derivative while they are not much larger than
 * the operands, else computed again from the row's logSumExp.
 */
export function direct(query: Queries, key: Keys, value: Keys, order: Order, sees: Sees): Queries {
  const { positions, softCap } = sees;
  const sinks = sees.sinks?.cast("f32") as Row | undefined;
  const keys = key.size("key");
  const seen = visible(sees, positions ?? (count("seq", query.size("seq")) as Row), count("key", keys));
  const keepProbs = keys <= 4 * query.size("headDim") && softCap === undefined && !sinks;
  const rows = order.query.filter((n) => !key.has(n as "head")) as "seq"[];

  const scores = (q: Queries, k: Keys): Scores => {
    const s = capped(dot(q, k, "headDim", { dtype: "f32" }), softCap);
    return seen ? where(seen, s, HIDDEN) : s;
  };
  const attend = customVjp(
    (q: Queries, k: Keys, v: Keys, ...[sink]: readonly Row[]) => {
      const s = scores(q, k);
      // A sink is the score of one more key, whose value is zero.
      const peak = s.max("key").maximum(sink ? sink.maximum(LOWEST) : LOWEST);
      const weights = s.sub(peak).exp();
      const total = sink ? weights.sum("key").add(sink.sub(peak).exp()) : weights.sum("key");
      const divisor = where(total.eq(0), fullLike(total, 1), total);
      const probs = weights.div(divisor).cast(v.dtype);
      const kept = keepProbs ? { probs } : { logSum: named(peak.add(divisor.log()), "attn_out") };
      return [named(dot(probs, v, "key"), "attn_out"), { q, k, v, sink, kept }] as const;
    },
    ({ q, k, v, sink, kept }, ct) => {
      const s = "probs" in kept ? undefined : scores(q, k);
      const probs = "probs" in kept ? kept.probs.cast("f32") : s!.sub(kept.logSum).exp();
      const dProbs = dot(ct, v, "headDim", { dtype: "f32" });
      const weighted = probs.mul(dProbs);
      const dScores = uncapped(weighted.sub(probs.mul(weighted.sum("key"))), s, softCap).cast(q.dtype);
      // Queries and cotangents on the left: these small operands, not the scores, are then the ones that XLA:CPU transposes.
      const given = [dot(dScores, k, "key"), dot(q, dScores, rows), dot(ct, probs.cast(v.dtype), rows)] as const;
      if (!sink || "probs" in kept) return given;
      const dSink = weighted.sum("key").mul(sink.sub(kept.logSum).exp()).neg() as Row;
      return [...given, dSink.sum(dSink.names.filter((n) => !sink.has(n))) as unknown as Row];
    },
  );
  return attend(
    query.ordered(order.query),
    key.ordered(order.key),
    value.ordered(order.key),
    ...(sinks ? [sinks] : []),
  ).ordered(query.names);
}
