import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise square root. StableHLO specification, "sqrt". */
export const sqrt: HloOp<null, [operand: Value]> = unary("stablehlo.sqrt", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, _, y) => b.multiply(ct, b.divide(b.constant(y.type, 0.5), y)),
});
