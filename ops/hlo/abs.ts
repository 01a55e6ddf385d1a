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

/** Elementwise absolute value, of complex numbers the modulus. StableHLO specification, "abs". */
export const abs: HloOp<null, [operand: Value]> = {
  name: "stablehlo.abs",
  constraints: {
    I1: operandKind(0, ["signed", "float", "complex"]),
    O1: resultKind(["signed", "float"]),
    C1: shapeOfOperand(),
    C2: ({ operands: [x], results: [y] }) =>
      y!.type.dtype === partType(x!.type.dtype)
        ? undefined
        : `the absolute value of ${typeText(x!.type)} has element type ${partType(x!.type.dtype)}, not ${y!.type.dtype}`,
  },
  syntax: compactSyntax,
  cost: (op) => pointwiseCost(op, kinds.complex(op.operands[0]!.type.dtype) ? 4 : 1),
  make: (b, x) => emitOne(b, abs, [x], null, { shape: x.type.shape, dtype: partType(x.type.dtype) }, x.axes),
  vjp(b, { operands, results }, [ct]) {
    const x = operands[0]!;
    const modulus = results[0]!;
    const zero = b.constant(modulus.type, 0);
    if (!kinds.complex(x.type.dtype)) return [b.select(b.compare(x, zero, "GE"), ct!, b.negate(ct!))];
    const divisor = b.select(b.compare(modulus, zero, "EQ"), b.constant(modulus.type, 1), modulus);
    const scaled = b.divide(ct!, divisor);
    return [b.complex(b.multiply(scaled, b.real(x)), b.negate(b.multiply(scaled, b.imag(x))))];
  },
};
