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

/** The imaginary part of every element; zero for real numbers. StableHLO specification, "imag". */
export const imag: HloOp<null, [operand: Value]> = {
  name: "stablehlo.imag",
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
  make: (b, x) => emitOne(b, imag, [x], null, { shape: x.type.shape, dtype: partType(x.type.dtype) }, x.axes),
  vjp(b, op, [ct]) {
    const { type } = op.operands[0]!;
    return [kinds.complex(type.dtype) ? b.complex(b.constant(ct!.type, 0), b.negate(ct!)) : undefined];
  },
};
