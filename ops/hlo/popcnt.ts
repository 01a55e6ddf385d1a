import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise number of bits that are set. StableHLO specification, "popcnt". */
export const popcnt: HloOp<null, [operand: Value]> = unary("stablehlo.popcnt", {
  kinds: ["integer"],
  stops: true,
});
