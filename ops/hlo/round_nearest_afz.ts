import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise nearest integer, ties away from zero. StableHLO specification, "round_nearest_afz". */
export const roundNearestAfz: HloOp<null, [operand: Value]> = unary("stablehlo.round_nearest_afz", {
  kinds: ["float"],
  stops: true,
});
