/**
 * The structured loop of known length: carries from step to step, slices inputs along a dimension, stacks outputs. (As
 * `jax.lax.scan`.) `lower` turns it into `stablehlo.while`, or into its steps when it is unrolled.
 */
import {
  bytesPerElement,
  type Cost,
  captured,
  cloneOps,
  forEachUse,
  isFloat,
  type Op,
  type OpDef,
  Region,
  stacked,
  type TensorType,
  Value,
} from "../ir.js";
import { backward, propagate, structuredSyntax, zeros } from "./grad.js";
import { isView, liveBackward, residuals, variant } from "./residuals.js";

export interface ScanAttrs {
  readonly length: number;
  /** The first so many operands, region arguments and results are the carry. */
  readonly carries: number;
  readonly reverse: boolean;
  /** The dimension along which each further operand is sliced. */
  readonly xDims: readonly number[];
  /** The dimension along which each further result is stacked. */
  readonly yDims: readonly number[];
  /** Written out step by step when lowered: no loop, no slicing at run time; the text grows with the length. */
  readonly unroll: boolean;
}

/** The name of the axis that a scan's stacked values have, found on its sliced operands. */
export const scanAxis = (op: Op<ScanAttrs>): string => {
  for (const [i, d] of op.attrs.xDims.entries()) {
    const name = op.operands[op.attrs.carries + i]!.axes?.[d];
    if (name !== undefined) return name;
  }
  return "step";
};

const stackedAxes = (op: Op<ScanAttrs>, v: Value): readonly string[] | undefined => v.axes && [scanAxis(op), ...v.axes];

