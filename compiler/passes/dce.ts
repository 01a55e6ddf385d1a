import { forEachUse, type Region, type Value } from "../ir.js";
import { type ScanAttrs, scan } from "./scan.js";

/**
 * Dead code elimination: removes ops whose results nobody reads, in nested regions too, and what a scan computes, stacks or is
 * given for nobody. Ops with an effect stay. `live`: the values that are read; what a region reads from outside is live there too.
 */
export function dce(region: Region, live = new Set<Value>()): void {
  for (const v of region.results) live.add(v);
  const kept = [];
  for (let i = region.ops.length - 1; i >= 0; i--) {
    const op = region.ops[i]!;
    if (!op.def.effect && !op.results.some((r) => live.has(r))) continue;
    if (op.def === scan) dropUnusedOutputs(op, live);
    else if (op.def.withResults) dropUnusedResults(op, live);
    for (const r of op.regions) dce(r, live);
    if (op.def === scan) dropUnusedInputs(op);
    for (const v of op.operands) live.add(v);
    kept.push(op);
  }
  region.ops = kept.reverse();
}

type ScanOp = Region["ops"][number];

/** Outputs that nobody reads are not stacked, and carries that serve no other are not carried. */
function dropUnusedOutputs(op: ScanOp, live: ReadonlySet<Value>): void {
  const attrs = op.attrs as ScanAttrs;
  const region = op.regions[0]!;
  const read = op.results.map((r) => live.has(r));
  const keep = needed(region, attrs.carries, read);
  if (keep.every(Boolean)) return;
  const filtered = <T>(xs: readonly T[], offset = 0) => xs.filter((_, i) => keep[i + offset] ?? true);
  const carries = keep.slice(0, attrs.carries).filter(Boolean).length;
  op.attrs = { ...attrs, carries, yDims: filtered(attrs.yDims, attrs.carries) };
  const isCarry = (i: number) => i < attrs.carries;
  region.args = region.args.filter((_, i) => !isCarry(i) || keep[i]);
  op.operands = op.operands.filter((_, i) => !isCarry(i) || keep[i]);
  region.results = filtered(region.results);
  op.results.splice(0, op.results.length, ...filtered(op.results));
}

/** Which results of a scan's body are needed: those that are read, and the carries from which the next step makes them. */
function needed(region: Region, carries: number, read: readonly boolean[]): boolean[] {
  const keep = [...read];
  for (let before = -1, count = 0; count !== before && keep.slice(0, carries).includes(false); ) {
    before = count;
    const used = new Set(region.results.filter((_, i) => keep[i]));
    for (let i = region.ops.length - 1; i >= 0; i--) {
      const op = region.ops[i]!;
      if (op.def.effect || op.results.some((r) => used.has(r))) forEachUse(op, (v) => used.add(v));
    }
    region.args.slice(0, carries).forEach((a, i) => {
      keep[i] ||= used.has(a);
    });
    count = keep.filter(Boolean).length;
  }
  return keep;
}

/** What a function kept for a derivative that nobody asked for. */
function dropUnusedResults(op: ScanOp, live: ReadonlySet<Value>): void {
  const region = op.regions[0]!;
  const keep = op.results.map((r) => live.has(r));
  op.attrs = op.def.withResults!(op.attrs, keep);
  region.results = region.results.filter((_, i) => keep[i]);
  op.results.splice(0, op.results.length, ...op.results.filter((_, i) => keep[i]));
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
