/**
 * Layers in a pipeline of stages: one loop over ticks, in which every stage takes the micro-batch that it holds through a group of layers,
 * and then all hand on what they have at once. To the program a stage is a position along the axis `stage` of weights and activations,
 * which lies on the mesh axis of that name: handing on is a rotation along it, for which devices send to their neighbours.
 */
import type { XenarcError } from "../compiler/errors.js";
import { captured, isFloat, Region, type Value } from "../compiler/ir.js";
import { type Layout, meshSize } from "../compiler/mesh.js";
import { type Pipeline, period, ticks } from "../compiler/pipeline.js";
import {
  constrained,
  currentLayout,
  type Escape,
  escape,
  intoRegion,
  takeEscapes,
  withLayout,
} from "../compiler/trace.js";
import { leaves as anyLeaves, mapLeaves, withValues } from "../compiler/tree.js";
import { customVjp, scan, stopGradient } from "./control.js";
import { concatenate, gather, iota, where } from "./functions.js";
import { asParts } from "./random.js";
import { describe, hlo, type Scalar, type Sizes, sharded, Tensor, tensorError } from "./tensor.js";

/** A tree of tensors. */
type Tree = unknown;
const leaves = (tree: Tree) => anyLeaves(tree) as Tensor[];
const map = <T>(tree: T, f: (x: Tensor) => Tensor): T => mapLeaves(tree, (leaf) => f(leaf as Tensor));

/** Layers by repeat and stage, with their inputs (caches, random keys). */
export interface Layers<M> {
  readonly $layer: M;
  readonly $inputs: Tree;
}

/** The number of examples in a tree; undefined where nothing has an axis `batch`. */
export const batchOf = (tree: Tree): number | undefined =>
  leaves(tree)
    .find((x) => x.has("batch"))
    ?.size("batch");

/**
 * Runs layers in stages on the micro-batches of a batch. `group` runs the layers of one stage: what it is given has the axis `stage`
 * besides, and so has what it returns.
 *
 * Where the batch is split over mesh axes that split no weight (`data`), each of its parts has stages of its own, side by side along `stage`, with
 * weights of their own: weights' gradients are then added up within each part, tick by tick, and over the parts once, at the end.
 *
 * A tensor without an axis `batch` is each micro-batch's own; what comes out of the carry and of the outputs is then the mean over the
 * micro-batches, of integers the sum; so it is with what layers report. What layers draw at random is what they would draw for the whole batch;
 * without an axis `batch`, each micro-batch draws for itself. Where a stage has nothing to do it computes on another's micro-batch, so that
 * all numbers stay as finite as they are, and the result is dropped.
 *
 * @param axis that of the layers. In `$layer` it is one of two where there are repeats, behind `repeat`; in `$inputs` it is all layers'.
 * @throws XenarcError when a tensor has an axis that the pipeline adds.
 */
