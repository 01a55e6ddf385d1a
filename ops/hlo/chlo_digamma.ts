import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise logarithmic derivative of the gamma function. CHLO dialect, "digamma". */
export const digamma: HloOp<null, [operand: Value]> = unary("chlo.digamma", {
  kinds: ["float"],
  transcendental: true,
  vjp: (b, ct, x) => b.multiply(ct, b.polygamma(b.constant(x.type, 1), x)),
});
