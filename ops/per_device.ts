/**
 * Code of one device: `perDevice`, and what devices say to each other inside of it. Everything else is the partitioner's, which splits
 * programs that are written for the whole; this is for what it would not find by itself.
 */
import { captured, Region, substitute, type Value } from "../compiler/ir.js";
import { deviceGroups, localShape, meshSize, type Rules, type Spec } from "../compiler/mesh.js";
import { currentLayout, escape, intoRegion, takeEscapes, withLayout } from "../compiler/trace.js";
import { leaves as anyLeaves, mapLeaves, withValues } from "../compiler/tree.js";
import { put } from "./functions.js";
import type { Monoid } from "./hlo/regions.js";
import { describe, hlo, type Scalar, sharded, Tensor, tensorError } from "./tensor.js";

const leaves = (tree: unknown): Tensor[] => anyLeaves(tree) as Tensor[];

/** One mesh axis or several, the first outermost. */
export type MeshAxes = string | readonly string[];

/** How `perDevice` splits what it is given. */
export interface PerDeviceOptions {
  /** Mesh axes of which the function is the code of one device. Default: those that split an input. */
  readonly over?: readonly string[];
  /** Mesh axes by axis name, where they differ from the rules of activations. */
  readonly axes?: Rules;
}

/**
 * Runs `f` as the code of one device: it is given the device's parts of the inputs and returns its parts of the results, split by axis
 * name as the rules of activations say. An axis that no rule splits is whole on every device, and so is what `f` takes from outside;
 * results must then be the same on all of them. Along the mesh axes that it is not written for, tensors are whole to it, and XLA's
 * partitioner splits what it does. Without a mesh it is `f(inputs)`. (As `jax.shard_map`.)
 *
 * Modules may be called inside. Gradients are right whatever devices share: see `manualComputation`.
 */
export function perDevice<T, R>(inputs: T, f: (inputs: T) => R, { over, axes = {} }: PerDeviceOptions = {}): R {
  const layout = currentLayout();
  if (layout === undefined) return f(inputs);
  const { mesh } = layout;
  const rules = layout.withActivations(axes);
  const given = leaves(inputs);
  const split = given.map((x) => rules.spec("activations", sharded(x, `The tensor ${describe(x)}`)));
  const wanted = over ?? split.flatMap((spec) => spec.flatMap((m) => m ?? []));
  if (!wanted.some((m) => meshSize(mesh, m) > 1)) return f(inputs);
  // Of an axis with one device, code for one device is code for all.
  const manual = mesh.axes
    .filter(({ name, size }) => !layout.manual.includes(name) && (size === 1 || wanted.includes(name)))
    .map((axis) => axis.name);
  const own = (m: readonly string[] | undefined) => m?.filter((name) => manual.includes(name)) ?? [];
  const specs = split.map((spec): Spec => spec.map(own));
  // An axis of a result is split as it is in the inputs.
  const known = new Map<string, readonly string[]>();
  given.forEach((x, i) => x.names.forEach((n, d) => specs[i]![d]!.length > 0 && known.set(n, specs[i]![d]!)));
  const whole = new Set(given.flatMap((x) => x.names as string[]));
  const splitOf = (n: string) => known.get(n) ?? (whole.has(n) ? [] : own(rules.over("activations", n)));

  const b = hlo();
  const region = new Region();
  const inner = layout.within(manual);
  const within = <X>(trace: () => X): X => withLayout(inner, trace);
  let i = 0;
  const local = mapLeaves(inputs, (leaf, path) => {
    const { type, declared } = leaf.value;
    const shape = localShape(mesh, specs[i++]!, type.shape);
    return leaf.with(region.arg({ ...type, shape }, leaf.names, path || undefined, declared));
  });
  const result = intoRegion(b.on(region), () => within(() => f(local)));
  const outs = leaves(result);
  // What is looked at inside is shown of every device; of what is reported, their mean.
  const devices = manual.reduce((n, m) => n * meshSize(mesh, m), 1);
  const escaped = intoRegion(b.on(region), () =>
    within(() =>
      takeEscapes(region).map((e) => {
        const value = new Tensor(e.names, e.value) as Tensor;
        const looked = e.kind === "print" || e.kind === "assert";
        const each = (x: Tensor) => x.broadcast({ device: 1 }).ordered(["device", ...x.names]);
        const given = looked ? each(value) : (allReduce(value, manual).div(devices) as Tensor);
        return { ...e, given, when: e.when && each(new Tensor<any>([], e.when)) };
      }),
    ),
  );
  const shown = escaped.flatMap((e) => [e.given, ...(e.when ? [e.when] : [])]);
  region.results = [...outs, ...shown].map((t) => t.value);
  const outside = [...captured(region)];
  const inside = outside.map((v) => region.arg(v.type, v.axes, v.label, v.declared));
  substitute(region, new Map(outside.map((v, k) => [v, inside[k]!])));
  const results = b.manualComputation(
    [...given.map((t) => t.value), ...outside],
    {
      mesh,
      manual,
      inputs: [...specs, ...outside.map((v) => v.type.shape.map(() => []))],
      outputs: [
        ...outs.map((t) => t.names.map(splitOf)),
        ...shown.map((t) => t.names.map((n) => (n === "device" ? manual : []))),
      ],
      within,
    },
    region,
  );
  let at = outs.length;
  for (const { given, when, ...e } of escaped) {
    const value = results[at++]!;
    escape({ ...e, value, names: given.names, ...(when && { when: anyOf(results[at++]!) }) });
  }
  return withValues(result, results.slice(0, outs.length));
}

