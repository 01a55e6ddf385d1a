import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise cubic root. StableHLO specification, "cbrt". */
export const cbrt: HloOp<null, [operand: Value]> = unary("stablehlo.cbrt", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, _, y) => b.divide(b.multiply(ct, b.constant(y.type, 1 / 3)), b.multiply(y, y)),
});
