import { type Op, pointwiseCost, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp, list } from "./define.js";
import { outside, repeats, typeKept } from "./dimensions.js";

export interface ReverseAttrs {
  readonly dimensions: readonly number[];
}

/** Elements in the opposite order along dimensions. StableHLO specification, "reverse". */
export const reverse: HloOp<ReverseAttrs, [operand: Value, dimensions: readonly number[]]> = {
  name: "stablehlo.reverse",
  constraints: {
    C1: typeKept,
    C2: ({ attrs: { dimensions } }) => (repeats(dimensions) ? `dimensions ${list(dimensions)} repeat` : undefined),
    C3: ({ results: [y], attrs: { dimensions } }) =>
      outside(dimensions, y!.type.shape.length)
        ? `dimensions ${list(dimensions)} leave ${typeText(y!.type)}`
        : undefined,
  },
  syntax: ({ def, operands, results, attrs }: Op<ReverseAttrs>, p) =>
    `${def.name} ${p.values(operands)}, dims = ${list(attrs.dimensions)} : ${p.types(results)}`,
  cost: (op) => pointwiseCost(op, 0),
  make: (b, x, dimensions) => emitOne(b, reverse, [x], { dimensions }, x.type, x.axes),
  vjp: (b, { attrs }, [ct]) => [b.reverse(ct!, attrs.dimensions)],
};
