import {
  cloneOps,
  forEachUse,
  type Op,
  Region,
  sameType,
  type TensorType,
  typeText,
  Value,
} from "../../compiler/ir.js";
import { deviceGroups, localShape, type Mesh, meshSize, type Spec, specText } from "../../compiler/mesh.js";
import { backward } from "../../compiler/passes/grad.js";
import { liveBackward, residuals } from "../../compiler/passes/residuals.js";
import { functionType, type HloOp } from "./define.js";
import type { HloBuilder } from "./index.js";
import { costOf } from "./regions.js";

export interface ManualComputationAttrs {
  readonly mesh: Mesh;
  /** The mesh axes of which the region is the code of one device, in the mesh's order. */
  readonly manual: readonly string[];
  /** How operands and results are split over them. */
  readonly inputs: readonly Spec[];
  readonly outputs: readonly Spec[];
  /** Runs what traces more of the region: its derivative. */
  readonly within: <T>(trace: () => T) => T;
}

type ManualOp = Op<ManualComputationAttrs>;

const globalType = (mesh: Mesh, spec: Spec, { shape, dtype }: TensorType): TensorType => ({
  dtype,
  shape: shape.map((n, d) => (spec[d] ?? []).reduce((p, m) => p * meshSize(mesh, m), n)),
});

/** Operands with the region's arguments, results with the region's results: each with its spec. */
const pairs = ({ operands, results, regions: [body], attrs }: ManualOp) => [
  ...operands.map((whole, i) => ({ whole, local: body!.args[i]!, spec: attrs.inputs[i]! })),
  ...results.map((whole, i) => ({ whole, local: body!.results[i]!, spec: attrs.outputs[i]! })),
];

/** The manual axes that do not split a value: all devices along them are given the same, and must give the same. */
const sameAlong = ({ manual }: ManualComputationAttrs, spec: Spec): string[] =>
  manual.filter((m) => !spec.some((over) => over?.includes(m)));

/**
 * Code of one device: the region is given the device's parts of the operands and gives its parts of the results. Where a mesh axis
 * splits an operand not at all, each device has the whole; of results, each device along such an axis gives the same. Along the mesh
 * axes that are not manual, the partitioner splits what is in the region as it does outside. Shardy dialect, "sdy.manual_computation";
 * constraints are numbered as its verification is described there.
 *
 * The derivative is another one, which gets what it needs of the first as further results: arrays of all devices' values. The
 * cotangent of an operand that devices share is the sum of theirs; that of a result they share is shared out among them.
 */
export const manualComputation: HloOp<
  ManualComputationAttrs,
  [operands: readonly Value[], attrs: ManualComputationAttrs, body: Region],
  readonly Value[]
