import { bytesOf, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp } from "./define.js";
import { sameStartTypes, scalarStarts, typeKept } from "./dimensions.js";

/**
 * A tensor with a part of it, which starts at positions computed at run time, replaced; a start is moved until the part lies
 * within the tensor. StableHLO specification, "dynamic_update_slice".
 */
export const dynamicUpdateSlice: HloOp<null, [operand: Value, update: Value, start: readonly Value[]]> = {
  name: "stablehlo.dynamic_update_slice",
  constraints: {
    I3: ({ operands: [, , ...start] }) => scalarStarts(start),
    C1: typeKept,
    C2: ({ operands: [x, update] }) =>
      x!.type.dtype === update!.type.dtype
        ? undefined
        : `${typeText(x!.type)} and the update ${typeText(update!.type)} differ in element type`,
    C3: ({ operands: [x, update] }) =>
      x!.type.shape.length === update!.type.shape.length
        ? undefined
        : `${typeText(x!.type)} and the update ${typeText(update!.type)} differ in rank`,
    C4: ({ operands: [x, , ...start] }) =>
      start.length === x!.type.shape.length ? undefined : `${start.length} start indices for ${typeText(x!.type)}`,
    C5: sameStartTypes(2),
    C6: ({ operands: [x, update] }) =>
      update!.type.shape.some((n, d) => n < 0 || n > x!.type.shape[d]!)
        ? `the update ${typeText(update!.type)} does not fit ${typeText(x!.type)}`
        : undefined,
  },
  syntax: functionalSyntax(),
  // In place, as XLA does it: the update is read and written, the rest stays.
  cost: ({ operands: [, update] }) => ({ flops: 0, transcendentals: 0, bytes: 2 * bytesOf(update!.type) }),
  make: (b, x, update, start) => emitOne(b, dynamicUpdateSlice, [x, update, ...start], null, x.type, x.axes),
  vjp(b, { operands: [, update, ...start] }, [ct], needs) {
    const { type } = update!;
    return [
      needs(0) ? b.dynamicUpdateSlice(ct!, b.constant(type, 0), start) : undefined,
      needs(1) ? b.dynamicSlice(ct!, start, type.shape) : undefined,
    ];
  },
};
