/**
 * From the structured ops to plain StableHLO: a scan becomes a `while` over slices (or its steps in a row), the others become their
 * contents.
 */
import { type Builder, cloneRegion, type DType, Op, Region, stacked, type TensorType, type Value } from "../ir.js";
import { CONSTRAINT } from "../mesh.js";
import type { Loop } from "../program.js";
import { customVjp } from "./custom_vjp.js";
import { identity, stopGradient } from "./grad.js";
import { remat } from "./remat.js";
import { type ScanAttrs, scan, scanAxis, widened } from "./scan.js";

/** What stands for each value of the traced program. A value belongs to one region, so all regions share the map. */
type Values = Map<Value, Value>;
const INDEX: TensorType = { dtype: "i32" satisfies DType, shape: [] };

/** A region without structured ops; `b` makes builders of the vocabulary. */
export function lower(b: Builder, region: Region): Region {
  return lowerRegion(b, region, new Map());
}

function lowerRegion(b: Builder, region: Region, values: Values): Region {
  const out = new Region();
  for (const a of region.args) values.set(a, out.arg(a.type, a.axes, a.label));
  lowerOps(b.on(out), region.ops, values);
  out.results = region.results.map((v) => values.get(v) ?? v);
  return out;
}

function lowerOps(b: Builder, ops: readonly Op[], values: Values): void {
  const sub = (v: Value) => values.get(v) ?? v;
  for (const op of ops) {
    b.site = op.site;
    if (op.def === identity || op.def === stopGradient) values.set(op.results[0]!, sub(op.operands[0]!));
    else if (op.def === remat || op.def === customVjp) inline(b, op, values);
    else if (op.def === scan) stepByStep(op.attrs as ScanAttrs) ? unrolled(b, op, values) : loop(b, op, values);
    else {
      const regions = op.regions.map((r) => lowerNested(b, r, values));
      const copy = new Op(
        op.def,
        op.operands.map(sub),
        op.attrs,
        op.results.map((r) => r.type),
        regions,
        op.site,
        op.results.map((r) => r.axes),
      );
      b.region.ops.push(copy);
      op.results.forEach((r, i) => values.set(r, copy.results[i]!));
    }
  }
}

function lowerNested(b: Builder, region: Region, values: Values): Region {
  const plain = region.ops.every((op) => !op.def.structured && op.regions.length === 0);
  return plain ? cloneRegion(region, values) : lowerRegion(b, region, values);
}

function inline(b: Builder, op: Op, values: Values): void {
  const region = op.regions[0]!;
  region.args.forEach((a, i) => values.set(a, values.get(op.operands[i]!) ?? op.operands[i]!));
  lowerOps(b, region.ops, values);
  op.results.forEach((r, i) => values.set(r, values.get(region.results[i]!) ?? region.results[i]!));
}

/** Steps are written out where the author says so, and where there is none: a loop would have nothing to slice. */
const stepByStep = ({ unroll, length }: ScanAttrs): boolean => unroll || length === 0;

/** Element `at` of a stacked value along a dimension. */
function element(b: Builder, x: Value, dim: number, at: Value, zero: Value, { type, axes, label }: Value): Value {
  const sizes = stacked(type, dim, 1).shape;
  const start = sizes.map((_, d) => (d === dim ? at : zero));
  const slice = labelled(b.dynamicSlice(x, start, sizes), label);
  return labelled(b.reshape(slice, type.shape, axes), label);
}

/** What is sliced from a parameter of a stack has the parameter's name within its layer. */
function labelled(v: Value, label: string | undefined): Value {
  if (label !== undefined) v.label = label;
  return v;
}

/** What a stack was widened from, wherever it was to lie: sliced before, it is never there as a whole. */
function narrower(b: Builder, x: Value): Value | undefined {
  const { op } = x;
  if (op?.def.name !== CONSTRAINT) return widened(x);
  const from = narrower(b, op.operands[0]!);
  return from && b.emit(op.def, [from], op.attrs, [from.type], [], [x.axes]).results[0]!;
}

