/** The optimizers by name, and the state that they keep. */
import { mapLeaves } from "../../../compiler/tree.js";
import type { Parameter } from "../../../ops/module.js";
import type { Sizes, Tensor } from "../../../ops/tensor.js";
import type { TrainConfig } from "../config.js";
import type { Treatment } from "../parameters.js";
import { adamw } from "./adamw.js";
import { lion } from "./lion.js";
import type { Optimizer } from "./optimizer.js";
import { sgd } from "./sgd.js";

export type { Direction, Kept, Optimizer, Slot } from "./optimizer.js";

const OPTIMIZERS: Readonly<Record<TrainConfig["optimizer"], (c: TrainConfig) => Optimizer>> = { adamw, lion, sgd };

/** The optimizer of a configuration. */
export const optimizerOf = (c: TrainConfig): Optimizer => OPTIMIZERS[c.optimizer](c);

/** By slot a tree like the parameters that has what is kept of those that are trained. */
export type OptimizerState = Readonly<Record<string, unknown>>;

/** The state of an optimizer, made leaf by leaf of the sizes and the parameter. */
export function optimizerState<M>(
  model: M,
  treatments: readonly Treatment[],
  optimizer: Optimizer,
  make: (sizes: Sizes<string>, of: Parameter) => Tensor,
): OptimizerState {
  const kept = new Map(treatments.filter(({ freeze }) => !freeze).map(({ path, of }) => [path, optimizer.slots(of)]));
  const slots = new Set([...kept.values()].flatMap(Object.keys));
  const tree = (slot: string) =>
    mapLeaves(model, (leaf, path) => {
      const sizes = kept.get(path)?.[slot];
      return sizes && make(sizes, leaf as Parameter);
    });
  return Object.fromEntries([...slots].map((slot) => [slot, tree(slot)]));
}
