import { leavesWithPaths, mapLeaves } from "../../compiler/tree.js";
import { where } from "../../ops/functions.js";
import type { AnyTensor, Scalar, Tensor } from "../../ops/tensor.js";
import type { TrainConfig } from "./config.js";
import { type OptimizerState, optimizerOf } from "./optimizers/index.js";
import type { Treatment } from "./parameters.js";
import { type Held, type Step, throughHost } from "./through_host.js";

/** A tree's leaves by their paths. */
export const byPath = (tree: unknown): ReadonlyMap<string, Tensor> =>
  new Map(leavesWithPaths(tree) as [string, Tensor][]);

/** A tree with other leaves where there are any. */
export const replaced = <T>(tree: T, pick: (path: string) => Tensor | undefined): T =>
  mapLeaves(tree, (leaf, path) => pick(path)?.ordered(leaf.names) ?? leaf);

/** What becomes of the parameters. */
export interface Given<M> {
  readonly params: M;
  readonly optimizer: OptimizerState;
  /** A tree of gradients of the parameters that are trained. */
  readonly gradients: M;
  /** Parameters that are set by a rule of the model's, by path. */
  readonly updates: Readonly<Record<string, AnyTensor>>;
}

/** What all parameters share in a step (f32). */
export interface Shared {
  /** The number of the update, from 1. */
  readonly t: Scalar;
  readonly rate: Scalar;
  /** What gradients are multiplied with. */
  readonly scale: Scalar;
  /** Whether the step counts (i1): otherwise everything stays as it is. */
  readonly good: Scalar | undefined;
}

/** The parameters and the optimizer's state after a step; what is not among `treated` stays. */
export function updated<M>(
  { params, optimizer, gradients, updates }: Given<M>,
  treated: readonly Treatment[],
  { t, rate, scale, good }: Shared,
  c: TrainConfig,
): { params: M; optimizer: OptimizerState } {
  const rules = new Map([...new Set(treated.map((x) => x.optimizer))].map((o) => [o, optimizerOf(o, c).update(t)]));
  const rates = new Map(treated.map(({ learningRateScale: s }) => [s, s === 1 ? rate : rate.mul(s)]));
  const [ps, gs] = [byPath(params), byPath(gradients)];
  const kept = Object.entries(optimizer).map(([slot, tree]) => [slot, byPath(tree)] as const);
  const steps = treated.map(({ path, of, optimizer: by, learningRateScale, weightDecay }): Step => {
    const own = kept.flatMap(([slot, tree]) => (tree.has(path) ? [[slot, tree.get(path)!] as const] : []));
    return {
      slot: { p: ps.get(path)!, g: gs.get(path)!, kept: Object.fromEntries(own) },
      stack: of.stack,
      update: ({ p, g, kept }) => {
        const rule = rules.get(by)!;
        const weight = p.cast("f32");
        const next = rule({ p, g: g.cast("f32").mul(scale), kept }, of);
        const decayed = weightDecay === 0 ? next.direction : next.direction.add(weight.mul(weightDecay));
        const moved = { p: weight.sub(decayed.mul(rates.get(learningRateScale)!)).cast(p.dtype), kept: next.kept };
        return good === undefined ? moved : unless(good, moved, { p, kept });
      },
    };
  });
  const done = c.offload.optimizer ? throughHost(steps) : steps.map(({ slot, update }) => update(slot));
  const next = new Map(treated.map(({ path }, i) => [path, done[i]!]));
  const set = (path: string): Tensor | undefined => {
    const value = updates[path] as Tensor | undefined;
    return value && good ? chosen(good, value, ps.get(path)!) : value;
  };
  return {
    params: replaced(params, (path) => next.get(path) && (set(path) ?? next.get(path)!.p)),
    optimizer: Object.fromEntries(
      Object.entries(optimizer).map(([slot, tree]) => [slot, replaced(tree, (path) => next.get(path)?.kept[slot])]),
    ),
  };
}

/** A tensor where the step counts, and otherwise the one before. */
export const chosen = (good: Scalar, next: Tensor, before: Tensor): Tensor =>
  where(good, next.ordered(before.names), before) as Tensor;

const unless = (good: Scalar, next: Held, before: Held): Held => ({
  p: chosen(good, next.p, before.p),
  kept: Object.fromEntries(Object.entries(before.kept).map(([k, x]) => [k, chosen(good, next.kept[k]!, x)])),
});
