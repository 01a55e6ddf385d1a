import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise negation; modulo 2^n for integers. StableHLO specification, "negate". */
export const negate: HloOp<null, [operand: Value]> = unary("stablehlo.negate", {
  kinds: ["integer", "float", "complex"],
  vjp: (b, ct) => b.negate(ct),
});