const anyOf = (flags: Value): Value => hlo().reduceOr(flags, [0]);

/** The mesh axes named that have several devices, and those devices in groups. @throws XenarcError outside of `perDevice`. */
function groupsOf(operation: string, over: MeshAxes): { axes: readonly string[]; groups: number[][] } | undefined {
  const layout = currentLayout();
  const axes = [over].flat().filter((m) => layout && meshSize(layout.mesh, m) > 1);
  if (layout === undefined || axes.length === 0) return undefined;
  const other = axes.find((m) => !layout.manual.includes(m));
  if (other !== undefined) {
    throw tensorError(`${operation}: this is not the code of one device along the mesh axis "${other}".`, [], {
      expected: "to be called in the function that perDevice runs, with that axis among those it splits an input over",
      fix: `Give perDevice over: ["${other}"], or split one of its inputs over it.`,
    });
  }
  return { axes, groups: deviceGroups(layout.mesh, axes) };
}

/** The mesh axes that the rules split an activation along `seq` over. */
export function seqOver(x: Tensor): readonly string[] {
  return currentLayout()?.spec("activations", sharded(x))[x.position("seq")] ?? [];
}

/** The number of devices along mesh axes; 1 along those that the mesh does not have. */
export function axisSize(over: MeshAxes): number {
  const layout = currentLayout();
  return [over].flat().reduce((n, m) => n * (layout ? meshSize(layout.mesh, m) : 1), 1);
}

/** The device's position along mesh axes (i32), from 0. (As `jax.lax.axis_index`.) */
export function axisIndex(over: MeshAxes): Scalar {
  const b = hlo();
  const found = groupsOf("axisIndex", over);
  if (found === undefined) return new Tensor([], b.constant({ shape: [], dtype: "i32" }, 0)) as Scalar;
  const { mesh } = currentLayout()!;
  const device = new Tensor([], b.convert(deviceNumber(), "i32")) as Scalar;
  let index: Scalar | undefined;
  for (const name of found.axes) {
    const position = mesh.axes.findIndex((a) => a.name === name);
    const stride = mesh.axes.slice(position + 1).reduce((n, a) => n * a.size, 1);
    const size = mesh.axes[position]!.size;
    const along = device.div(stride).rem(size);
    index = index === undefined ? along : index.mul(size).add(along);
  }
  return index!;
}

