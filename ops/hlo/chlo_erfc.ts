import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise complementary error function, `1 - erf(x)`, exact where that is small. CHLO dialect, "erfc". */
export const erfc: HloOp<null, [operand: Value]> = unary("chlo.erfc", {
  kinds: ["float"],
  transcendental: true,
  vjp: (b, ct, x) => {
    const gauss = b.exponential(b.negate(b.multiply(x, x)));
    return b.multiply(b.constant(x.type, -2 / Math.sqrt(Math.PI)), b.multiply(ct, gauss));
  },
});
