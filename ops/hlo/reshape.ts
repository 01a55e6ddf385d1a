import { elements, pointwiseCost, sameShape, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp } from "./define.js";
import { sameElementType } from "./dimensions.js";

/**
 * The same elements in the same order under another shape; the operand itself when the shape is its own. StableHLO
 * specification, "reshape". (C3 is about quantized types, which xenarc has not.)
 */
export const reshape: HloOp<null, [operand: Value, shape: readonly number[], axes?: readonly string[]]> = {
  name: "stablehlo.reshape",
  view: true,
  constraints: {
    C1: sameElementType(),
    C2: ({ operands: [x], results: [y] }) =>
      elements(x!.type) === elements(y!.type)
        ? undefined
        : `${typeText(x!.type)} has ${elements(x!.type)} elements, ${typeText(y!.type)} has ${elements(y!.type)}`,
  },
  syntax: functionalSyntax(),
  cost: (op) => pointwiseCost(op, 0),
  make: (b, x, shape, axes) =>
    sameShape(shape, x.type.shape) ? x : emitOne(b, reshape, [x], null, { shape, dtype: x.type.dtype }, axes),
  vjp: (b, { operands: [x] }, [ct]) => [b.reshape(ct!, x!.type.shape, x!.axes)],
};
