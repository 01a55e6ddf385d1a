import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise error function. CHLO dialect, "erf". */
export const erf: HloOp<null, [operand: Value]> = unary("chlo.erf", {
  kinds: ["float"],
  transcendental: true,
  vjp: (b, ct, x) => {
    const gauss = b.exponential(b.negate(b.multiply(x, x)));
    return b.multiply(b.constant(x.type, 2 / Math.sqrt(Math.PI)), b.multiply(ct, gauss));
  },
});