> = {
  name: "sdy.manual_computation",
  withResults: (attrs, kept) => ({ ...attrs, outputs: attrs.outputs.filter((_, i) => kept[i]) }),
  constraints: {
    C1: ({ operands, results, attrs }) =>
      attrs.inputs.length === operands.length && attrs.outputs.length === results.length
        ? undefined
        : `${attrs.inputs.length} and ${attrs.outputs.length} shardings for ${operands.length} operands and ${results.length} results`,
    C2: ({ operands, results, regions: [body] }) =>
      body!.args.length === operands.length && body!.results.length === results.length
        ? undefined
        : `the body takes ${body!.args.length} values and gives ${body!.results.length}, not ${operands.length} and ${results.length}`,
    C3: (op) => {
      const stray = pairs(op).flatMap(({ spec }) => spec.flatMap((over) => over ?? []));
      const other = stray.find((m) => !op.attrs.manual.includes(m));
      return other === undefined ? undefined : `the mesh axis ${other} splits a value, and is not manual`;
    },
    C4: (op) => {
      const bad = pairs(op).find(
        ({ whole, spec }) => !localShape(op.attrs.mesh, spec, whole.type.shape).every(Number.isInteger),
      );
      return bad && `${typeText(bad.whole.type)} cannot be split as ${specText(bad.spec)}`;
    },
    C5: (op) => {
      const bad = pairs(op).find(
        ({ whole, local, spec }) => !sameType(whole.type, globalType(op.attrs.mesh, spec, local.type)),
      );
      return (
        bad &&
        `${typeText(bad.local.type)} is not what one device has of ${typeText(bad.whole.type)} as ${specText(bad.spec)}`
      );
    },
  },
  syntax(op, p) {
    const { mesh, manual, inputs, outputs } = op.attrs;
    const open = manual.length < mesh.axes.length;
    const shardings = (specs: readonly Spec[]) => `[${specs.map((s) => `<@mesh, ${specText(s, open)}>`).join(", ")}]`;
    const body = op.regions[0]!;
    const args = body.args.map((a) => `${p.value(a)}: ${p.type(a.type)}`).join(", ");
    const axes = manual.map((m) => `"${m}"`).join(", ");
    return `${op.def.name}(${p.values(op.operands)}) in_shardings=${shardings(inputs)} out_shardings=${shardings(outputs)} manual_axes={${axes}} (${args}) ${p.region(body, "bare", "sdy.return")} : ${functionType(op, p)}`;
  },
  cost({ attrs: { mesh, manual }, regions }) {
    const devices = manual.reduce((n, m) => n * meshSize(mesh, m), 1);
    const { flops, transcendentals, bytes } = costOf(regions);
    return { flops: devices * flops, transcendentals: devices * transcendentals, bytes: devices * bytes };
  },
  make: (b, operands, attrs, body) =>
    b.emit(
      manualComputation,
      operands,
      attrs,
      body.results.map((v, i) => globalType(attrs.mesh, attrs.outputs[i]!, v.type)),
      [body],
      body.results.map((v) => v.axes),
    ).results,
  vjpWithCaptures(b, op, cotangents, active) {
    const { attrs } = op;
    const { mesh, manual, within } = attrs;
    const region = op.regions[0]!;
    const wanted = op.operands.map((_, i) => i).filter((i) => active.has(op.operands[i]!));
    const given = op.results.map((_, i) => i).filter((i) => cotangents[i]);
    const ctIn = given.map((i) => new Value(region.results[i]!.type, region.results[i]!.axes));

    // Differentiate the body in place, then take the appended part out again.
    const forward = region.ops.length;
    const inner = b.on(region);
    const found = within(() =>
      backward(
        inner,
        0,
        given.map((i) => region.results[i]!),
        ctIn,
        wanted.map((i) => region.args[i]!),
      ).map((g, k) => {
        const shared = sameAlong(attrs, attrs.inputs[wanted[k]!]!);
        return g && shared.length > 0 ? inner.allReduce(g, deviceGroups(mesh, shared)) : g;
      }),
    );
    const inputs = wanted.filter((_, k) => found[k]);
    const gradients = found.filter((g): g is Value => g !== undefined);
    liveBackward(region, forward, gradients);
    const { saved, recompute } = residuals(region, forward, gradients, (v) => !v.op!.def.view);
    const tail = [...recompute, ...region.ops.slice(forward)];
    region.ops = region.ops.slice(0, forward);

    // What is kept: every device's own, one after the other along the first dimension; of a number, a row of one.
    const rows = saved.map((v) => (v.type.shape.length ? v : b.on(region).reshape(v, [1])));
    const kept: Spec[] = rows.map((v) => v.type.shape.map((_, d) => (d === 0 ? manual : [])));
    region.results = [...region.results, ...rows];
    const stacks = rows.map((v, i) => op.extend(globalType(mesh, kept[i]!, v.type)));
    op.attrs = { ...attrs, outputs: [...attrs.outputs, ...kept] };

    const read = new Set<Value>(gradients);
    for (const o of tail) forEachUse(o, (v) => read.add(v));
    const used = op.operands.map((_, i) => i).filter((i) => read.has(region.args[i]!));
    const back = new Region();
    const inBack = b.on(back);
    const map = new Map<Value, Value>();
    for (const i of used) map.set(region.args[i]!, back.arg(region.args[i]!.type, region.args[i]!.axes));
    const ofRows = rows.map((v) => back.arg(v.type, v.axes));
    for (const ct of ctIn) map.set(ct, back.arg(ct.type, ct.axes));
    saved.forEach((v, i) => map.set(v, v === rows[i] ? ofRows[i]! : inBack.reshape(ofRows[i]!, [])));
    cloneOps(tail, back, map);
    back.results = gradients.map((g) => map.get(g) ?? g);
    const results = b.manualComputation(
      [...used.map((i) => op.operands[i]!), ...stacks, ...given.map((i) => sharedOut(b, attrs, i, cotangents[i]!))],
      {
        ...attrs,
        inputs: [...used.map((i) => attrs.inputs[i]!), ...kept, ...given.map((i) => attrs.outputs[i]!)],
        outputs: inputs.map((i) => attrs.inputs[i]!),
      },
      back,
    );
    return inputs.map((i, k) => [op.operands[i]!, results[k]!] as const);
  },
};

/** A result's cotangent for each of the devices that give the same of it. */
function sharedOut(b: HloBuilder, attrs: ManualComputationAttrs, result: number, ct: Value): Value {
  const devices = sameAlong(attrs, attrs.outputs[result]!).reduce((n, m) => n * meshSize(attrs.mesh, m), 1);
  return devices === 1 ? ct : b.multiply(ct, b.constant(ct.type, 1 / devices));
}
