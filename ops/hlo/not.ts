import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise logical not of booleans, bitwise not of integers. StableHLO specification, "not". */
export const not: HloOp<null, [operand: Value]> = unary("stablehlo.not", {
  kinds: ["boolean", "integer"],
  stops: true,
});
