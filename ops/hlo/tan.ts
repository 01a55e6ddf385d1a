import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise tangent. StableHLO specification, "tan". */
export const tan: HloOp<null, [operand: Value]> = unary("stablehlo.tan", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, _, y) => b.multiply(ct, b.add(b.constant(y.type, 1), b.multiply(y, y))),
});
