import { mapLeaves } from "../../compiler/tree.js";
import { full } from "../../ops/functions.js";
import { spec } from "../../ops/module.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import type { TrainConfig } from "./config.js";
import { treatments } from "./parameters.js";
import { byPath, chosen } from "./update.js";

/** The part of a tree like the model's of which an average is kept: what is trained; undefined where none is. */
export function averagedPart<M>(model: M, tree: M, c: TrainConfig, make: (weights: Tensor) => Tensor): M | undefined {
  if (c.ema === undefined) return undefined;
  const trained = new Set(treatments(model, c).flatMap(({ path, freeze }) => (freeze ? [] : [path])));
  return mapLeaves(tree, (leaf, path) => (trained.has(path) ? make(leaf as Tensor) : undefined));
}

/**
 * The averages (f32) after step `t` (f32, from 1): of the weights after each step so far, older ones weighing less by `decay` a step, all
 * weighing 1 together, as Adam's moments are corrected (Kingma and Ba 2015, arXiv:1412.6980, section 3): the weights from which training began are
 * not in them.
 */
export function averages<M>(before: M, params: M, t: Scalar, decay: number, good: Scalar | undefined): M {
  // What the newest weights count: (1 - decay) / (1 - decay^t), exact for a decay near 1.
  const share = full({}, decay - 1).div(t.mul(Math.log(decay)).expm1());
  const weights = byPath(params);
  return mapLeaves(before, (leaf, path) => {
    const mean = leaf as Tensor;
    const next = mean.add(weights.get(path)!.cast("f32").sub(mean).mul(share)).ordered(mean.names);
    return good ? chosen(good, next, mean) : next;
  });
}

/** The weights that a program which does not train reads: what it is given of the state, and the model made of that. */
export interface Weights<M> {
  readonly state: { readonly params: M; readonly ema?: M };
  readonly model: (state: { readonly params: M; readonly ema?: M }) => M;
}

/** The parameters, or the averages of those that have one. `declared`: the model as declared. */
export function weightsOf<M>(declared: M, c: TrainConfig): Weights<M> {
  const ema = c.ema?.evaluate
    ? averagedPart(declared, declared, c, ({ sizes, value }) => spec(sizes, "f32", value.declared))
    : undefined;
  if (ema === undefined) return { state: { params: declared }, model: ({ params }) => params };
  const averaged = byPath(ema);
  const rest = mapLeaves(declared, (leaf, path) => (averaged.has(path) ? undefined : leaf));
  return {
    state: { params: rest, ema },
    model: (state) => {
      const [own, means] = [byPath(state.params), byPath(state.ema)];
      return mapLeaves(declared, (leaf, path) => own.get(path) ?? means.get(path)!.cast((leaf as Tensor).dtype));
    },
  };
}
