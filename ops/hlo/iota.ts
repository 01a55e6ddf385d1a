import { type Printer, pointwiseCost, type TensorType, typeText } from "../../compiler/ir.js";
import { emitOne, type HloOp, resultKind } from "./define.js";

export interface IotaAttrs {
  readonly dimension: number;
}

/** Counts from zero along one dimension. StableHLO specification, "iota". */
export const iota: HloOp<IotaAttrs, [type: TensorType, dimension: number, axes?: readonly string[]]> = {
  name: "stablehlo.iota",
  view: true,
  stops: true,
  constraints: {
    I1: ({ attrs }) =>
      Number.isInteger(attrs.dimension) ? undefined : `the dimension is an integer, not ${attrs.dimension}`,
    O1: resultKind(["integer", "float", "complex"]),
    C1: ({ results: [y], attrs }) =>
      attrs.dimension >= 0 && attrs.dimension < y!.type.shape.length
        ? undefined
        : `dimension ${attrs.dimension} is not one of ${typeText(y!.type)}`,
  },
  syntax: (op, p: Printer) => `${op.def.name} dim = ${op.attrs.dimension} : ${p.type(op.results[0]!.type)}`,
  cost: (op) => pointwiseCost(op, 1),
  make: (b, { shape, dtype }, dimension, axes) => emitOne(b, iota, [], { dimension }, { shape, dtype }, axes),
};
