import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise number of leading zero bits. StableHLO specification, "count_leading_zeros". */
export const countLeadingZeros: HloOp<null, [operand: Value]> = unary("stablehlo.count_leading_zeros", {
  kinds: ["integer"],
  stops: true,
});
