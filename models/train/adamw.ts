import { mapLeaves } from "../../compiler/tree.js";
import { zeros } from "../../ops/functions.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import type { TrainConfig } from "./config.js";

/** First and second moments of the gradient, each a tree like the parameters. */
export interface AdamWState<P> {
  readonly mu: P;
  readonly nu: P;
}

/** Moments of zero. */
export const adamWInit = <P>(params: P): AdamWState<P> => {
  const moments = () => mapLeaves(params, (p) => zeros((p as Tensor).sizes));
  return { mu: moments(), nu: moments() };
};

/**
 * One parameter's step of AdamW on a float32 gradient (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101), in float32.
 * `step` (f32) counts from 1; `decay` is 0 for what is not decayed.
 */
export function adamWUpdate<A extends string>(
  { p, g, mu, nu }: { p: Tensor<A>; g: Tensor<A>; mu: Tensor<A>; nu: Tensor<A> },
  { rate, correction1, correction2, decay }: { rate: Scalar; correction1: Scalar; correction2: Scalar; decay: number },
  c: TrainConfig,
): { p: Tensor<A>; mu: Tensor<A>; nu: Tensor<A> } {
  const weight = p.cast("f32");
  const first = mu.mul(c.beta1).add(g.mul(1 - c.beta1));
  const second = nu.mul(c.beta2).add(g.mul(g).mul(1 - c.beta2));
  const direction = first.mul(correction1).div(second.mul(correction2).sqrt().add(c.epsilon));
  const decayed = decay === 0 ? direction : direction.add(weight.mul(decay));
  return { p: weight.sub(decayed.mul(rate)).cast(p.dtype), mu: first, nu: second };
}
