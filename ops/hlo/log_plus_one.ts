import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise natural logarithm of one plus the operand, exact near zero. StableHLO specification, "log_plus_one". */
export const logPlusOne: HloOp<null, [operand: Value]> = unary("stablehlo.log_plus_one", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, x) => b.divide(ct, b.add(x, b.constant(x.type, 1))),
});
