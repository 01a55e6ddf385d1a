import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise exponential function. StableHLO specification, "exponential". */
export const exponential: HloOp<null, [operand: Value]> = unary("stablehlo.exponential", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, _, y) => b.multiply(ct, y),
});
