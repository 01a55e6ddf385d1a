import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise logistic function, `1 / (1 + exp(-x))`. StableHLO specification, "logistic". */
export const logistic: HloOp<null, [operand: Value]> = unary("stablehlo.logistic", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, _, y) => b.multiply(ct, b.multiply(y, b.subtract(b.constant(y.type, 1), y))),
});
