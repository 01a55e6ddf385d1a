/** The optimizers by name, and the state that they keep. */
import { mapLeaves } from "../../../compiler/tree.js";
import type { Parameter } from "../../../ops/module.js";
import type { Sizes, Tensor } from "../../../ops/tensor.js";
import type { OptimizerName, TrainConfig } from "../config.js";
import type { Treatment } from "../parameters.js";
import { adafactor } from "./adafactor.js";
import { adamw } from "./adamw.js";
import { lion } from "./lion.js";
import { muon } from "./muon.js";
import type { Optimizer } from "./optimizer.js";
import { sgd } from "./sgd.js";

export type { Direction, Kept, Optimizer, Slot } from "./optimizer.js";

const OPTIMIZERS: Readonly<Record<OptimizerName, (c: TrainConfig) => Optimizer>> = {
  adamw,
  adafactor,
  lion,
  muon,
  sgd,
};

/** The optimizer of that name, with the settings of the configuration. */
export const optimizerOf = (name: OptimizerName, c: TrainConfig): Optimizer => OPTIMIZERS[name](c);

/** By slot a tree like the parameters that has what is kept of those that are trained. */
export type OptimizerState = Readonly<Record<string, unknown>>;

/** The state of an optimizer, made leaf by leaf of the sizes and the parameter. */
export function optimizerState<M>(
  model: M,
  treatments: readonly Treatment[],
  c: TrainConfig,
  make: (sizes: Sizes<string>, of: Parameter) => Tensor,
): OptimizerState {
  const trained = treatments.filter(({ freeze }) => !freeze);
  const kept = new Map(trained.map(({ path, of, optimizer }) => [path, optimizerOf(optimizer, c).slots(of)]));
  const slots = new Set([...kept.values()].flatMap(Object.keys));
  const tree = (slot: string) =>
    mapLeaves(model, (leaf, path) => {
      const sizes = kept.get(path)?.[slot];
      return sizes && make(sizes, leaf as Parameter);
    });
  return Object.fromEntries([...slots].map((slot) => [slot, tree(slot)]));
}
