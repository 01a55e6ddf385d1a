import type { Op, Region, Value } from "../ir.js";

/**
 * Common subexpression elimination within a region: an op equal to an earlier one (definition, operands, attributes, result type) is
 * dropped. Inner regions do not take values from outer ones: a loop that makes its own constants lets XLA fuse them. Recomputation
 * is safe: it reads the results of a barrier, never the forward values.
 */
export function cse(region: Region): void {
  const replaced = new Map<Value, Value>();
  const sub = (v: Value) => replaced.get(v) ?? v;
  const ids = new Map<Value, number>();
  const id = (v: Value) => {
    let n = ids.get(v);
    if (n === undefined) {
      n = ids.size;
      ids.set(v, n);
    }
    return n;
  };
  const visit = (r: Region) => {
    const seen = new Map<string, Op>();
    r.ops = r.ops.filter((op) => {
      if (replaced.size) op.operands = op.operands.map(sub);
      op.regions.forEach(visit);
      if (op.regions.length || op.def.effect || op.def.structured || op.def.name === "stablehlo.optimization_barrier") {
        return true;
      }
      const t = op.results[0]?.type;
      const key = `${op.def.name} ${op.operands.map(id)} ${text(op.attrs)} ${t?.shape} ${t?.dtype}`;
      const before = seen.get(key);
      if (before) op.results.forEach((result, i) => replaced.set(result, before.results[i]!));
      else seen.set(key, op);
      return before === undefined;
    });
    if (replaced.size) r.results = r.results.map(sub);
  };
  visit(region);
}

/** Different for different values, also where JSON has no text or one for two: big integers, infinities, NaN, minus zero. */
function text(v: unknown): string {
  if (typeof v === "string") return JSON.stringify(v);
  if (typeof v === "bigint") return `${v}n`;
  if (typeof v !== "object" || v === null) return Object.is(v, -0) ? "-0" : String(v);
  if (Array.isArray(v)) return `[${v.map(text)}]`;
  if (ArrayBuffer.isView(v)) return `[${Array.from(v as unknown as ArrayLike<number | bigint>, text)}]`;
  return `{${Object.entries(v).map(([name, x]) => `${name}:${text(x)}`)}}`;
}
