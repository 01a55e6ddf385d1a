import { forEachUse, type Region, type Value } from "../ir.js";
import { type ScanAttrs, scan } from "./scan.js";

/**
 * Dead code elimination: removes ops whose results nobody reads, in nested regions too, and what a scan computes, stacks or is
 * given for nobody. Ops with an effect stay.
 */
export function dce(region: Region): void {
  const live = new Set<Value>(region.results);
  const kept = [];
  for (let i = region.ops.length - 1; i >= 0; i--) {
    const op = region.ops[i]!;
    if (!op.def.effect && !op.results.some((r) => live.has(r))) continue;
    if (op.def === scan) dropUnusedOutputs(op, live);
    for (const r of op.regions) dce(r);
    if (op.def === scan) dropUnusedInputs(op);
    forEachUse(op, (v) => live.add(v));
    kept.push(op);
  }
  region.ops = kept.reverse();
}

type ScanOp = Region["ops"][number];

/** Outputs that nobody reads are not stacked. */
function dropUnusedOutputs(op: ScanOp, live: ReadonlySet<Value>): void {
  const attrs = op.attrs as ScanAttrs;
  const region = op.regions[0]!;
  const keep = op.results.map((r, i) => i < attrs.carries || live.has(r));
  if (keep.every(Boolean)) return;
  const filtered = <T>(xs: readonly T[], offset = 0) => xs.filter((_, i) => keep[i + offset]);
  op.attrs = { ...attrs, yDims: filtered(attrs.yDims, attrs.carries) };
  region.results = filtered(region.results);
  op.results.splice(0, op.results.length, ...filtered(op.results));
}

/** Inputs that the body does not read are not sliced. */
function dropUnusedInputs(op: ScanOp): void {
  const attrs = op.attrs as ScanAttrs;
  const region = op.regions[0]!;
  const read = new Set<Value>(region.results);
  for (const o of region.ops) forEachUse(o, (v) => read.add(v));
  const keep = region.args.map((a, i) => i < attrs.carries || read.has(a));
  if (keep.every(Boolean)) return;
  const filtered = <T>(xs: readonly T[], offset = 0) => xs.filter((_, i) => keep[i + offset]);
  op.attrs = { ...attrs, xDims: filtered(attrs.xDims, attrs.carries) };
  region.args = filtered(region.args);
  op.operands = filtered(op.operands);
}
