import type { Builder, Op, Platform, Region, Value } from "../ir.js";

/** Puts other operations in the place of those that XLA has not on this platform, as their definitions say. */
export function expand(b: Builder, region: Region, platform: Platform): void {
  const replaced = new Map<Value, Value>();
  const sub = (v: Value) => replaced.get(v) ?? v;
  const foreign = ({ def }: Op) => def.expand !== undefined && !def.platforms?.includes(platform);
  const visit = (r: Region): void => {
    const { ops } = r;
    const rebuilt = ops.some(foreign);
    if (rebuilt) r.ops = [];
    const here = b.on(r);
    for (const op of ops) {
      if (replaced.size) op.operands = op.operands.map(sub);
      if (foreign(op)) {
        here.site = op.site;
        op.def.expand!(here, op).forEach((v, i) => replaced.set(op.results[i]!, v));
        continue;
      }
      op.regions.forEach(visit);
      if (rebuilt) r.ops.push(op);
    }
    if (replaced.size) r.results = r.results.map(sub);
  };
  visit(region);
}
