import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise reciprocal of the square root. StableHLO specification, "rsqrt". */
export const rsqrt: HloOp<null, [operand: Value]> = unary("stablehlo.rsqrt", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, x, y) => b.multiply(ct, b.multiply(b.constant(y.type, -0.5), b.divide(y, x))),
});
