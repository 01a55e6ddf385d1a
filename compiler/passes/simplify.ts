/**
 * Local rewrites that XLA does not do, or does too late: transposes that dot_general can read through, chains of transposes and of
 * reshapes, a slice of a stack that was just built.
 */
import type { Op, Region, Value } from "../ir.js";
import { sameShape } from "../ir.js";

/** What passes know of dot_general's attributes. */
export interface DotAttrs {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContracting: readonly number[];
  readonly rhsContracting: readonly number[];
}

/** Applies the rewrites in one walk, operands before users. */
export function simplify(region: Region): void {
  const replaced = new Map<Value, Value>();
  const sub = (v: Value) => replaced.get(v) ?? v;
  const visit = (r: Region) => {
    for (const op of r.ops) {
      if (replaced.size) op.operands = op.operands.map(sub);
      op.regions.forEach(visit);
      const rule = rules[op.def.name];
      const by = rule?.(op);
      if (by) replaced.set(op.results[0]!, by);
    }
    if (replaced.size) r.results = r.results.map(sub);
  };
  visit(region);
}

const madeBy = (v: Value, name: string): Op | undefined => (v.op?.def.name === name ? v.op : undefined);

/** A rule changes its op in place, or gives the value that stands for its result. */
const rules: Readonly<Record<string, (op: Op) => Value | undefined>> = {
  "stablehlo.transpose": (op) => {
    const repeated = madeBy(op.operands[0]!, "stablehlo.broadcast_in_dim");
    if (repeated) {
      // A repeated value is as easily repeated in another order.
      const order = op.attrs.permutation as readonly number[];
      op.def = repeated.def;
      op.attrs = { dims: (repeated.attrs.dims as readonly number[]).map((d) => order.indexOf(d)) };
      op.operands = repeated.operands;
      return undefined;
    }
    const before = madeBy(op.operands[0]!, "stablehlo.transpose");
    if (!before) return undefined;
    const permutation = (op.attrs.permutation as number[]).map((i) => before.attrs.permutation[i] as number);
    if (permutation.every((d, i) => d === i)) return before.operands[0]!;
    op.operands = [before.operands[0]!];
    op.attrs = { ...op.attrs, permutation };
    return undefined;
  },
  "stablehlo.reshape": (op) => {
    const before = madeBy(op.operands[0]!, "stablehlo.reshape");
    if (before) op.operands = [before.operands[0]!];
    return sameShape(op.operands[0]!.type.shape, op.results[0]!.type.shape) ? op.operands[0]! : undefined;
  },
  "stablehlo.dot_general": (op) => {
    readThrough(op, 0, "lhsBatch", "lhsContracting");
    readThrough(op, 1, "rhsBatch", "rhsContracting");
    return undefined;
  },
};

/** dot_general reads its operand in any order: a transpose before it only renumbers, if the free dimensions keep their order. */
function readThrough(op: Op, side: 0 | 1, batch: keyof DotAttrs, contracting: keyof DotAttrs): void {
  const t = madeBy(op.operands[side]!, "stablehlo.transpose");
  if (!t) return;
  const permutation = t.attrs.permutation as readonly number[];
  const attrs = op.attrs as DotAttrs;
  const taken = [...attrs[batch], ...attrs[contracting]];
  const free = permutation.filter((_, i) => !taken.includes(i));
  if (!free.every((p, i) => i === 0 || free[i - 1]! < p)) return;
  const renumber = (ds: readonly number[]) => ds.map((d) => permutation[d]!);
  op.operands = op.operands.map((v, i) => (i === side ? t.operands[0]! : v));
  op.attrs = { ...attrs, [batch]: renumber(attrs[batch]), [contracting]: renumber(attrs[contracting]) };
}
