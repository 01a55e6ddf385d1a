import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise exponential function minus one, exact near zero. StableHLO specification, "exponential_minus_one". */
export const exponentialMinusOne: HloOp<null, [operand: Value]> = unary("stablehlo.exponential_minus_one", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, _, y) => b.multiply(ct, b.add(y, b.constant(y.type, 1))),
});
