/**
 * Writes a dot_general without batch dimensions as a product of matrices: neighbouring free dimensions become one, neighbouring
 * contracting dimensions become one, by reshapes that cost nothing. XLA:CPU runs a product with one contracting dimension on its fast
 * path; with several it inserts transposes, and computes the operands' producers again inside them.
 */
import { type Builder, type Op, Region, type TensorType, type Value } from "../ir.js";
import type { DotAttrs } from "./simplify.js";

/** Rewrites a lowered region in place. */
export function flatten(b: Builder, region: Region): void {
  const replaced = new Map<Value, Value>();
  const sub = (v: Value) => replaced.get(v) ?? v;
  const visit = (r: Region) => {
    const into = new Region();
    const builder = b.on(into);
    for (const op of r.ops) {
      op.operands = op.operands.map(sub);
      op.regions.forEach(visit);
      const product = op.def.name === "stablehlo.dot_general" ? matrices(builder, op) : undefined;
      if (product) replaced.set(op.results[0]!, product);
      else into.ops.push(op);
    }
    r.ops = into.ops;
    r.results = r.results.map(sub);
  };
  visit(region);
}

const ascending = (ds: readonly number[]) => ds.every((d, i) => i === 0 || d === ds[i - 1]! + 1);
const product = (t: TensorType, ds: readonly number[]) => ds.reduce((n, d) => n * t.shape[d]!, 1);

function matrices(b: Builder, op: Op<DotAttrs>): Value | undefined {
  const { attrs } = op;
  const [x, y] = op.operands as [Value, Value];
  if (attrs.lhsBatch.length) return undefined;
  const free = (v: Value, contracting: readonly number[]) =>
    v.type.shape.map((_, d) => d).filter((d) => !contracting.includes(d));
  const sides = [
    { value: x, contracting: attrs.lhsContracting, free: free(x, attrs.lhsContracting) },
    { value: y, contracting: attrs.rhsContracting, free: free(y, attrs.rhsContracting) },
  ];
  const isMatrix = sides.every((s) => s.contracting.length === 1 && s.free.length <= 1);
  const mergeable = sides.every((s) => s.contracting.length > 0 && ascending(s.contracting) && ascending(s.free));
  if (isMatrix || !mergeable) return undefined;
  b.site = op.site;
  const operands = sides.map(({ value, contracting, free }) => {
    const [k, n] = [product(value.type, contracting), product(value.type, free)];
    if (!free.length) return { value: b.reshape(value, [k]), dim: 0 };
    return contracting[0] === 0
      ? { value: b.reshape(value, [k, n]), dim: 0 }
      : { value: b.reshape(value, [n, k]), dim: 1 };
  });
  const shape = sides.flatMap((s) => (s.free.length ? [product(s.value.type, s.free)] : []));
  const { type, axes } = op.results[0]!;
  const matrix = b.emit(
    op.def,
    operands.map((o) => o.value),
    { ...attrs, lhsContracting: [operands[0]!.dim], rhsContracting: [operands[1]!.dim] },
    [{ shape, dtype: type.dtype }],
  );
  return b.reshape(matrix.results[0]!, type.shape, axes);
}
