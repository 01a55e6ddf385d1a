import { sameType, typeText, type Value } from "../../compiler/ir.js";
import type { HloOp } from "./define.js";

/**
 * Identity that the compiler moves nothing across. Its derivative is a barrier of the cotangents, so that what is held apart in
 * the forward part stays so in the backward part. StableHLO specification, "optimization_barrier".
 */
export const optimizationBarrier: HloOp<null, [operands: readonly Value[]], readonly Value[]> = {
  name: "stablehlo.optimization_barrier",
  constraints: {
    C1: ({ operands, results }) =>
      operands.length === results.length && operands.every((v, i) => sameType(v.type, results[i]!.type))
        ? undefined
        : `results have the operands' types: ${[...operands, ...results].map((v) => typeText(v.type)).join(", ")}`,
  },
  syntax: ({ def, operands, results }, p) => `${def.name} ${p.values(operands)} : ${p.types(results)}`,
  cost: () => ({ flops: 0, transcendentals: 0, bytes: 0 }),
  make: (b, operands) =>
    b.emit(
      optimizationBarrier,
      operands,
      null,
      operands.map((v) => v.type),
      [],
      operands.map((v) => v.axes),
    ).results,
  vjp(b, { operands }, cotangents, needs) {
    const taken = operands.map((_, i) => i).filter((i) => cotangents[i] && needs(i));
    const held = taken.length ? b.optimizationBarrier(taken.map((i) => cotangents[i]!)) : [];
    return operands.map((_, i) => held[taken.indexOf(i)]);
  },
};
