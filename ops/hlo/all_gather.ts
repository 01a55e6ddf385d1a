import { type Op, pointwiseCost, sameType, type TensorType, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp } from "./define.js";
import { outside } from "./dimensions.js";
import { type GroupAttrs, type Groups, groupAttributes, groupSize, knownDevices, uniqueDevices } from "./groups.js";
import { genericSyntax } from "./regions.js";

export interface AllGatherAttrs extends GroupAttrs {
  readonly dimension: number;
}

const gathered = ({ shape, dtype }: TensorType, dimension: number, n: number): TensorType => ({
  dtype,
  shape: shape.map((size, d) => (d === dimension ? size * n : size)),
});

/** The operands of a group's devices one after the other along a dimension, on each of them. StableHLO specification, "all_gather". */
export const allGather: HloOp<AllGatherAttrs, [operand: Value, dimension: number, groups: Groups]> = {
  name: "stablehlo.all_gather",
  constraints: {
    C1: ({ operands: [x], attrs: { dimension } }) =>
      outside([dimension], x!.type.shape.length) ? `dimension ${dimension} is none of ${typeText(x!.type)}` : undefined,
    C2: uniqueDevices,
    C4: knownDevices,
    C6: (op) => {
      const want = gathered(op.operands[0]!.type, op.attrs.dimension, groupSize(op));
      return sameType(op.results[0]!.type, want)
        ? undefined
        : `the result is ${typeText(want)}, not ${typeText(op.results[0]!.type)}`;
    },
  },
  syntax: genericSyntax(({ attrs }: Op<AllGatherAttrs>) => [
    ...groupAttributes(attrs, `all_gather_dim = ${attrs.dimension} : i64`),
    "use_global_device_ids",
  ]),
  cost: (op) => pointwiseCost(op, 0),
  make: (b, x, dimension, groups) =>
    emitOne(b, allGather, [x], { dimension, groups }, gathered(x.type, dimension, groups[0]?.length ?? 0), x.axes),
  vjp: (b, { attrs }, [ct]) => [b.reduceScatter(ct!, attrs.dimension, attrs.groups)],
};