export const scan: OpDef<ScanAttrs> = {
  name: "xenarc.scan",
  structured: true,
  constraints: {
    carry: (op) => {
      const region = op.regions[0]!;
      const i = region.args.slice(0, op.attrs.carries).findIndex((a, k) => !sameText(a.type, region.results[k]!.type));
      return i < 0
        ? undefined
        : `carry ${i} enters the step as ${text(region.args[i]!.type)} and leaves it as ${text(region.results[i]!.type)}`;
    },
  },
  syntax: structuredSyntax,
  cost: (op): Cost => {
    const body = regionCost(op.regions[0]!);
    const n = op.attrs.length;
    return { flops: n * body.flops, transcendentals: n * body.transcendentals, bytes: n * body.bytes };
  },
  vjpWithCaptures(b, op, cotangents, active) {
    const { length, carries, reverse, xDims, yDims, unroll } = op.attrs;
    const region = op.regions[0]!;
    const carryArgs = region.args.slice(0, carries);
    const xArgs = region.args.slice(carries);
    const constants = [...captured(region)].filter((v) => active.has(v));

    // A carry may become active through the body: repeat until nothing changes.
    let on = carryArgs.map((a, i) => isFloat(a.type) && active.has(op.operands[i]!));
    let inside: Set<Value>;
    for (;;) {
      inside = new Set([
        ...constants,
        ...carryArgs.filter((_, i) => on[i]),
        ...xArgs.filter((_, i) => active.has(op.operands[carries + i]!)),
      ]);
      propagate(region.ops, inside);
      const next = on.map((o, i) => o || inside.has(region.results[i]!));
      if (next.every((o, i) => o === on[i])) break;
      on = next;
    }
    const indices = (n: number, offset: number, keep: (i: number) => boolean) =>
      Array.from({ length: n }, (_, i) => i + offset).filter(keep);
    const activeCarries = indices(carries, 0, (i) => on[i]!);
    const activeYs = indices(
      region.results.length - carries,
      carries,
      (i) => !!cotangents[i] && inside.has(region.results[i]!),
    );
    const activeXs = indices(xArgs.length, 0, (i) => inside.has(xArgs[i]!));

    // Differentiate the body in place, then take the appended part out again.
    const ctIn = [...activeCarries, ...activeYs].map(
      (i) => new Value(region.results[i]!.type, region.results[i]!.axes),
    );
    const forward = region.ops.length;
    const forwardResults = [...region.results];
    const wrt = [...activeCarries.map((i) => carryArgs[i]!), ...activeXs.map((i) => xArgs[i]!), ...constants];
    const inner = b.on(region);
    const outputs = [...activeCarries, ...activeYs].map((i) => region.results[i]!);
    const gradients = backward(inner, 0, outputs, ctIn, wrt).map((g, i) => g ?? zeros(inner, wrt[i]!));
    liveBackward(region, forward, gradients);
    const changing = variant(region, region.ops.slice(0, forward));
    const { saved, recompute } = residuals(
      region,
      forward,
      gradients,
      (v) => v.tag !== undefined || (!isView(v) && changing.has(v)),
    );
    const tail = [...recompute, ...region.ops.slice(forward)];
    const read = new Set<Value>(gradients);
    for (const o of tail) forEachUse(o, (v) => read.add(v));
    const savedCarries = carryArgs.filter((a) => read.has(a));
    const usedXs = indices(xArgs.length, 0, (i) => read.has(xArgs[i]!));

    // Forward: what is kept becomes further stacked results.
    const kept = [...savedCarries, ...saved];
    region.ops = region.ops.slice(0, forward);
    region.results = [...forwardResults, ...kept];
    const stacks = kept.map((v) => {
      const stack = op.extend(stacked(v.type, 0, length), stackedAxes(op, v));
      // A name that was given inside is the stack's, too: there the policy of a remat around the scan finds it.
      stack.tag = v.tag;
      return stack;
    });
    op.attrs = { ...op.attrs, yDims: [...yDims, ...kept.map(() => 0)] };

    // Backward: carries are the cotangents of the carries and the sums for captured values; xs are sliced again.
    const body = new Region();
    const map = new Map<Value, Value>();
    const bind = (v: Value) => map.set(v, body.arg(v.type, v.axes));
    const nCarry = activeCarries.length;
    ctIn.slice(0, nCarry).forEach(bind);
    const sums = constants.map((v) => body.arg(v.type, v.axes));
    usedXs.forEach((i) => bind(xArgs[i]!));
    kept.forEach(bind);
    ctIn.slice(nCarry).forEach(bind);
    cloneOps(tail, body, map);
    const bodyBuilder = b.on(body);
    const g = gradients.map((v) => map.get(v) ?? v);
    const nX = activeXs.length;
    const stackedG = g.slice(nCarry, nCarry + nX).map((v) => widened(v) ?? v);
    body.results = [...g.slice(0, nCarry), ...sums.map((s, i) => bodyBuilder.add(s, g[nCarry + nX + i]!)), ...stackedG];
    const back = b.emit<ScanAttrs>(
      scan,
      [
        ...activeCarries.map((i) => cotangents[i] ?? zeros(b, op.results[i]!)),
        ...constants.map((v) => zeros(b, v)),
        ...usedXs.map((i) => op.operands[carries + i]!),
        ...stacks,
        ...activeYs.map((i) => cotangents[i]!),
      ],
      {
        length,
        carries: nCarry + constants.length,
        reverse: !reverse,
        unroll,
        xDims: [...usedXs.map((i) => xDims[i]!), ...stacks.map(() => 0), ...activeYs.map((i) => yDims[i - carries]!)],
        yDims: activeXs.map((i) => xDims[i]!),
      },
      [
        ...activeCarries.map((i) => op.operands[i]!.type),
        ...constants.map((v) => v.type),
        ...activeXs.map((i, j) => ({ ...op.operands[carries + i]!.type, dtype: stackedG[j]!.type.dtype })),
      ],
      [body],
      [
        ...activeCarries.map((i) => op.operands[i]!.axes),
        ...constants.map((v) => v.axes),
        ...activeXs.map((i) => op.operands[carries + i]!.axes),
      ],
    );
    return [
      ...activeCarries.map((i, j) => [op.operands[i]!, back.results[j]!] as const),
      ...constants.map((v, j) => [v, back.results[nCarry + j]!] as const),
      ...activeXs.map((i, j) => {
        const [x, gradient] = [op.operands[carries + i]!, back.results[nCarry + constants.length + j]!];
        return [x, sameText(gradient.type, x.type) ? gradient : b.convert(gradient, x.type.dtype)] as const;
      }),
    ];
  },
};

/**
 * What a value is the same numbers of, in a type of fewer bytes: a stack of those takes less memory. (The gradient of a weight that layers
 * compute with in bfloat16 is one of bfloat16, whatever the weight is kept in.)
 */
export const widened = ({ op, type }: Value): Value | undefined => {
  if (op?.def.name !== "stablehlo.convert") return undefined;
  const from = op.operands[0]!;
  return isFloat(from.type) && isFloat(type) && bytesPerElement(from.type.dtype) < bytesPerElement(type.dtype)
    ? from
    : undefined;
};

const text = (t: TensorType) => `${t.shape.join("x") || "scalar"} ${t.dtype}`;
const sameText = (a: TensorType, b: TensorType) => text(a) === text(b);

/** The cost of running a region once. */
export function regionCost(region: Region): Cost {
  let [flops, transcendentals, bytes] = [0, 0, 0];
  for (const op of region.ops) {
    const c = op.def.cost(op);
    flops += c.flops;
    transcendentals += c.transcendentals;
    bytes += c.bytes;
  }
  return { flops, transcendentals, bytes };
}
