import { argmax, cumsum, gather, iota, scalar, softmax, sortBy, where } from "../../ops/functions.js";
import { categorical, type Key } from "../../ops/random.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";

/** How the next token is chosen; each a traced scalar, so that one program serves all settings. */
export interface SamplingOptions {
  /** f32. 0: the likeliest token. */
  readonly temperature: Scalar;
  /** i32. Only the k likeliest tokens; 0: all. */
  readonly top_k: Scalar;
  /** f32. Only the likeliest tokens that reach this probability together (arXiv:1904.09751); 1: all. */
  readonly top_p: Scalar;
  /** ui32 of 2. */
  readonly key: Key;
}

/** The next token (i32) from its scores. */
export function sample(
  logits: Tensor<"batch" | "vocab">,
  { temperature, top_k, top_p, key }: SamplingOptions,
): Tensor<"batch"> {
  const scores = logits.cast("f32");
  const random = temperature.gt(0);
  const scaled = scores.div(where(random, temperature, scalar(1)));
  const tokens = iota({ vocab: scores.size("vocab") });
  const { sorted, others } = sortBy(scaled, "vocab", [tokens.broadcast({ batch: scores.size("batch") })], {
    descending: true,
  });
  const probabilities = softmax(sorted, "vocab");
  // What the tokens before reach together: the token that crosses top_p is still in, and so is always the likeliest.
  const before = cumsum(probabilities, "vocab").sub(probabilities);
  const amongK = tokens.lt(where(top_k.gt(0), top_k, scalar(tokens.size("vocab"), "i32")));
  const kept = before.lt(top_p).or(tokens.eq(0)).and(amongK);
  const rank = categorical(key, where(kept, sorted, -1e30), "vocab");
  const drawn = gather(others[0]!, "vocab", rank);
  return where(random, drawn, argmax(scores, "vocab"));
}
