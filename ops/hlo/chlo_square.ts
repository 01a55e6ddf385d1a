import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise square. CHLO dialect, "square". */
export const square: HloOp<null, [operand: Value]> = unary("chlo.square", {
  kinds: ["float", "complex"],
  vjp: (b, ct, x) => b.multiply(ct, b.multiply(b.constant(x.type, 2), x)),
});
