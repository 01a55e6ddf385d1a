import { type Region, typeText, type Value } from "../../compiler/ir.js";
import { branchesVjp } from "../../compiler/passes/grad.js";
import type { HloOp } from "./define.js";
import type { HloBuilder } from "./index.js";
import { branchTypes, dearest, genericSyntax, resultsOf } from "./regions.js";

/**
 * Runs one of two regions, which take no arguments and see what is around them. StableHLO specification, "if". Its cost is that
 * of the dearer branch.
 */
export const ifElse: HloOp<null, [pred: Value, onTrue: Region, onFalse: Region], readonly Value[]> = {
  name: "stablehlo.if",
  constraints: {
    I1: ({ operands: [pred] }) =>
      typeText(pred!.type) === "tensor<i1>" ? undefined : `pred is tensor<i1>, not ${typeText(pred!.type)}`,
    C1: ({ regions }) => {
      const i = regions.findIndex((r) => r.args.length > 0);
      return i < 0
        ? undefined
        : `the ${i === 0 ? "true" : "false"} branch takes ${regions[i]!.args.length} arguments, not none`;
    },
    C2: ({ regions: [onTrue, onFalse] }) =>
      branchTypes(onTrue!) === branchTypes(onFalse!)
        ? undefined
        : `the true branch gives ${branchTypes(onTrue!)}, the false branch ${branchTypes(onFalse!)}`,
    C3: (op) => resultsOf(op, op.regions[0]!),
  },
  syntax: genericSyntax(() => []),
  cost: dearest,
  vjpWithCaptures: branchesVjp((b, op, [onTrue, onFalse]) => (b as HloBuilder).if(op.operands[0]!, onTrue!, onFalse!)),
  make: (b, pred, onTrue, onFalse) =>
    b.emit(
      ifElse,
      [pred],
      null,
      onTrue.results.map((v) => v.type),
      [onTrue, onFalse],
      onTrue.results.map((v) => v.axes),
    ).results,
};
