import { full, where } from "../../ops/functions.js";
import type { Scalar } from "../../ops/tensor.js";
import type { TrainConfig } from "./config.js";

/** How much of a decay is still to come (f32, from 1 to 0) when the share `done` of its steps is behind. */
const SHAPES: Readonly<Record<TrainConfig["wsd"]["shape"], (done: Scalar) => Scalar>> = {
  linear: (done) => done.neg().add(1),
  cosine: (done) => done.mul(Math.PI).cos().add(1).mul(0.5),
  sqrt: (done) => done.sqrt().neg().add(1),
};

/** The learning rate behind the warm-up, by the schedule's name, when the share `done` of the decay is behind, at step `at` (f32). */
const SCHEDULES: Readonly<Record<TrainConfig["schedule"], (done: Scalar, at: Scalar, c: TrainConfig) => Scalar>> = {
  constant: (_, __, { learningRate: peak }) => full({}, peak),
  linear: (done, _, { learningRate: peak, minLearningRate: low }) => done.mul(low - peak).add(peak),
  // Loshchilov and Hutter, arXiv:1608.03983.
  cosine: (done, _, { learningRate: peak, minLearningRate: low }) =>
    done
      .mul(Math.PI)
      .cos()
      .add(1)
      .mul((peak - low) / 2)
      .add(low),
  // Hu et al. 2024, "MiniCPM", arXiv:2404.06395; the shapes are those of Haegele et al. 2024, arXiv:2405.18392.
  wsd: (done, _, { learningRate: peak, minLearningRate: low, wsd }) =>
    SHAPES[wsd.shape](done)
      .mul(peak - low)
      .add(low),
  // Vaswani et al. 2017, "Attention Is All You Need", section 5.3.
  inverse_sqrt: (_, at, { learningRate: peak, minLearningRate: low, warmup }) => {
    const scale = Math.max(warmup, 1);
    return at
      .maximum(scale)
      .rsqrt()
      .mul(peak * Math.sqrt(scale))
      .maximum(low);
  },
};

/** The step at which the decay begins. */
const decaysFrom = ({ schedule, wsd, steps, warmup }: TrainConfig): number =>
  schedule === "wsd" ? Math.max(warmup, steps - (wsd.steps ?? Math.round(wsd.share * steps))) : warmup;

/** The learning rate (f32) of step `step` (i32, from 0): a linear rise from 0 over the warm-up, then as the schedule says. */
export function learningRate(step: Scalar, c: TrainConfig): Scalar {
  const at = step.cast("f32");
  const rising = at.mul(c.learningRate / Math.max(c.warmup, 1));
  const from = decaysFrom(c);
  const done = at
    .sub(from)
    .div(Math.max(c.steps - from, 1))
    .maximum(0)
    .minimum(1);
  const falling = SCHEDULES[c.schedule](done, at, c);
  return c.warmup === 0 ? falling : where(at.lt(c.warmup), rising, falling);
}
