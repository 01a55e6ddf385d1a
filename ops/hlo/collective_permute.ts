import { type Op, pointwiseCost, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp } from "./define.js";
import { repeats, typeKept } from "./dimensions.js";
import { CHANNEL, type Groups, table } from "./groups.js";
import { genericSyntax } from "./regions.js";

export interface CollectivePermuteAttrs {
  /** Device numbers: who sends to whom. */
  readonly pairs: Groups;
}

/**
 * Devices send their operand to another; who is sent none has zeros. StableHLO specification, "collective_permute". Cotangents go back the
 * way the operands came.
 */
export const collectivePermute: HloOp<CollectivePermuteAttrs, [operand: Value, pairs: Groups]> = {
  name: "stablehlo.collective_permute",
  constraints: {
    C1: ({ attrs: { pairs } }) =>
      pairs.every((pair) => pair.length === 2) ? undefined : "a pair is a source and a target",
    C2: ({ attrs: { pairs } }) => (repeats(pairs.map(([source]) => source!)) ? "a device sends twice" : undefined),
    C3: ({ attrs: { pairs } }) =>
      repeats(pairs.map(([, target]) => target!)) ? "a device is sent to twice" : undefined,
    C4: ({ attrs: { pairs } }) =>
      pairs.flat().some((device) => device < 0) ? "a device has no negative number" : undefined,
    C5: typeKept,
  },
  syntax: genericSyntax(({ attrs }: Op<CollectivePermuteAttrs>) => [
    CHANNEL,
    `source_target_pairs = ${table(attrs.pairs)}`,
  ]),
  cost: (op) => pointwiseCost(op, 0),
  make: (b, x, pairs) => emitOne(b, collectivePermute, [x], { pairs }, x.type, x.axes),
  vjp: (b, { attrs }, [ct]) => [
    b.collectivePermute(
      ct!,
      attrs.pairs.map(([source, target]) => [target!, source!]),
    ),
  ],
};
