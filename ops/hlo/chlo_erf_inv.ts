import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise inverse of the error function. CHLO dialect, "erf_inv". */
export const erfInv: HloOp<null, [operand: Value]> = unary("chlo.erf_inv", {
  kinds: ["float"],
  transcendental: true,
  vjp: (b, ct, _, y) =>
    b.multiply(b.constant(y.type, Math.sqrt(Math.PI) / 2), b.multiply(ct, b.exponential(b.multiply(y, y)))),
});
