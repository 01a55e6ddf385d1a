import { bytesOf, type DType, elements, type Op, type TensorType, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, list } from "./define.js";
import { at, inverse, product, range, wrongShape } from "./dimensions.js";
import {
  type DotDimensions,
  type DotPrecision,
  dotConstraints,
  free,
  type Precision,
  sizes,
} from "./dot_dimensions.js";
import type { HloBuilder } from "./index.js";

export interface DotGeneralAttrs extends DotDimensions, DotPrecision {
  /** How the product is to be computed, where the platform's choice will not do. */
  readonly algorithm?: DotAlgorithm;
}

/** What operands are rounded to, what sums are kept in, and into how many parts numbers are split for more precision. */
export interface DotAlgorithm {
  readonly lhsPrecisionType: DType | "tf32";
  readonly rhsPrecisionType: DType | "tf32";
  readonly accumulationType: DType | "tf32";
  readonly lhsComponentCount: number;
  readonly rhsComponentCount: number;
  readonly numPrimitiveOperations: number;
  readonly allowImpreciseAccumulation: boolean;
}

const algorithmText = (a: DotAlgorithm): string =>
  [
    `lhs_precision_type = ${a.lhsPrecisionType}`,
    `rhs_precision_type = ${a.rhsPrecisionType}`,
    `accumulation_type = ${a.accumulationType}`,
    `lhs_component_count = ${a.lhsComponentCount}`,
    `rhs_component_count = ${a.rhsComponentCount}`,
    `num_primitive_operations = ${a.numPrimitiveOperations}`,
    `allow_imprecise_accumulation = ${a.allowImpreciseAccumulation}`,
  ].join(", ");

/** Algorithms of one component that some hardware has: type of both operands, of the sums, numbers of primitive operations. */
const ALGORITHMS: readonly (readonly [operands: string, sums: string, operations: readonly number[]])[] = [
  ["f16", "f16", [1]],
  ["f16", "f32", [1]],
  ["bf16", "bf16", [1]],
  ["bf16", "f32", [1, 3, 6, 9]],
  ["tf32", "f32", [1, 3]],
  ["f32", "f32", [1]],
  ["f64", "f64", [1]],
];
function isKnown(a: DotAlgorithm): boolean {
  if (a.lhsComponentCount !== 1 || a.rhsComponentCount !== 1) return false;
  const [lhs, rhs, n] = [a.lhsPrecisionType, a.rhsPrecisionType, a.numPrimitiveOperations];
  if (lhs.startsWith("f8") && rhs.startsWith("f8")) return a.accumulationType === "f32" && n === 1;
  return (
    !a.allowImpreciseAccumulation &&
    lhs === rhs &&
    ALGORITHMS.some(([operands, sums, ns]) => operands === lhs && sums === a.accumulationType && ns.includes(n))
  );
}

/** Constraint: a count of the algorithm is positive. */
const positive =
  (key: "lhsComponentCount" | "rhsComponentCount" | "numPrimitiveOperations") =>
  ({ attrs: { algorithm } }: Op<DotGeneralAttrs>) =>
    algorithm && algorithm[key] < 1 ? `${key} ${algorithm[key]} is not positive` : undefined;

/**
 * Sums products over contracting dimensions, batch dimensions side by side. The result's dimensions: batch, free of the left,
 * free of the right. StableHLO specification, "dot_general". (C14 to C20 are about quantized types, which xenarc has not.)
 */
export const dotGeneral: HloOp<
  DotGeneralAttrs,
  [lhs: Value, rhs: Value, dimensions: DotGeneralAttrs, dtype?: DType, axes?: readonly string[]]
