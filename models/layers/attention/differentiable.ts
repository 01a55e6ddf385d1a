import { customVjp, named } from "../../../ops/control.js";
import type { Tensor } from "../../../ops/tensor.js";
import type { Keys, Order, Queries, Row } from "./visible.js";

/** Attention without sinks, forward and backward; `logSum` is the row's logSumExp (f32). */
export interface Passes {
  forward(q: Queries, k: Keys, v: Keys): { readonly out: Queries; readonly logSum: Row };
  backward(q: Queries, k: Keys, v: Keys, out: Queries, logSum: Row, ct: Queries): readonly [Queries, Keys, Keys];
}

/**
 * Attention with a derivative that keeps the result and the rows' logSumExp. A sink is one more key, whose score is given and whose value
 * is zero: it makes the rows' logSumExp larger and the result smaller, and from these two the derivative of the others follows as it is.
 * The passes are given their axes in order; the result has the query's.
 */
export function differentiable(order: Order, passes: Passes, sinks: Row | undefined): Attend {
  const attend = inOrder(order, passes, sinks);
  return (query, key, value) =>
    attend(query.ordered(order.query), key.ordered(order.key), value.ordered(order.key)).ordered(query.names);
}

type Attend = (q: Queries, k: Keys, v: Keys) => Queries;

function inOrder(order: Order, { forward, backward }: Passes, sinks: Row | undefined): Attend {
  const keep = <T extends Queries | Row>(x: T): T => named(x as Tensor, "attn_out") as unknown as T;
  if (!sinks) {
    return customVjp(
      (q: Queries, k: Keys, v: Keys) => {
        const given = forward(q, k, v);
        const [out, logSum] = [keep(given.out), keep(given.logSum)];
        return [out, { q, k, v, out, logSum }] as const;
      },
      ({ q, k, v, out, logSum }, ct) => backward(q, k, v, out, logSum, ct),
    );
  }
  const rows = order.query.filter((n) => n !== "headDim");
  const attend = customVjp(
    (q: Queries, k: Keys, v: Keys, sinks: Row) => {
      const given = forward(q, k, v);
      const all = given.logSum.maximum(sinks);
      const sum = all.add(given.logSum.sub(all).exp().add(sinks.sub(all).exp()).log());
      const share = given.logSum.sub(sum).exp();
      const out = keep(given.out.cast("f32").mul(share).cast(q.dtype).ordered(order.query));
      const logSum = keep(sum.ordered(rows) as Row);
      return [out, { q, k, v, sinks, out, logSum }] as const;
    },
    ({ q, k, v, sinks, out, logSum }, ct) => {
      const delta = ct.cast("f32").mul(out.cast("f32")).sum("headDim") as Row;
      const dSinks = delta.mul(sinks.sub(logSum).exp()).neg() as unknown as Tensor;
      const others = dSinks.names.filter((n) => !sinks.has(n as "head"));
      return [...backward(q, k, v, out, logSum, ct), dSinks.sum(others) as unknown as Row] as const;
    },
  );
  return (q, k, v) => attend(q, k, v, sinks.cast("f32") as Row);
}
