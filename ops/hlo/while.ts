import { type Region, sameType, typeText, type Value } from "../../compiler/ir.js";
import { EXPECTED_TRIPS, type Loop } from "../../compiler/program.js";
import type { HloOp } from "./define.js";
import { costOf, hasType, lineOf, scalar } from "./regions.js";

/**
 * Runs `body` on the values as long as `cond` of them holds. StableHLO specification, "while". It has no derivative: how often it
 * runs is not known. Its cost is that of one iteration. `of`: what is known of it, of the scan that it was if it was one.
 */
export const whileLoop: HloOp<
  Loop | null,
  [init: readonly Value[], cond: Region, body: Region, of?: Loop],
  readonly Value[]
> = {
  name: "stablehlo.while",
  argumentName: "iterArg",
  constraints: {
    C1: ({ operands, regions: [cond] }) =>
      hasType(
        "cond",
        cond,
        operands.map((v) => v.type),
        [scalar("i1")],
      ),
    C2: ({ operands, regions: [, body] }) => {
      const types = operands.map((v) => v.type);
      return hasType("body", body, types, types);
    },
    C3: ({ operands, results }) =>
      operands.length === results.length && operands.every((v, i) => sameType(v.type, results[i]!.type))
        ? undefined
        : `results have the operands' types: ${[...operands, ...results].map((v) => typeText(v.type)).join(", ")}`,
  },
  syntax({ def, attrs, operands, regions: [cond, body] }, p) {
    const init = operands.map((v, i) => `${p.value(body!.args[i]!)} = ${p.value(v)}`);
    const types = operands.length ? ` : ${p.types(operands)}` : "";
    // XLA hands it on to what it makes of the loop, whose length it does not know.
    const expected =
      attrs?.expected === undefined
        ? ""
        : ` attributes {mhlo.frontend_attributes = {${EXPECTED_TRIPS} = "${attrs.expected}"}}`;
    const [printedCond, printedBody] = [p.region(cond!, "bare"), p.region(body!, "bare")];
    return `${def.name}(${init.join(", ")})${types}${expected}${lineOf(printedCond)}cond ${printedCond} do ${printedBody}`;
  },
  cost: ({ regions }) => costOf(regions),
  make: (b, init, cond, body, of) =>
    b.emit(
      whileLoop,
      init,
      of ?? null,
      init.map((v) => v.type),
      [cond, body],
      init.map((v) => v.axes),
    ).results,
};
