/** What learns beside the model: a module with Adam's moments, by the optimizer that trains models. */
import { full, iota, where, zeros } from "../../ops/functions.js";
import { type Module, spec } from "../../ops/module.js";
import type { Key } from "../../ops/random.js";
import type { Scalar } from "../../ops/tensor.js";
import { type TrainConfig, trainSchema } from "../train/config.js";
import { initialize } from "../train/initialize.js";
import { type OptimizerState, optimizerState } from "../train/optimizers/index.js";
import { treatments } from "../train/parameters.js";
import { globalNorm } from "../train/train_step.js";
import { updated } from "../train/update.js";

/** A module that learns. */
export interface Learner<M> {
  readonly params: M;
  readonly optimizer: OptimizerState;
  /** Updates so far (i32). */
  readonly updates: Scalar;
}

/** How it learns. */
export interface LearnerConfig {
  readonly learningRate: number;
  /** Largest global norm of the gradient. */
  readonly maxNorm: number;
}

/** Adam without weight decay (Kingma and Ba 2015, arXiv:1412.6980). */
const adam: TrainConfig = trainSchema.parse({ weightDecay: 0, beta2: 0.999 });

/** A learner before it has learnt. */
export const firstLearner = <M extends Module>(declared: M, key: Key): Learner<M> => ({
  params: initialize(declared, key),
  optimizer: optimizerState(declared, treatments(declared, adam), adam, (sizes) => zeros(sizes)),
  updates: iota({ update: 1 }).at("update", 0),
});

/** A learner, to be traced. */
export const learnerSpec = <M extends Module>(declared: M): Learner<M> => ({
  params: declared,
  optimizer: optimizerState(declared, treatments(declared, adam), adam, (sizes) => spec(sizes, "f32")),
  updates: spec({}, "i32"),
});

/** A learner after a step along its gradients. */
export function learnt<M extends Module>(
  declared: M,
  { params, optimizer, updates }: Learner<M>,
  gradients: M,
  { learningRate, maxNorm }: LearnerConfig,
): Learner<M> {
  const norm = globalNorm(gradients);
  const scale = where(norm.lt(maxNorm), full({}, 1), full({}, maxNorm).div(norm));
  const step = updates.add(1);
  const shared = { t: step.cast("f32"), rate: full({}, learningRate), scale, good: undefined };
  const given = { params, optimizer, gradients, updates: {} };
  return { ...updated(given, treatments(declared, adam), shared, adam), updates: step };
}
