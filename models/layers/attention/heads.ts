import { meshSize } from "../../../compiler/mesh.js";
import { currentLayout } from "../../../compiler/trace.js";
import { allReduce, perDevice } from "../../../ops/per_device.js";
import { describe, type Tensor, tensorError } from "../../../ops/tensor.js";
import { asWhole } from "./blockwise.js";
import { differentiable, type Passes } from "./differentiable.js";
import type { Keys, Order, Queries, Sees } from "./visible.js";

/**
 * How a sequence lies on the mesh while it is attended to: whole, its heads, of these axes of the queries, over what splits them; and the first
 * of them that divides over what splits sequences elsewhere, too, or over as many of those mesh axes, from the first on, as it does (Jacobs et al.
 * 2023, "DeepSpeed Ulysses", arXiv:2309.14509).
 */
export function headsOver(query: Tensor, heads: readonly string[]): Record<string, readonly string[]> {
  const layout = currentLayout();
  if (layout === undefined) return {};
  const ofHeads = (axis: string) => layout.over("activations", axis);
  const ofSequence = layout.over("activations", "seq");
  const divides = (axis: string, over: readonly string[]) =>
    query.has(axis) && query.size(axis) % over.reduce((n, m) => n * meshSize(layout.mesh, m), 1) === 0;
  const lying = Object.fromEntries(heads.map((n) => [n, ofHeads(n)]));
  for (let count = ofSequence.length; count > 0; count--) {
    const over = (axis: string) => [...ofHeads(axis), ...ofSequence.slice(0, count)];
    const further = heads.find((n) => divides(n, over(n)));
    if (further !== undefined) return { seq: [], key: [], ...lying, [further]: over(further) };
  }
  return { seq: [], key: [], ...lying };
}

/**
 * The mesh axes of which code that goes along whole sequences in loops is that of one device: all that split activations, those too that no
 * axis of heads divides over. The partitioner would split each step of a loop over them.
 */
export const alongSequences = (heads: readonly string[]): readonly string[] => {
  const layout = currentLayout();
  return ["batch", ...heads, "seq", "key"].flatMap((n) => layout?.over("activations", n) ?? []);
};

/** The mesh axes along which devices have the same queries of whole sequences, whose heads lie over `over`. */
export const sharing = (heads: readonly string[], over: readonly string[]): readonly string[] => {
  const others = [...over, ...(currentLayout()?.over("activations", "batch") ?? [])];
  return [...new Set(alongSequences(heads))].filter((m) => !others.includes(m));
};

/**
 * Attention along a sequence that is split over the mesh, by heads: devices exchange their parts of the sequence for some of the heads of
 * all of it, and back. Each sends what it has once, however many they are.
 * @throws XenarcError when the heads do not divide.
 */
export function byHeads(
  query: Queries,
  key: Keys,
  value: Keys,
  order: Order,
  sees: Sees,
  blockSize: number,
  asKernel: boolean,
): Queries {
  const heads = (order.query as readonly string[]).filter((n) => !["batch", "seq", "headDim"].includes(n));
  const axes = headsOver(query as Tensor, heads);
  const ofSequence = currentLayout()!.over("activations", "seq");
  if (!heads.some((n) => ofSequence.every((m) => axes[n]!.includes(m)))) {
    throw tensorError(`attention: the heads of ${describe(query as Tensor)} do not divide over the mesh.`, [query], {
      expected: "a multiple of the devices that heads and sequences are split over",
      fix: "Change the mesh, or have keys and values travel: sharding.context=ring.",
    });
  }
  const { positions, mask, sinks, segments } = sees;
  const seen = { ...(positions && { positions }), ...(mask && { mask }), ...(segments && { segments }) };
  // Where heads that share keys are apart, each device has its part of the keys' cotangents.
  const ofGroups = heads.filter((n) => !key.has(n as "head")).flatMap((n) => axes[n]!);
  const ofDevice = (local: typeof seen): Passes => asWhole(order, { ...sees, ...local }, blockSize, asKernel);
  const passes: Passes = {
    forward: (q, k, v) =>
      perDevice({ q, k, v, seen }, ({ q, k, v, seen }) => ofDevice(seen).forward(q, k, v), { axes }),
    backward: (...given) =>
      perDevice(
        { given, seen },
        ({ given, seen }) => {
          const [dq, ...ofKeys] = ofDevice(seen).backward(...given);
          const [dk, dv] = allReduce(ofKeys, ofGroups);
          return [dq, dk, dv] as const;
        },
        { axes },
      ),
  };
  return differentiable(order, passes, sinks)(query, key, value);
}
