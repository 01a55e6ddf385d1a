import { type Printer, pointwiseCost, sameShape, sameType, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp, inheritAxes, operandKind } from "./define.js";

/** Elementwise `pred ? on_true : on_false`; `pred` may be a scalar. StableHLO specification, "select". */
export const select: HloOp<null, [pred: Value, onTrue: Value, onFalse: Value]> = {
  name: "stablehlo.select",
  constraints: {
    I1: operandKind(0, ["boolean"]),
    C1: ({ operands: [pred, x] }) =>
      pred!.type.shape.length === 0 || sameShape(pred!.type.shape, x!.type.shape)
        ? undefined
        : `pred ${typeText(pred!.type)} is neither a scalar nor of the shape of ${typeText(x!.type)}`,
    C2: ({ operands: [, x, y], results: [z] }) =>
      sameType(x!.type, y!.type) && sameType(x!.type, z!.type)
        ? undefined
        : `on_true, on_false and the result have one type: ${[x!, y!, z!].map((v) => typeText(v.type)).join(", ")}`,
  },
  syntax: (op, p: Printer) =>
    `${op.def.name} ${p.values(op.operands)} : ${p.type(op.operands[0]!.type)}, ${p.type(op.results[0]!.type)}`,
  cost: (op) => pointwiseCost(op, 1),
  make: (b, pred, x, y) =>
    emitOne(b, select, [pred, x, y], null, x.type, inheritAxes(pred.type.shape.length ? [x, y, pred] : [x, y])),
  vjp(b, { operands: [pred] }, [ct], needs) {
    const zero = b.constant(ct!.type, 0);
    return [
      undefined,
      needs(1) ? b.select(pred!, ct!, zero) : undefined,
      needs(2) ? b.select(pred!, zero, ct!) : undefined,
    ];
  },
};
