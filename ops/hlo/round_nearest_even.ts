import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise nearest integer, ties to even. StableHLO specification, "round_nearest_even". */
export const roundNearestEven: HloOp<null, [operand: Value]> = unary("stablehlo.round_nearest_even", {
  kinds: ["float"],
  stops: true,
});
