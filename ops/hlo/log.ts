import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise natural logarithm. StableHLO specification, "log". */
export const log: HloOp<null, [operand: Value]> = unary("stablehlo.log", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, x) => b.divide(ct, x),
});
