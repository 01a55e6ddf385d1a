import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise hyperbolic tangent. StableHLO specification, "tanh". */
export const tanh: HloOp<null, [operand: Value]> = unary("stablehlo.tanh", {
  kinds: ["float", "complex"],
  transcendental: true,
  // (1 + y)(1 - y) rather than 1 - y * y, which loses digits where the result is near one.
  vjp: (b, ct, _, y) => b.multiply(b.add(ct, b.multiply(ct, y)), b.subtract(b.constant(y.type, 1), y)),
});