export function pipelined<C, M>(
  p: Pipeline,
  axis: string,
  init: C,
  { $layer, $inputs }: Layers<M>,
  group: (carry: C, layers: Layers<M>) => readonly [C, Tree],
): [C, Tree] {
  const { stages, repeats, microBatches } = p;
  for (const x of leaves([init, $inputs])) x.refuse("pipeline", ["stage", "replica", "repeat", "microBatch"], []);
  const outside = currentLayout();
  const over = outside && batchOf($inputs) === undefined ? replicaAxes(outside, p, batchOf(init), $layer) : [];
  const replicas = over.reduce((n, m) => n * meshSize(outside!.mesh, m), 1);
  const inside = outside?.inStages(axis, over);
  const cycle = period(p);

  const { region } = hlo();
  const before = takeEscapes(region);
  const [end, outputs] = withLayout(inside, () => {
    const place = iota({ stage: stages * replicas }) as Tensor;
    const stage = place.div(replicas) as Tensor;
    const first = stage.eq(0);
    const byStage = {
      $layer: map($layer, (w) => constrained(inGroups(w, axis, { stage: stages }, replicas), "parameters")),
      $inputs: map($inputs, (x) =>
        inGroups(x, axis, repeats > 1 ? { repeat: repeats, stage: stages } : { stage: stages }, replicas),
      ),
    };

    // A place for each micro-batch: what the first stage has yet to take, and what came out of the last. Every stage has such places, of which
    // the first one's count, so that nothing is sent for them in a tick.
    const places = constrained(map(init, (x) => inPlaces(x, p, replicas)));
    const held = stopGradient(map(places, (x) => x.at("microBatch", 0)));
    return scan("tick", { places, held }, iota({ tick: ticks(p) }), ({ places, held }, tick: Scalar) => {
      const taken = leaves(places).map((x) => take(x, tick.rem(cycle).minimum(microBatches - 1)));
      const carry = withValues(
        held,
        leaves(held).map((x, i) => where(first, taken[i]!.x, x).value),
      );
      // Ticks since the first stage took what a stage holds.
      const since = stage.neg().add(tick).maximum(0) as Tensor;
      const repeat = since.div(cycle).minimum(repeats - 1);
      const ofRepeat = (x: Tensor) => (repeats > 1 ? hadAgain(gather(x, "repeat", repeat)) : x);
      const run = () =>
        group(carry, { $layer: map(byStage.$layer, ofRepeat), $inputs: map(byStage.$inputs, ofRepeat) });
      const number = since
        .rem(cycle)
        .minimum(microBatches - 1)
        .add(place.rem(replicas).mul(microBatches)) as Tensor;
      const [next, outputs] = asParts(partOfBatch(held, number, p, replicas), run);
      const handed = constrained(map(next, (x) => rotated(x, replicas)));
      const done = tick.sub(stages - 1);
      const slot = done.maximum(0).rem(cycle);
      const arrived = done.ge(0).and(slot.lt(microBatches));
      const arrivals = leaves(handed);
      const kept = taken.map(({ rest }, i) => put(rest, slot.minimum(microBatches - 1), arrivals[i]!, arrived).value);
      return [{ places: withValues(places, kept), held: handed }, outputs];
    });
  });

  // What a stage gives out for a micro-batch stands at the tick in which it had it.
  const when = iota({ repeat: repeats })
    .mul(cycle)
    .broadcast({ microBatch: microBatches })
    .add(iota({ microBatch: microBatches }))
    .broadcast({ stage: stages })
    .add(iota({ stage: stages }));
  const ofLayers = (y: Tensor) => joined(gather(apart(y, stages), "tick", when)).merge(["repeat", "stage", axis], axis);
  const escaped = takeEscapes(region);
  for (const e of before) escape(e, region);
  for (const e of escaped) {
    const y = new Tensor<any>(e.names, e.value);
    if (y.has("stage")) {
      const { value, names } = ofLayers(y);
      escape({ ...e, value, names }, region);
    } else if (e.kind === "print" || e.kind === "assert") escape(e, region);
    else throw mixed(e, y);
  }
  return [constrained(map(end.places, (x) => joined(apart(x, stages).at("stage", 0)))), map(outputs, ofLayers)];
}

/** The mesh axes, outermost first, that split the batch and no weight: along them each part of the batch has stages of its own. */
function replicaAxes(layout: Layout, { microBatches }: Pipeline, batch: number | undefined, weights: unknown) {
  const used = leaves(weights).flatMap((w) => layout.spec("parameters", sharded(w)).flatMap((m) => m ?? []));
  const over = layout.over("activations", "batch");
  const end = over.findIndex((m) => used.includes(m));
  const free = end < 0 ? over : over.slice(0, end);
  const parts = free.reduce((n, m) => n * meshSize(layout.mesh, m), microBatches);
  return batch === undefined || batch % parts !== 0 ? [] : free;
}

/** Which examples of the batch the stages have: `number` is a micro-batch's, and that of its part of the batch times as many as there are. */
function partOfBatch(held: Tree, number: Tensor, { microBatches }: Pipeline, replicas: number) {
  const size = batchOf(held);
  const parts = microBatches * replicas;
  if (size === undefined || parts === 1) return {};
  const [micro, replica] = [number.rem(microBatches), number.div(microBatches)] as [Tensor, Tensor];
  const at = iota({ batch: size })
    .mul(microBatches)
    .broadcast({ stage: number.size("stage") })
    .add(replica.mul(size * microBatches).add(micro)) as Tensor;
  return { batch: { at, of: size * parts, number } };
}

/** What is reported of all stages at once would count those that have nothing to do. */
const mixed = ({ message }: Escape, y: Tensor): XenarcError =>
  tensorError(`"${message}" is reported by layers in stages as ${describe(y)}, one figure for all stages.`, [], {
    expected: "a figure for each stage: with the axis stage, which the layer's weights and inputs have",
    fix: "Sum over axes by their names, not over all that there are.",
  });

