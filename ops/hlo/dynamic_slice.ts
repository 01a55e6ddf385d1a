import { type Op, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, list } from "./define.js";
import { resultMoved, sameElementType, sameStartTypes, scalarStarts, wrongShape } from "./dimensions.js";

export interface DynamicSliceAttrs {
  readonly sizes: readonly number[];
}

/**
 * The part of a tensor that starts at positions computed at run time; a start is moved until the part lies within the tensor.
 * StableHLO specification, "dynamic_slice".
 */
export const dynamicSlice: HloOp<
  DynamicSliceAttrs,
  [operand: Value, start: readonly Value[], sizes: readonly number[]]
> = {
  name: "stablehlo.dynamic_slice",
  constraints: {
    I2: ({ operands: [, ...start] }) => scalarStarts(start),
    C1: sameElementType(),
    C2: ({ operands: [x, ...start], attrs: { sizes } }) =>
      start.length !== sizes.length || sizes.length !== x!.type.shape.length
        ? `${start.length} start indices and ${sizes.length} sizes for ${typeText(x!.type)}`
        : undefined,
    C3: sameStartTypes(1),
    C4: ({ operands: [x], attrs: { sizes } }) =>
      sizes.some((n, d) => n < 0 || n > x!.type.shape[d]!)
        ? `sizes ${list(sizes)} do not fit ${typeText(x!.type)}`
        : undefined,
    C5: ({ results: [y], attrs }) => wrongShape(attrs.sizes, y!),
  },
  syntax: functionalSyntax((op: Op<DynamicSliceAttrs>) => `, sizes = ${list(op.attrs.sizes)}`),
  cost: resultMoved,
  // The slice of a scalar is the scalar. (What MLIR prints for such an op, its parser refuses.)
  make: (b, x, start, sizes) =>
    x.type.shape.length + start.length + sizes.length === 0
      ? x
      : emitOne(b, dynamicSlice, [x, ...start], { sizes }, { shape: sizes, dtype: x.type.dtype }, x.axes),
  vjp: (b, { operands: [x, ...start] }, [ct]) => [b.dynamicUpdateSlice(b.constant(x!.type, 0), ct!, start)],
};
