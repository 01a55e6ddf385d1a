import { type Op, pointwiseCost, sameType, type TensorType, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp } from "./define.js";
import { outside } from "./dimensions.js";
import { type GroupAttrs, type Groups, groupAttributes, groupSize, knownDevices, uniqueDevices } from "./groups.js";
import { genericSyntax } from "./regions.js";

export interface AllToAllAttrs extends GroupAttrs {
  readonly split: number;
  readonly concat: number;
  readonly count: number;
}

const exchanged = ({ shape, dtype }: TensorType, { split, concat, count }: Omit<AllToAllAttrs, "groups">) => {
  const sizes = [...shape];
  sizes[split]! /= count;
  sizes[concat]! *= count;
  return { dtype, shape: sizes };
};

const isDimension = (which: "split" | "concat") => (op: Op<AllToAllAttrs>) => {
  const { type } = op.operands[0]!;
  const d = op.attrs[which];
  return outside([d], type.shape.length) ? `dimension ${d} is none of ${typeText(type)}` : undefined;
};

/**
 * Each device splits its operand along a dimension into as many parts as its group has devices, sends each its part, and puts what it
 * gets together along another. StableHLO specification, "all_to_all".
 */
export const allToAll: HloOp<AllToAllAttrs, [operand: Value, split: number, concat: number, groups: Groups]> = {
  name: "stablehlo.all_to_all",
  constraints: {
    C1: isDimension("split"),
    C4: ({ attrs: { count } }) => (count > 0 ? undefined : `${count} parts`),
    C2: ({ operands: [x], attrs: { split, count } }) =>
      x!.type.shape[split]! % count === 0
        ? undefined
        : `dimension ${split} of ${typeText(x!.type)} cannot be split into ${count} parts`,
    C3: isDimension("concat"),
    C5: uniqueDevices,
    C7: knownDevices,
    C8: (op) =>
      groupSize(op) === op.attrs.count ? undefined : `${op.attrs.count} parts for ${groupSize(op)} devices in a group`,
    C9: ({ operands: [x], results: [y], attrs }) => {
      const want = exchanged(x!.type, attrs);
      return sameType(want, y!.type) ? undefined : `the result is ${typeText(want)}, not ${typeText(y!.type)}`;
    },
  },
  syntax: genericSyntax(({ attrs }: Op<AllToAllAttrs>) =>
    groupAttributes(
      attrs,
      `concat_dimension = ${attrs.concat} : i64`,
      `split_count = ${attrs.count} : i64`,
      `split_dimension = ${attrs.split} : i64`,
    ),
  ),
  cost: (op) => pointwiseCost(op, 0),
  make(b, x, split, concat, groups) {
    const attrs = { split, concat, count: groups[0]?.length ?? 0, groups };
    return emitOne(b, allToAll, [x], attrs, exchanged(x.type, attrs), x.axes);
  },
  vjp: (b, { attrs }, [ct]) => [b.allToAll(ct!, attrs.concat, attrs.split, attrs.groups)],
};
