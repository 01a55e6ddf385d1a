import { type DType, isFloat, pointwiseCost, type Value } from "../../compiler/ir.js";
import { compactSyntax, emitOne, type HloOp, shapeOfOperand } from "./define.js";

/**
 * Elementwise conversion to another element type: floats to integers truncate, anything but zero is true, complex numbers
 * lose their imaginary part. StableHLO specification, "convert".
 */
export const convert: HloOp<null, [operand: Value, dtype: DType]> = {
  name: "stablehlo.convert",
  constraints: { C1: shapeOfOperand() },
  syntax: compactSyntax,
  cost: (op) => pointwiseCost(op, 1),
  make: (b, x, dtype) => emitOne(b, convert, [x], null, { shape: x.type.shape, dtype }, x.axes),
  vjp(b, { operands, results }, [ct]) {
    const { type } = operands[0]!;
    return [isFloat(type) && isFloat(results[0]!.type) ? b.convert(ct!, type.dtype) : undefined];
  },
};
