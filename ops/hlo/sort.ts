import {
  cloneRegion,
  elements,
  type Op,
  pointwiseCost,
  sameShape,
  sameType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import type { HloOp } from "./define.js";
import { others, outside } from "./dimensions.js";
import type { HloBuilder } from "./index.js";
import { type Body, costOf, genericSyntax, hasType, noDerivative, regionOf, scalar } from "./regions.js";

export interface SortAttrs {
  /** Negative: counted from the last. */
  readonly dimension: number;
  readonly isStable: boolean;
}

/**
 * Sorts along a dimension, several tensors together; `comparator(a0, b0, a1, b1, ...)` says whether a comes before b. StableHLO
 * specification, "sort". Its derivative takes the permutation back: that of an iota sorted along, if there is one, else of sorting
 * again with one.
 */
export const sort: HloOp<
  SortAttrs,
  [inputs: readonly Value[], dimension: number, isStable: boolean, comparator: Body],
  readonly Value[]
> = {
  name: "stablehlo.sort",
  constraints: {
    C1: ({ operands }) => (operands.length === 0 ? "nothing to sort" : undefined),
    C2: ({ operands, results }) =>
      operands.length === results.length && operands.every((v, i) => sameType(v.type, results[i]!.type))
        ? undefined
        : `results have the inputs' types: ${[...operands, ...results].map((v) => typeText(v.type)).join(", ")}`,
    C3: ({ operands }) =>
      operands.every((v) => sameShape(v.type.shape, operands[0]!.type.shape))
        ? undefined
        : `inputs differ in shape: ${operands.map((v) => typeText(v.type)).join(", ")}`,
    C4: ({ operands: [x], attrs: { dimension } }) => {
      const rank = x!.type.shape.length;
      return outside([dimension < 0 ? dimension + rank : dimension], rank)
        ? `${typeText(x!.type)} has no dimension ${dimension}`
        : undefined;
    },
    C5: ({ operands, regions: [comparator] }) =>
      hasType(
        "the comparator",
        comparator,
        operands.flatMap((v) => [scalar(v.type.dtype), scalar(v.type.dtype)]),
        [scalar("i1")],
      ),
  },
  syntax: genericSyntax(({ attrs }) => [`dimension = ${attrs.dimension} : i64`, `is_stable = ${attrs.isStable}`]),
  cost(op) {
    const { shape } = op.operands[0]!.type;
    const length = shape[along(op)] ?? 1;
    const comparisons = elements(op.operands[0]!.type) * Math.ceil(Math.log2(Math.max(length, 2)));
    const once = costOf(op.regions);
    return {
      flops: once.flops * comparisons,
      transcendentals: once.transcendentals * comparisons,
      bytes: pointwiseCost(op, 0).bytes,
    };
  },
  make: (b, inputs, dimension, isStable, comparator) =>
    b.emit(
      sort,
      inputs,
      { dimension, isStable },
      inputs.map((v) => v.type),
      [
        regionOf(
          b,
          comparator,
          inputs.flatMap((v) => [v.type.dtype, v.type.dtype]),
        ),
      ],
      inputs.map((v) => v.axes),
    ).results,
  vjp(b, op, cotangents, needs) {
    const rank = op.operands[0]!.type.shape.length;
    const dim = along(op);
    const rest = others(rank, [dim]);
    const wanted = op.operands.map((_, i) => cotangents[i] && needs(i));
    const permutation = wanted.some(Boolean) ? permutationOf(b, op) : undefined;
    return op.operands.map((x, i) =>
      wanted[i]
        ? b.scatter([b.constant(x.type, 0, x.axes)], permutation!, [cotangents[i]!], {
            updateWindowDims: [],
            insertedWindowDims: [dim],
            inputBatchingDims: rest,
            scatterIndicesBatchingDims: rest,
            scatterDimsToOperandDims: [dim],
            indexVectorDim: rank,
            uniqueIndices: true,
            inBounds: true,
          })[0]
        : undefined,
    );
  },
};

const along = ({ operands: [x], attrs: { dimension } }: Op<SortAttrs>): number =>
  dimension < 0 ? dimension + x!.type.shape.length : dimension;

/** Where along the sorted dimension each element of the results stood. */
function permutationOf(b: HloBuilder, op: Op<SortAttrs>): Value {
  const dim = along(op);
  const counted = op.operands.findIndex(
    (v) => v.op?.def.name === "stablehlo.iota" && v.op.attrs.dimension === dim && /^u?i(32|64)$/.test(v.type.dtype),
  );
  if (counted >= 0) return op.results[counted]!;
  if (!op.attrs.isStable) {
    throw noDerivative(
      op,
      "the sort is not stable, so that sorting again may order equal elements otherwise (sort an iota along)",
    );
  }
  const comparator = cloneRegion(op.regions[0]!);
  comparator.arg(scalar("i32"));
  comparator.arg(scalar("i32"));
  const iota = b.iota({ shape: op.operands[0]!.type.shape, dtype: "i32" }, dim);
  return b.sort([...op.operands, iota], dim, true, comparator).at(-1)!;
}
