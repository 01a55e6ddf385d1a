import type { Op, Region, Value } from "../ir.js";

/**
 * Common subexpression elimination within a region: an op equal to an earlier one (definition, operands, attributes, result type) is
 * dropped. Inner regions do not take values from outer ones: a loop that makes its own constants lets XLA fuse them. Recomputation
 * is safe: it reads the results of a barrier, never the forward values.
 */
export function cse(region: Region): void {
  const ids = new Map<Value, number>();
  const id = (v: Value) => {
    let n = ids.get(v);
    if (n === undefined) {
      n = ids.size;
      ids.set(v, n);
    }
    return n;
  };
  const seen = new Map<string, Op>();
  const replaced = new Map<Value, Value>();
  const sub = (v: Value) => replaced.get(v) ?? v;
  const kept: Op[] = [];
  for (const op of region.ops) {
    if (replaced.size) op.operands = op.operands.map(sub);
    for (const r of op.regions) {
      if (replaced.size) substitute(r, replaced);
      cse(r);
    }
    if (op.regions.length || op.def.effect || op.def.structured || op.def.name === "stablehlo.optimization_barrier") {
      kept.push(op);
      continue;
    }
    const t = op.results[0]?.type;
    const key = `${op.def.name} ${op.operands.map(id).join(",")} ${op.attrs === null ? "" : JSON.stringify(op.attrs, exact)} ${t?.shape.join("x")} ${t?.dtype}`;
    const before = seen.get(key);
    if (before) op.results.forEach((r, i) => replaced.set(r, before.results[i]!));
    else {
      seen.set(key, op);
      kept.push(op);
    }
  }
  region.ops = kept;
  if (replaced.size) region.results = region.results.map(sub);
}

/** What JSON has no text for, or one text with another value: big integers, infinities, NaN, minus zero. */
function exact(_: string, v: unknown): unknown {
  if (typeof v === "bigint") return `${v}n`;
  return typeof v === "number" && (!Number.isFinite(v) || Object.is(v, -0)) ? `${1 / v} ${v}` : v;
}

/** Puts other values in the place of some, in nested regions too. */
export function substitute(region: Region, replaced: ReadonlyMap<Value, Value>): void {
  const sub = (v: Value) => replaced.get(v) ?? v;
  for (const op of region.ops) {
    op.operands = op.operands.map(sub);
    for (const r of op.regions) substitute(r, replaced);
  }
  region.results = region.results.map(sub);
}