> = {
  name: "stablehlo.dot_general",
  constraints: {
    ...dotConstraints,
    C12: ({ operands: [x, y], results: [z], attrs }) => wrongShape(resultShape(x!.type, y!.type, attrs), z!),
    C13: (op) => {
      const [x, y] = [op.operands[0]!.type.dtype, op.operands[1]!.type.dtype];
      return x !== y ? `operands have one element type, not ${x} and ${y}` : undefined;
    },
    C21: ({ attrs: { precision, algorithm } }) =>
      algorithm && precision?.some((p) => p !== "DEFAULT")
        ? `an algorithm leaves no choice of precision: [${precision.join(", ")}]`
        : undefined,
    C22: positive("lhsComponentCount"),
    C23: positive("rhsComponentCount"),
    C24: positive("numPrimitiveOperations"),
    // The specification leaves open which algorithms there are; MLIR takes those that some hardware has.
    I8: ({ attrs: { algorithm } }) =>
      algorithm && !isKnown(algorithm) ? `no hardware has the algorithm {${algorithmText(algorithm)}}` : undefined,
  },
  syntax: functionalSyntax(({ attrs: a }: Op<DotGeneralAttrs>) => {
    const pair = (lhs: readonly number[], rhs: readonly number[]) => `${list(lhs)} x ${list(rhs)}`;
    const batch = a.lhsBatch.length || a.rhsBatch.length ? `, batching_dims = ${pair(a.lhsBatch, a.rhsBatch)}` : "";
    const precision = a.precision ? `, precision = [${a.precision.join(", ")}]` : "";
    const algorithm = a.algorithm ? `, algorithm = <${algorithmText(a.algorithm)}>` : "";
    return `${batch}, contracting_dims = ${pair(a.lhsContracting, a.rhsContracting)}${precision}${algorithm}`;
  }),
  cost(op) {
    const [x, y] = [op.operands[0]!.type, op.operands[1]!.type];
    const out = op.results[0]!.type;
    const k = product(sizes(x, op.attrs.lhsContracting));
    return { flops: 2 * k * elements(out), transcendentals: 0, bytes: bytesOf(x) + bytesOf(y) + bytesOf(out) };
  },
  make: (b, x, y, attrs, dtype, axes) =>
    emitOne(
      b,
      dotGeneral,
      [x, y],
      attrs,
      { shape: resultShape(x.type, y.type, attrs), dtype: dtype ?? x.type.dtype },
      axes,
    ),
  vjp(b, op, [ct], needs) {
    const [x, y] = op.operands as [Value, Value];
    const { lhsBatch, rhsBatch, lhsContracting, rhsContracting, precision, algorithm: alg } = op.attrs;
    const left: Side = {
      value: x,
      batch: lhsBatch,
      contracting: lhsContracting,
      free: free(x.type, lhsBatch, lhsContracting),
      precision: precision?.[0],
      rounding: alg && { type: alg.lhsPrecisionType, components: alg.lhsComponentCount },
    };
    const right: Side = {
      value: y,
      batch: rhsBatch,
      contracting: rhsContracting,
      free: free(y.type, rhsBatch, rhsContracting),
      precision: precision?.[1],
      rounding: alg && { type: alg.rhsPrecisionType, components: alg.rhsComponentCount },
    };
    const n = lhsBatch.length;
    const ctLeft = left.free.map((_, i) => n + i);
    const ctRight = right.free.map((_, i) => n + left.free.length + i);
    // A product in f32 of bf16 operands is differentiated in the operands' type: their gradient has that type anyway.
    const c = ct!.type.dtype === x.type.dtype ? ct! : b.convert(ct!, x.type.dtype);
    return [
      needs(0) ? towards(b, c, left, right, ctRight, alg) : undefined,
      needs(1) ? towards(b, c, right, left, ctLeft, alg) : undefined,
    ];
  },
};

/** One operand, and how it enters the product. */
interface Side {
  readonly value: Value;
  readonly batch: readonly number[];
  readonly contracting: readonly number[];
  readonly free: readonly number[];
  readonly precision: Precision | undefined;
  readonly rounding: { readonly type: DotAlgorithm["lhsPrecisionType"]; readonly components: number } | undefined;
}

/**
 * The cotangent of `side`: the result's cotangent times the other operand, in the operand order that needs no transpose. The
 * result's cotangent enters with the precision of the side that it stands for.
 */
function towards(
  b: HloBuilder,
  ct: Value,
  side: Side,
  other: Side,
  ctOther: readonly number[],
  algorithm: DotAlgorithm | undefined,
): Value {
  // The other operand's contracting dimensions come out in its own order; these are this side's dimensions in that order.
  const contracting = [...other.contracting]
    .sort((p, q) => p - q)
    .map((d) => side.contracting[other.contracting.indexOf(d)]!);
  const ctFirst = [...side.batch, ...side.free, ...contracting];
  const otherFirst = [...side.batch, ...contracting, ...side.free];
  const inPlace = (order: readonly number[]) => order.filter((d, i) => d === i).length;
  const swap = inPlace(otherFirst) > inPlace(ctFirst);
  const order = swap ? otherFirst : ctFirst;
  const ofCt = { ...side, value: ct, batch: range(side.batch.length), contracting: ctOther };
  const ofOther = { ...other, contracting: other.free };
  const [lhs, rhs] = swap ? [ofOther, ofCt] : [ofCt, ofOther];
  const attrs: DotGeneralAttrs = {
    lhsBatch: lhs.batch,
    rhsBatch: rhs.batch,
    lhsContracting: lhs.contracting,
    rhsContracting: rhs.contracting,
    ...(lhs.precision && rhs.precision && { precision: [lhs.precision, rhs.precision] }),
    ...(algorithm && {
      algorithm: {
        ...algorithm,
        lhsPrecisionType: lhs.rounding!.type,
        rhsPrecisionType: rhs.rounding!.type,
        lhsComponentCount: lhs.rounding!.components,
        rhsComponentCount: rhs.rounding!.components,
      },
    }),
  };
  const axes = side.value.axes && at(side.value.axes, order);
  return b.transpose(b.dotGeneral(lhs.value, rhs.value, attrs, undefined, axes), inverse(order));
}

function resultShape(x: TensorType, y: TensorType, a: DotDimensions): number[] {
  return [
    ...sizes(x, a.lhsBatch),
    ...sizes(x, free(x, a.lhsBatch, a.lhsContracting)),
    ...sizes(y, free(y, a.rhsBatch, a.rhsContracting)),
  ];
}
