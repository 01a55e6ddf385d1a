import { pointwiseCost, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, operandKind, resultKind, shapeOfOperand } from "./define.js";

/** Elementwise: neither infinite nor NaN. StableHLO specification, "is_finite". */
export const isFiniteOp: HloOp<null, [x: Value]> = {
  name: "stablehlo.is_finite",
  stops: true,
  constraints: { I1: operandKind(0, ["float"]), O1: resultKind(["boolean"]), C1: shapeOfOperand() },
  syntax: functionalSyntax(),
  cost: (op) => pointwiseCost(op, 1),
  make: (b, x) => emitOne(b, isFiniteOp, [x], null, { shape: x.type.shape, dtype: "i1" }, x.axes),
};
