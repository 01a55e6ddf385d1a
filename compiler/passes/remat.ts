/**
 * Rematerialization: a part of the program whose inner values are not kept for the backward pass but computed again there.
 * (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174; as `jax.checkpoint`.)
 */
import { type Builder, captured, cloneOps, forEachUse, type Memory, type Op, type OpDef, Value } from "../ir.js";
import { backward, structuredSyntax } from "./grad.js";
import { isView, liveBackward, residuals } from "./residuals.js";
import { regionCost } from "./scan.js";

/**
 * What of the inside is kept: nothing, everything, or the values that the author gave these names with `named`, those of `offload` in
 * the host's memory. A list is what is saved.
 */
export type RematPolicy = "nothing" | "everything" | readonly string[] | NamedPolicy;

/** Names of values. */
export interface NamedPolicy {
  /** Kept in the device's memory. */
  readonly save?: readonly string[] | undefined;
  /** Kept in the host's memory, moved there and back while other layers are computed. */
  readonly offload?: readonly string[] | undefined;
}

export interface RematAttrs {
  readonly policy: RematPolicy;
}

const named = (policy: RematPolicy): NamedPolicy =>
  typeof policy === "string" ? {} : Array.isArray(policy) ? { save: policy } : (policy as NamedPolicy);
const offloads = (policy: RematPolicy, { tag }: Value): boolean =>
  tag !== undefined && (named(policy).offload?.includes(tag) ?? false);
const saves = (policy: RematPolicy) => (v: Value) =>
  policy === "everything"
    ? !isView(v)
    : offloads(policy, v) || (v.tag !== undefined && (named(policy).save?.includes(v.tag) ?? false));

export const remat: OpDef<RematAttrs> = {
  name: "xenarc.remat",
  structured: true,
  withResults: (attrs) => attrs,
  constraints: {},
  syntax: structuredSyntax,
  cost: (op) => regionCost(op.regions[0]!),
  vjpWithCaptures(b, op, cotangents, active) {
    const region = op.regions[0]!;
    const constants = [...captured(region)].filter((v) => active.has(v));
    const inputs = op.operands.map((_, i) => i).filter((i) => active.has(op.operands[i]!));
    const given = op.results.map((_, i) => i).filter((i) => cotangents[i]);
    const ctIn = given.map((i) => new Value(op.results[i]!.type, op.results[i]!.axes));
    const forward = region.ops.length;
    const forwardResults = [...region.results];
    const gradients = backward(
      b.on(region),
      0,
      given.map((i) => region.results[i]!),
      ctIn,
      [...inputs.map((i) => region.args[i]!), ...constants],
    );
    const outputs = gradients.filter((g): g is Value => g !== undefined);
    liveBackward(region, forward, outputs);
    const { saved, recompute } = residuals(region, forward, outputs, saves(op.attrs.policy));
    const tail: Op[] = [...recompute, ...region.ops.slice(forward)];
    region.ops = region.ops.slice(0, forward);
    const moved = (b: Builder, v: Value, like: Value, memory: Memory) =>
      offloads(op.attrs.policy, like) ? b.place(v, memory) : v;
    region.results = [...forwardResults, ...saved.map((v) => moved(b.on(region), v, v, "pinned_host"))];
    const kept = saved.map((v) => moved(b, op.extend(v.type, v.axes), v, "device"));

    // The barrier ties the recomputation to the cotangents: XLA can neither merge it with the forward part nor start it early. An input
    // that nothing is computed from any more, since what was made of it is kept, need not be kept itself.
    const read = new Set<Value>(outputs);
    for (const o of tail) forEachUse(o, (v) => read.add(v));
    const sources = [
      ...region.args.map((v, i) => [v, op.operands[i]!] as const),
      ...saved.map((v, i) => [v, kept[i]!] as const),
      ...given.map((i, j) => [ctIn[j]!, cotangents[i]!] as const),
    ].filter(([v]) => read.has(v));
    const held = b.optimizationBarrier(sources.map(([, source]) => source));
    const map = new Map(sources.map(([v], i) => [v, held[i]!]));
    cloneOps(tail, b.region, map);
    return [...inputs.map((i) => op.operands[i]!), ...constants].flatMap((v, j) => {
      const g = gradients[j];
      return g ? [[v, map.get(g) ?? g] as const] : [];
    });
  },
};
