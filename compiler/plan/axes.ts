/**
 * By which axis's rule each dimension of each value lies on the mesh. An axis that rules know lies by its own; one that they do not know (a
 * batch under another name, a part of it) lies as what it was computed from, which is how the partitioner goes about it.
 */
import type { Op, Value } from "../ir.js";
import type { DotAttrs } from "../passes/simplify.js";

/** The axes of a value's dimensions as rules know them. */
export interface Named {
  readonly axes: readonly string[];
  /** The dimension lies as another does, where that leaves it a mesh axis. */
  readonly follows: readonly boolean[];
}

/** A dimension of an operand, from which one of a result comes. */
type From = readonly [operand: number, dimension: number];

/** The axes of a program's values, operations visited in order. */
export class Axes {
  readonly #known: ReadonlySet<string>;
  readonly #named = new Map<Value, Named>();

  constructor(known: Iterable<string>) {
    this.#known = new Set(known);
  }

  of(v: Value): Named {
    return this.#named.get(v) ?? this.#resolve(v, () => []);
  }

  visit(op: Op): void {
    for (const r of op.results) this.#resolve(r, (d) => sources(op, r, d).map(([k, at]) => [op.operands[k]!, at]));
  }

  /** `to` is `from`, without its first `dropped` dimensions, or behind others (-1). */
  pass(from: Value, to: Value, dropped = 0): void {
    this.#resolve(to, (d) => [[from, d + dropped]]);
  }

  #resolve(v: Value, from: (d: number) => readonly (readonly [Value, number])[]): Named {
    const own = v.axes ?? v.type.shape.map(() => "");
    const found = own.map((axis, d): [string, boolean] => {
      if (this.#known.has(axis)) return [axis, false];
      for (const [source, at] of from(d)) {
        const name = this.of(source).axes[at];
        if (name !== undefined && this.#known.has(name)) return [name, true];
      }
      return [axis, false];
    });
    const named = { axes: found.map(([axis]) => axis), follows: found.map(([, follows]) => follows) };
    this.#named.set(v, named);
    return named;
  }
}

function sources(op: Op, result: Value, d: number): readonly From[] {
  const { shape } = result.type;
  switch (op.def.name) {
    case "stablehlo.transpose":
      return [[0, (op.attrs as { permutation: readonly number[] }).permutation[d]!]];
    case "stablehlo.broadcast_in_dim": {
      const at = (op.attrs as { dims: readonly number[] }).dims.indexOf(d);
      return at >= 0 && op.operands[0]!.type.shape[at] === shape[d] ? [[0, at]] : [];
    }
    case "stablehlo.reshape":
      return reshaped(op.operands[0]!.type.shape, shape, d);
    case "stablehlo.reduce": {
      const { dims } = op.attrs as { dims: readonly number[] };
      const kept = op.operands[0]!.type.shape.map((_, i) => i).filter((i) => !dims.includes(i));
      return [[0, kept[d]!]];
    }
    case "stablehlo.dot_general": {
      const { lhsBatch, lhsContracting, rhsBatch, rhsContracting } = op.attrs as DotAttrs;
      const free = (k: 0 | 1, used: readonly number[]): From[] =>
        op.operands[k]!.type.shape.flatMap((_, i): From[] => (used.includes(i) ? [] : [[k, i]]));
      const batch = lhsBatch.map((i): From => [0, i]);
      const from = [
        ...batch,
        ...free(0, [...lhsBatch, ...lhsContracting]),
        ...free(1, [...rhsBatch, ...rhsContracting]),
      ];
      return [from[d]!];
    }
    case "stablehlo.gather": {
      const a = op.attrs as Record<"offsetDims" | "collapsedSliceDims" | "operandBatchingDims", readonly number[]>;
      const { indexVectorDim } = op.attrs as { indexVectorDim: number };
      const offset = a.offsetDims.indexOf(d);
      if (offset < 0) {
        const batch = shape.map((_, i) => i).filter((i) => !a.offsetDims.includes(i));
        const at = batch.indexOf(d);
        return [[1, at < indexVectorDim ? at : at + 1]];
      }
      const kept = op.operands[0]!.type.shape.map((_, i) => i).filter(
        (i) => !a.collapsedSliceDims.includes(i) && !a.operandBatchingDims.includes(i),
      );
      return op.operands[0]!.type.shape[kept[offset]!] === shape[d] ? [[0, kept[offset]!]] : [];
    }
    case "chlo.ragged_dot":
      return [[0, d]];
    default:
      return op.operands.flatMap(({ type }, k): From[] =>
        type.shape.length === shape.length && type.shape[d] === shape[d] ? [[k, d]] : [],
      );
  }
}

/** Of dimensions that are cut, the outermost part lies as the whole did; of those that are joined, all as the outermost. */
function reshaped(from: readonly number[], to: readonly number[], d: number): readonly From[] {
  const before = (shape: readonly number[], i: number) => shape.slice(0, i).reduce((a, b) => a * b, 1);
  const at = from.findIndex((n, i) => n > 1 && before(from, i) === before(to, d));
  return at >= 0 && to[d]! > 1 ? [[0, at]] : [];
}
