import { pointwiseCost, typeText, type Value } from "../../compiler/ir.js";
import {
  compactSyntax,
  emitOne,
  type HloOp,
  kinds,
  operandKind,
  partType,
  resultKind,
  shapeOfOperand,
} from "./define.js";

/** The real part of every element; a real number is its own. StableHLO specification, "real". */
export const real: HloOp<null, [operand: Value]> = {
  name: "stablehlo.real",
  constraints: {
    I1: operandKind(0, ["float", "complex"]),
    O1: resultKind(["float"]),
    C1: shapeOfOperand(),
    C2: ({ operands: [x], results: [y] }) =>
      y!.type.dtype === partType(x!.type.dtype)
        ? undefined
        : `a part of ${typeText(x!.type)} has element type ${partType(x!.type.dtype)}, not ${y!.type.dtype}`,
  },
  syntax: compactSyntax,
  cost: (op) => pointwiseCost(op, 0),
  make: (b, x) => emitOne(b, real, [x], null, { shape: x.type.shape, dtype: partType(x.type.dtype) }, x.axes),
  vjp(b, op, [ct]) {
    const { type } = op.operands[0]!;
    return [kinds.complex(type.dtype) ? b.complex(ct!, b.constant(ct!.type, 0)) : ct];
  },
};
