/** What the backward part of a region needs of its forward part: values to save, ops to run again. Shared by scan and remat. */
import { captured, forEachUse, type Op, type Region, type Value } from "../ir.js";

export interface Residuals {
  /** Forward values to keep. */
  readonly saved: readonly Value[];
  /** Forward ops to run again, in order. */
  readonly recompute: readonly Op[];
}

/** Whether a value is cheaper to have again than to keep. */
export const isView = (v: Value): boolean => v.view ?? v.op?.def.view ?? false;

/**
 * Walks back from the backward ops (those from position `forward` on) and `outputs`; a forward value is saved if `save` says
 * so, else the op that makes it is run again.
 */
export function residuals(
  region: Region,
  forward: number,
  outputs: readonly Value[],
  save: (v: Value) => boolean,
): Residuals {
  const madeAt = new Map<Value, number>();
  for (let i = 0; i < forward; i++) for (const r of region.ops[i]!.results) madeAt.set(r, i);
  const saved = new Set<Value>();
  const again = new Set<number>();
  const need = (v: Value) => {
    const at = madeAt.get(v);
    if (at === undefined || saved.has(v)) return;
    if (save(v)) {
      saved.add(v);
      return;
    }
    if (again.has(at)) return;
    again.add(at);
    forEachUse(region.ops[at]!, need);
  };
  for (const op of region.ops.slice(forward)) forEachUse(op, need);
  outputs.forEach(need);
  return { saved: [...saved], recompute: [...again].sort((p, q) => p - q).map((i) => region.ops[i]!) };
}

/** Removes backward ops that lead to none of `outputs`: they must not ask for residuals. */
export function liveBackward(region: Region, forward: number, outputs: readonly Value[]): void {
  const live = new Set(outputs);
  const kept: Op[] = [];
  for (let i = region.ops.length - 1; i >= forward; i--) {
    const op = region.ops[i]!;
    if (!op.def.effect && !op.results.some((r) => live.has(r))) continue;
    kept.push(op);
    forEachUse(op, (v) => live.add(v));
  }
  region.ops = [...region.ops.slice(0, forward), ...kept.reverse()];
}

/** Values that change from one run of the region to the next: its arguments and what is computed from them. */
export function variant(region: Region, ops: readonly Op[]): ReadonlySet<Value> {
  const out = new Set<Value>(region.args);
  for (const op of ops) {
    if (op.operands.some((v) => out.has(v)) || op.regions.some((r) => [...captured(r)].some((v) => out.has(v)))) {
      for (const r of op.results) out.add(r);
    }
  }
  return out;
}
