/** What training carries from step to step. */
import { place } from "../../ops/control.js";
import { full, iota, zeros } from "../../ops/functions.js";
import { type Module, spec } from "../../ops/module.js";
import type { Key } from "../../ops/random.js";
import type { Scalar } from "../../ops/tensor.js";
import type { TrainConfig } from "./config.js";
import { averagedPart } from "./ema.js";
import { type Health, healthState } from "./health.js";
import { type OptimizerState, optimizerState } from "./optimizers/index.js";
import { treatments } from "./parameters.js";

/** The training state. What the configuration does not ask for is undefined. */
export interface TrainState<M> {
  readonly params: M;
  readonly optimizer: OptimizerState;
  /** Averages (f32) of the parameters that are trained. */
  readonly ema?: M | undefined;
  /** What the program judges its steps by. */
  readonly health?: Health | undefined;
  /** Steps done (i32), bad ones among them. */
  readonly step: Scalar;
  /** The run's random key (ui32 of 2). */
  readonly key: Key;
}

/** The state in which training of these parameters begins. */
export const firstState = <M extends Module>(model: M, params: M, key: Key, c: TrainConfig): TrainState<M> => ({
  params,
  optimizer: optimizerState(model, treatments(model, c), c, (sizes) =>
    c.offload.optimizer ? place(zeros(sizes), "pinned_host") : zeros(sizes),
  ),
  ema: averagedPart(model, params, c, (weights) => weights.cast("f32")),
  health: healthState(c, (dtype) => full({}, 0, dtype)),
  step: iota({ step: 1 }).at("step", 0),
  key,
});

/** The state of a model, to be traced. */
export const stateSpec = <M extends Module>(model: M, c: TrainConfig): TrainState<M> => ({
  params: model,
  optimizer: optimizerState(model, treatments(model, c), c, (sizes, of) => spec(sizes, "f32", of.value.declared)),
  ema: averagedPart(model, model, c, ({ sizes, value }) => spec(sizes, "f32", value.declared)),
  health: healthState(c, (dtype) => spec({}, dtype)),
  step: spec({}, "i32"),
  key: spec({ threefry: 2 }, "ui32"),
});
