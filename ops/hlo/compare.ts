import { type DType, type Printer, pointwiseCost, sameShape, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionType, type HloOp, kinds, resultKind } from "./define.js";

const directions = ["EQ", "NE", "GE", "GT", "LE", "LT"] as const;
const compareTypes = ["FLOAT", "TOTALORDER", "SIGNED", "UNSIGNED"] as const;
export type ComparisonDirection = (typeof directions)[number];
export type CompareType = (typeof compareTypes)[number];
export interface CompareAttrs {
  readonly direction: ComparisonDirection;
  readonly compareType: CompareType;
}

/** How elements of a type may be compared; the first is the usual way. */
function compareTypesOf(d: DType): readonly CompareType[] {
  if (kinds.float(d)) return ["FLOAT", "TOTALORDER"];
  if (kinds.complex(d)) return ["FLOAT"];
  return kinds.signed(d) ? ["SIGNED"] : ["UNSIGNED"];
}

/**
 * Elementwise comparison. Floats compare as IEEE 754 says (nothing equals NaN), or in its total order when asked.
 * StableHLO specification, "compare".
 */
export const compare: HloOp<
  CompareAttrs,
  [lhs: Value, rhs: Value, direction: ComparisonDirection, compareType?: CompareType]
> = {
  name: "stablehlo.compare",
  view: true,
  stops: true,
  constraints: {
    I3: ({ attrs }) =>
      directions.includes(attrs.direction)
        ? undefined
        : `direction ${attrs.direction}; allowed: ${directions.join(", ")}`,
    I4: ({ attrs }) =>
      compareTypes.includes(attrs.compareType)
        ? undefined
        : `compare type ${attrs.compareType}; allowed: ${compareTypes.join(", ")}`,
    O1: resultKind(["boolean"]),
    C1: ({ operands: [x, y] }) =>
      x!.type.dtype === y!.type.dtype
        ? undefined
        : `operands have one element type, not ${x!.type.dtype} and ${y!.type.dtype}`,
    C2: ({ operands: [x, y], results: [z] }) =>
      sameShape(x!.type.shape, y!.type.shape) && sameShape(x!.type.shape, z!.type.shape)
        ? undefined
        : `operands and result have one shape: ${[x!, y!, z!].map((v) => typeText(v.type)).join(", ")}`,
    C3: ({ operands: [x], attrs }) => {
      const allowed = compareTypesOf(x!.type.dtype);
      return allowed.includes(attrs.compareType)
        ? undefined
        : `elements of ${typeText(x!.type)} are compared as ${allowed.join(" or ")}, not ${attrs.compareType}`;
    },
  },
  syntax: (op, p: Printer) =>
    `${op.def.name} ${op.attrs.direction}, ${p.values(op.operands)}, ${op.attrs.compareType} : ${functionType(op, p)}`,
  cost: (op) => pointwiseCost(op, 1),
  make: (b, x, y, direction, compareType = compareTypesOf(x.type.dtype)[0]!) =>
    emitOne(b, compare, [x, y], { direction, compareType }, { shape: x.type.shape, dtype: "i1" }, x.axes ?? y.axes),
};
