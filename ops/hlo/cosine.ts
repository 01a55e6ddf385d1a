import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise cosine. StableHLO specification, "cosine". */
export const cosine: HloOp<null, [operand: Value]> = unary("stablehlo.cosine", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, x) => b.negate(b.multiply(ct, b.sine(x))),
});
