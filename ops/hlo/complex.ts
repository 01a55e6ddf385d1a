import { type Op, type Printer, pointwiseCost, sameType, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp, partType, resultKind, shapeOfOperand } from "./define.js";

/** Operand n is a tensor of `f32` or `f64`. */
const wholePart = (index: number) => (op: Op) => {
  const { type } = op.operands[index]!;
  return type.dtype === "f32" || type.dtype === "f64"
    ? undefined
    : `operand ${index} is ${typeText(type)}; allowed element types: f32, f64`;
};

/** Complex numbers from their real parts, `lhs`, and imaginary parts, `rhs`. StableHLO specification, "complex". */
export const complex: HloOp<null, [lhs: Value, rhs: Value]> = {
  name: "stablehlo.complex",
  constraints: {
    I1: wholePart(0),
    I2: wholePart(1),
    O1: resultKind(["complex"]),
    C1: ({ operands: [x, y] }) =>
      sameType(x!.type, y!.type)
        ? undefined
        : `real and imaginary parts have one type, not ${typeText(x!.type)} and ${typeText(y!.type)}`,
    C2: shapeOfOperand(),
    C3: ({ operands: [x], results: [z] }) =>
      partType(z!.type.dtype) === x!.type.dtype
        ? undefined
        : `parts of ${typeText(x!.type)} make complex<${x!.type.dtype}>, not ${z!.type.dtype}`,
  },
  syntax: (op, p: Printer) => `${op.def.name} ${p.values(op.operands)} : ${p.type(op.results[0]!.type)}`,
  cost: (op) => pointwiseCost(op, 0),
  make: (b, x, y) =>
    emitOne(
      b,
      complex,
      [x, y],
      null,
      { shape: x.type.shape, dtype: x.type.dtype === "f64" ? "complex<f64>" : "complex<f32>" },
      x.axes ?? y.axes,
    ),
  vjp: (b, _, [ct], needs) => [needs(0) ? b.real(ct!) : undefined, needs(1) ? b.negate(b.imag(ct!)) : undefined],
};
