import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise cubic root. StableHLO specification, "cbrt". */
export const cbrt: HloOp<null, [operand: Value]> = unary("stablehlo.cbrt", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, _, y) => {
    const inverse = b.divide(b.constant(y.type, 1), b.multiply(y, y));
    return b.multiply(ct, b.multiply(b.constant(y.type, 1 / 3), inverse));
  },
});