/** The device's number in the mesh. Where other axes are the partitioner's, it is asked in code of one device along all of them. */
function deviceNumber(): Value {
  const b = hlo();
  const { mesh, manual } = currentLayout()!;
  const rest = mesh.axes.map((a) => a.name).filter((m) => !manual.includes(m));
  if (rest.length === 0) return b.partitionId();
  const body = b.nested([], (inner) => [inner.partitionId()]);
  return b.manualComputation(
    [],
    { mesh, manual: rest, inputs: [], outputs: [[]], within: (trace) => trace() },
    body,
  )[0]!;
}

/**
 * What the device `by` positions before has: each device's tensors go `by` positions on along mesh axes, the last devices' to the
 * first. (As `jax.lax.ppermute` around a ring.)
 */
export function ring<T>(tree: T, over: MeshAxes, by = 1): T {
  const found = groupsOf("ring", over);
  if (found === undefined) return tree;
  const pairs = found.groups.flatMap((group) =>
    group.map((device, i) => [device, group[(((i + by) % group.length) + group.length) % group.length]!]),
  );
  return mapLeaves(tree, (leaf) => leaf.with(hlo().collectivePermute(leaf.value, pairs)));
}

/** The devices' parts of a tensor along an axis one after the other, on each of them. (As `jax.lax.all_gather`, tiled.) */
export function allGather<A extends string>(x: Tensor<A>, axis: NoInfer<A>, over: MeshAxes): Tensor<A> {
  const found = groupsOf("allGather", over);
  return found ? x.with(hlo().allGather(x.value, x.position(axis), found.groups)) : x;
}

/** The device's part along an axis of a tensor that all of them have: what {@link allGather} puts together. */
export function ownPart<A extends string>(x: Tensor<A>, axis: NoInfer<A>, over: MeshAxes): Tensor<A> {
  if (groupsOf("ownPart", over) === undefined) return x;
  const size = x.size(axis) / axisSize(over);
  return x.dynamicSlice(axis, axisIndex(over).mul(size) as Scalar, size);
}

/** Every device's tensor combined element by element; default: their sum. (As `jax.lax.psum`, `pmax`, `pmin`.) */
export function allReduce<T>(tree: T, over: MeshAxes, by: Monoid = "add"): T {
  const found = groupsOf("allReduce", over);
  return found ? mapLeaves(tree, (leaf) => leaf.with(hlo().allReduce(leaf.value, found.groups, by))) : tree;
}

/** The sum of the devices' tensors, of which each has its part along an axis. (As `jax.lax.psum_scatter`, tiled.) */
export function reduceScatter<A extends string>(x: Tensor<A>, axis: NoInfer<A>, over: MeshAxes): Tensor<A> {
  const found = groupsOf("reduceScatter", over);
  return found ? x.with(hlo().reduceScatter(x.value, x.position(axis), found.groups)) : x;
}

/**
 * Each device gives every other its part along the axis `split` and gets theirs along the axis `concat`: what was split over the mesh along
 * `concat` is then split along `split`. (As `jax.lax.all_to_all`, tiled.)
 */
export function allToAll<A extends string>(
  x: Tensor<A>,
  split: NoInfer<A>,
  concat: NoInfer<A>,
  over: MeshAxes,
): Tensor<A> {
  const found = groupsOf("allToAll", over);
  return found ? x.with(hlo().allToAll(x.value, x.position(split), x.position(concat), found.groups)) : x;
}

/**
 * As {@link put}, of a tensor that the rules may split over the mesh along the axis: each device writes what falls into its own part. The
 * partitioner would gather the whole, to keep what positions outside leave as it is.
 */
export function putInParts<A extends string, K extends A, B extends string>(
  x: Tensor<A>,
  axis: K,
  at: Tensor<B>,
  values: Tensor<Exclude<A, K> | NoInfer<B>>,
): Tensor<A> {
  const over = currentLayout()?.over("activations", axis) ?? [];
  if (over.length === 0) return put(x, axis, at, values);
  const whole = at.names.filter((n) => !x.has(n as never)).map((n) => [n, []]);
  return perDevice(
    { x, at, values },
    // What is written outside of a part is written nowhere.
    ({ x, at, values }) => put(x, axis, at.sub(axisIndex(over).mul(x.size(axis))) as Tensor<B>, values),
    { axes: Object.fromEntries(whole) },
  );
}
