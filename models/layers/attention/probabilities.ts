import { dot, gather, where } from "../../../ops/functions.js";
import type { Queries } from "../../../ops/observe.js";
import type { Tensor } from "../../../ops/tensor.js";
import { capped, count, HIDDEN, LOWEST, type Row, type Scores, type Sees, visible } from "./visible.js";

/**
 * The probabilities (f32) that attention gives keys, computed directly, of some queries and the first element of `batch`: axes
 * `head` (all others as one), `query` and `token`. For looking at them: attention itself may never have them all.
 */
export function probabilities(
  query: Tensor,
  key: Tensor,
  sees: Omit<Sees, "window"> & { readonly window?: number | Tensor | undefined },
  wanted: Queries,
): Tensor {
  const most = "first" in wanted ? wanted.first : key.size("key");
  const [queries, keys] = [query.size("seq"), key.size("key")].map((n) => Math.min(n, most)) as [number, number];
  const chosen = (x: Tensor): Tensor =>
    "first" in wanted
      ? (x.slice("seq", 0, queries) as Tensor)
      : (gather(x, "seq", wanted.at).broadcast({ seq: 1 }) as Tensor);
  const part = <T extends Tensor | undefined>(x: T): T => {
    let cut = x as Tensor | undefined;
    if (cut?.has("batch")) cut = cut.at("batch", 0) as Tensor;
    if (cut?.has("seq")) cut = chosen(cut);
    if (cut?.has("key")) cut = cut.slice("key", 0, keys) as Tensor;
    return cut as T;
  };
  const { segments, softCap } = sees;
  const sink = part(sees.sinks)?.cast("f32");
  const seen = visible(
    {
      ...sees,
      mask: part(sees.mask),
      ...(segments && { segments: { query: part(segments.query), key: part(segments.key) } }),
    },
    (part(sees.positions) ?? chosen(count("seq", query.size("seq")))) as Row,
    count("key", keys),
  );
  const all = capped(dot(part(query), part(key), "headDim", { dtype: "f32" }) as Tensor as Scores, softCap);
  const scores = (seen ? where(seen, all, HIDDEN) : all) as Tensor;
  const peak = scores.max("key").maximum(sink ? (sink.maximum(LOWEST) as Tensor) : LOWEST) as Tensor;
  const weights = scores.sub(peak as never).exp() as Tensor;
  const sum = weights.sum("key") as unknown as Tensor;
  const total = (sink ? sum.add((sink as Tensor).sub(peak as never).exp() as never) : sum) as Tensor;
  const probs = weights.div(where(total.eq(0), total.mul(0).add(1) as never, total as never) as never) as Tensor;
  const others = probs.names.filter((n) => n !== "seq" && n !== "key");
  const heads = others.length === 1 ? probs : (probs.broadcast({ one: 1 }) as Tensor).merge([...others, "one"], "head");
  const named = (others.length === 1 ? probs.rename(others[0] as never, "head") : heads) as unknown as Tensor;
  return (named.rename("seq", "query") as Tensor).rename("key", "token").ordered(["head", "query", "token"]) as Tensor;
}
