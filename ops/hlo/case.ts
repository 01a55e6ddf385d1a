import { type Region, typeText, type Value } from "../../compiler/ir.js";
import { branchesVjp } from "../../compiler/passes/grad.js";
import type { HloOp } from "./define.js";
import type { HloBuilder } from "./index.js";
import { branchTypes, dearest, genericSyntax, resultsOf } from "./regions.js";

/**
 * Runs the region whose number is given, the last when there is none of that number; regions take no arguments and see what is
 * around them. StableHLO specification, "case". Its cost is that of the dearest branch.
 */
export const caseOf: HloOp<null, [index: Value, branches: readonly Region[]], readonly Value[]> = {
  name: "stablehlo.case",
  constraints: {
    I1: ({ operands: [index] }) =>
      typeText(index!.type) === "tensor<i32>" ? undefined : `the index is tensor<i32>, not ${typeText(index!.type)}`,
    C1: ({ regions }) => (regions.length === 0 ? "no branches" : undefined),
    C2: ({ regions }) => {
      const i = regions.findIndex((r) => r.args.length > 0);
      return i < 0 ? undefined : `branch ${i} takes ${regions[i]!.args.length} arguments, not none`;
    },
    C3: ({ regions: [first, ...rest] }) => {
      const other = rest.find((r) => branchTypes(r) !== branchTypes(first!));
      return other && `branches differ in what they give: ${branchTypes(first!)}, ${branchTypes(other)}`;
    },
    C4: (op) => resultsOf(op, op.regions[0]!),
  },
  syntax: genericSyntax(() => []),
  cost: dearest,
  vjpWithCaptures: branchesVjp((b, op, branches) => (b as HloBuilder).case(op.operands[0]!, branches)),
  make: (b, index, branches) =>
    b.emit(
      caseOf,
      [index],
      null,
      (branches[0]?.results ?? []).map((v) => v.type),
      [...branches],
      (branches[0]?.results ?? []).map((v) => v.axes),
    ).results,
};
