import { where } from "../../ops/functions.js";
import { Module } from "../../ops/module.js";
import { bernoulli, drawnBy, type Key } from "../../ops/random.js";
import { type Tensor, tensorError } from "../../ops/tensor.js";

/**
 * Sets elements to zero at random and scales the others up so that the mean stays (Srivastava et al. 2014, "Dropout: A Simple Way to
 * Prevent Neural Networks from Overfitting").
 */
export class Dropout extends Module {
  readonly rate: number;
  /** `rate`: the part that is dropped, in [0, 1). */
  constructor(rate: number) {
    super();
    if (!(rate >= 0 && rate < 1))
      throw tensorError(`Dropout: the rate is ${rate}.`, [], { expected: "a rate in [0, 1)" });
    this.rate = rate;
  }

  /**
   * x with elements dropped; without a key, x itself. Which go depends on the key and on the sizes alone: they are drawn as
   * `jax.random.bernoulli` does for the axes in alphabetical order.
   */
  call<A extends string>(x: Tensor<A>, key: Key | undefined): Tensor<A> {
    if (key === undefined || this.rate === 0) return x;
    const keep = 1 - this.rate;
    const kept = bernoulli(key, keep, drawnBy(key, x)) as Tensor;
    return where(kept as Tensor<A>, x.mul(1 / keep) as Tensor<A>, 0);
  }
}
