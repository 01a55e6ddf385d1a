import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise logarithm of the absolute value of the gamma function. CHLO dialect, "lgamma". */
export const lgamma: HloOp<null, [operand: Value]> = unary("chlo.lgamma", {
  kinds: ["float"],
  transcendental: true,
  vjp: (b, ct, x) => b.multiply(ct, b.digamma(x)),
});
