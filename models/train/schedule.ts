import { full, where } from "../../ops/functions.js";
import type { Scalar } from "../../ops/tensor.js";
import type { TrainConfig } from "./config.js";

/**
 * The learning rate (f32) of step `step` (i32, from 0): a linear rise from 0 over the warm-up, then by cosine (Loshchilov and Hutter,
 * arXiv:1608.03983) or linearly down to `minLearningRate` at the last step, or constant.
 */
export function learningRate(step: Scalar, c: TrainConfig): Scalar {
  const at = step.cast("f32");
  const peak = c.learningRate;
  const rising = at.mul(peak / Math.max(c.warmup, 1));
  const done = at
    .sub(c.warmup)
    .div(Math.max(c.steps - c.warmup, 1))
    .maximum(0)
    .minimum(1);
  const falling = {
    constant: () => full({}, peak),
    linear: () => done.mul(c.minLearningRate - peak).add(peak),
    cosine: () =>
      done
        .mul(Math.PI)
        .cos()
        .add(1)
        .mul((peak - c.minLearningRate) / 2)
        .add(c.minLearningRate),
  }[c.schedule]();
  return c.warmup === 0 ? falling : where(at.lt(c.warmup), rising, falling);
}