function loop(b: Builder, op: Op<ScanAttrs>, values: Values): void {
  const { length, carries, reverse, xDims, yDims } = op.attrs;
  const region = op.regions[0]!;
  const sub = (v: Value) => values.get(v) ?? v;
  const { site } = op;
  const xs = op.operands.slice(carries).map(sub);
  const ys = op.results.slice(carries);
  const init = [
    b.constant(INDEX, 0),
    ...op.operands.slice(0, carries).map(sub),
    ...ys.map((y) => b.constant(y.type, 0)),
  ];

  const cond = new Region();
  const body = new Region();
  for (const v of init) {
    cond.arg(v.type);
    body.arg(v.type, v.axes);
  }
  const inCond = b.on(cond);
  cond.results = [inCond.compare(cond.args[0]!, inCond.constant(INDEX, length), "LT")];

  const inBody = b.on(body);
  const step = body.args[0]!;
  const at = reverse ? inBody.subtract(inBody.constant(INDEX, length - 1), step) : step;
  const zero = inBody.constant(INDEX, 0);
  region.args.forEach((a, i) => {
    if (i < carries) values.set(a, body.args[1 + i]!);
    else {
      const x = xs[i - carries]!;
      const narrow = narrower(b, x);
      const own = (x: Value) => element(inBody, x, xDims[i - carries]!, at, zero, a);
      values.set(a, narrow ? inBody.convert(own(narrow), a.type.dtype) : own(x));
    }
  });
  lowerOps(inBody, region.ops, values);
  inBody.site = site;
  const results = region.results.map(sub);
  const stacks = results.slice(carries).map((v, i) => {
    const dim = yDims[i]!;
    const slot = stacked(v.type, dim, 1).shape;
    return inBody.dynamicUpdateSlice(
      body.args[1 + carries + i]!,
      inBody.reshape(v, slot),
      slot.map((_, d) => (d === dim ? at : zero)),
    );
  });
  body.results = [inBody.add(step, inBody.constant(INDEX, 1)), ...results.slice(0, carries), ...stacks];
  b.site = site;
  const out = b.while(init, cond, body, { axis: scanAxis(op), length, reverse } satisfies Loop);
  op.results.forEach((r, i) => values.set(r, out[1 + i]!));
}

function unrolled(b: Builder, op: Op<ScanAttrs>, values: Values): void {
  const { length, carries, reverse, xDims, yDims } = op.attrs;
  const region = op.regions[0]!;
  const sub = (v: Value) => values.get(v) ?? v;
  const xs = op.operands.slice(carries).map(sub);
  let carry = op.operands.slice(0, carries).map(sub);
  const rows: Value[][] = yDims.map(() => []);
  for (let step = 0; step < length; step++) {
    const at = reverse ? length - 1 - step : step;
    b.site = op.site;
    region.args.forEach((a, i) => {
      if (i < carries) values.set(a, carry[i]!);
      else {
        const x = xs[i - carries]!;
        const dim = xDims[i - carries]!;
        const start = x.type.shape.map((_, d) => (d === dim ? at : 0));
        const limit = x.type.shape.map((n, d) => (d === dim ? at + 1 : n));
        values.set(a, labelled(b.reshape(b.slice(x, start, limit), a.type.shape, a.axes), a.label));
      }
    });
    lowerOps(b, region.ops, values);
    const results = region.results.map(sub);
    carry = results.slice(0, carries);
    b.site = op.site;
    results.slice(carries).forEach((v, i) => {
      rows[i]![at] = b.reshape(v, stacked(v.type, yDims[i]!, 1).shape);
    });
  }
  op.results.forEach((r, i) => {
    if (i < carries) values.set(r, carry[i]!);
    else {
      const parts = rows[i - carries]!;
      if (parts.length === 0) values.set(r, b.constant(r.type, 0));
      else values.set(r, parts.length === 1 ? parts[0]! : b.concatenate(parts, yDims[i - carries]!));
    }
  });
}
