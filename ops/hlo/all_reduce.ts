import { type Op, pointwiseCost, sameShape, typeText, type Value } from "../../compiler/ir.js";
import { type HloOp, list } from "./define.js";
import { type GroupAttrs, type Groups, groupAttributes, knownDevices, uniqueDevices } from "./groups.js";
import { applying, combiners, genericSyntax, isReduction, type Monoid, noDerivative, regionOf } from "./regions.js";

/**
 * The operands of a group's devices combined element by element, on each of them. StableHLO specification, "all_reduce". Only the sum
 * has a derivative: the sum of the cotangents, since every device's result depends on every device's operand.
 */
export const allReduce: HloOp<GroupAttrs, [operand: Value, groups: Groups, by?: Monoid]> = {
  name: "stablehlo.all_reduce",
  constraints: {
    C1: uniqueDevices,
    C3: knownDevices,
    C5: ({ operands: [x], regions: [body] }) => isReduction(body, [x!.type]),
    C6: ({ operands: [x], results: [y] }) =>
      sameShape(x!.type.shape, y!.type.shape)
        ? undefined
        : `the result's shape is ${list(x!.type.shape)}, not ${list(y!.type.shape)}`,
    C7: ({ results: [y], regions: [body] }) =>
      y!.type.dtype === body!.results[0]!.type.dtype
        ? undefined
        : `the result has the body's element type ${body!.results[0]!.type.dtype}, not ${typeText(y!.type)}`,
  },
  syntax: genericSyntax(({ attrs }: Op<GroupAttrs>) => [...groupAttributes(attrs), "use_global_device_ids"]),
  cost: (op) => pointwiseCost(op, 1),
  make(b, x, groups, by = "add") {
    const body = regionOf(b, applying(by), [x.type.dtype, x.type.dtype]);
    return b.emit(allReduce, [x], { groups }, [x.type], [body], [x.axes]).results[0]!;
  },
  vjp(b, op, [ct]) {
    if (combiners(op.regions[0]!)[0] !== "stablehlo.add") throw noDerivative(op, "it is not a sum");
    return [b.allReduce(ct!, op.attrs.groups)];
  },
};