/** Layers as groups of equal size, for every replica of the stages. */
function inGroups(x: Tensor, axis: string, groups: Sizes<string>, replicas: number): Tensor {
  const each = x.size(axis) / Object.values(groups).reduce((a, b) => a * b);
  return forReplicas(x.split<string, string>(axis, { ...groups, [axis]: each }), replicas);
}

/** The same for every replica of the stages. */
const forReplicas = (x: Tensor, replicas: number): Tensor =>
  replicas === 1 ? x : (x.broadcast({ replica: replicas }).merge(["stage", "replica"], "stage") as Tensor);

/** Places along `stage` by stage and replica. */
const apart = (x: Tensor, stages: number): Tensor => x.split("stage", { stage: stages, replica: -1 }) as Tensor;

/** A batch in micro-batches, for every stage. Examples next to each other go to different ones: a batch that is split over the mesh is cut where it lies. */
function inPlaces(x: Tensor, { stages, microBatches }: Pipeline, replicas: number): Tensor {
  const rest = x.names;
  const parts = x.has("batch")
    ? x.split("batch", { replica: replicas, batch: -1, microBatch: microBatches })
    : x.broadcast({ replica: replicas, microBatch: microBatches });
  return parts
    .broadcast({ stage: stages })
    .merge(["stage", "replica"], "stage")
    .ordered(["microBatch", "stage", ...rest]) as Tensor;
}

/** Micro-batches of all replicas as a batch again. */
function joined(x: Tensor): Tensor {
  const parts = ["replica", "microBatch"];
  if (x.has("batch")) return x.merge(["replica", "batch", "microBatch"], "batch");
  if (parts.every((axis) => x.size(axis) === 1)) return x.at("microBatch", 0).at("replica", 0);
  return isFloat(x.value.type) ? x.mean(parts) : x.sum(parts);
}

/** Each stage's part, handed to the next, the last one's to the first. */
const rotated = (x: Tensor, replicas: number): Tensor => {
  const rest = x.size("stage") - replicas;
  return customVjp(
    (x: Tensor) => [rotate(x, rest), []],
    (_, ct) => [rotate(ct, replicas)],
  )(x);
};

/** The stages in another order: from position `from` on, then those before it. */
const rotate = (x: Tensor, from: number): Tensor =>
  concatenate([x.slice("stage", from), x.slice("stage", 0, from)], "stage");

/** What is at a place. The derivative is put to that place of the derivative of `rest`: no other is touched. */
const take = customVjp(
  (places: Tensor, slot: Scalar) => [{ x: places.at("microBatch", slot), rest: places }, slot],
  (slot, ct) => [write(ct.rest, slot, ct.rest.at("microBatch", slot).add(ct.x)), undefined],
);

/** The places with one of them replaced, if anything arrived. */
const put = customVjp(
  (places: Tensor, slot: Scalar, x: Tensor, arrived: Scalar) => [
    write(places, slot, where(arrived, x, places.at("microBatch", slot))),
    { slot, arrived },
  ],
  ({ slot, arrived }, ct) => {
    const here = ct.at("microBatch", slot);
    return [write(ct, slot, where(arrived.not(), here, 0)), undefined, where(arrived, here, 0), undefined];
  },
);

const write = (places: Tensor, slot: Scalar, x: Tensor): Tensor =>
  places.update("microBatch", slot, x.broadcast({ microBatch: 1 }));

/** Weights picked by repeat are picked again for the backward pass, not kept for every tick. */
function hadAgain(x: Tensor): Tensor {
  x.value.view = true;
  return x;
}

/**
 * The error of layers that read from outside of them what belongs to the examples of a whole batch; undefined where none does.
 * @param run traces the layers on the whole batch.
 */
export function readsBatch(batch: number, run: () => Tree, own: Tree): XenarcError | undefined {
  const region = new Region();
  intoRegion(hlo().on(region), run);
  const given = new Set(leaves(own).map((x) => x.value));
  const whole = ({ type, axes }: Value) => axes?.some((axis, d) => axis === "batch" && type.shape[d] === batch);
  const read = [...captured(region)].find((v) => !given.has(v) && whole(v));
  return (
    read &&
    tensorError(
      `The layers run on micro-batches, and read the whole batch's ${describe(new Tensor(read.axes!, read))} from outside.`,
      [new Tensor(read.axes!, read)],
      {
        expected: "tensors with an axis batch as part of the carry, which is cut into micro-batches",
        fix: "Carry it along: scan({ h, positions }, (layer, { h, positions }) => ...). Positions that are the same for all examples need no batch.",
      },
    )
  );
}
