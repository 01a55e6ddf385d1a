import { type Op, pointwiseCost, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, list } from "./define.js";
import { at, inverse, isIdentity, outside, repeats, sameElementType, wrongShape } from "./dimensions.js";

export interface TransposeAttrs {
  /** Dimension of the operand that each dimension of the result is. */
  readonly permutation: readonly number[];
}

/**
 * Permutes dimensions; the operand itself when nothing moves. StableHLO specification, "transpose". (C4 is about quantized
 * types, which xenarc has not.)
 */
export const transpose: HloOp<TransposeAttrs, [operand: Value, permutation: readonly number[]]> = {
  name: "stablehlo.transpose",
  view: true,
  constraints: {
    C1: sameElementType(),
    C2: ({ operands: [x], attrs: { permutation: p } }) => {
      const rank = x!.type.shape.length;
      return p.length !== rank || repeats(p) || outside(p, rank)
        ? `${list(p)} is no permutation of the dimensions of ${typeText(x!.type)}`
        : undefined;
    },
    C3: ({ operands: [x], results: [y], attrs }) => wrongShape(at(x!.type.shape, attrs.permutation), y!),
  },
  syntax: functionalSyntax((op: Op<TransposeAttrs>) => `, dims = ${list(op.attrs.permutation)}`),
  cost: (op) => pointwiseCost(op, 0),
  make(b, x, permutation) {
    const { shape, dtype } = x.type;
    if (permutation.length === shape.length && isIdentity(permutation)) return x;
    const axes = x.axes && at(x.axes, permutation);
    return emitOne(b, transpose, [x], { permutation }, { shape: at(shape, permutation), dtype }, axes);
  },
  vjp: (b, { attrs }, [ct]) => [b.transpose(ct!, inverse(attrs.permutation))],
};
