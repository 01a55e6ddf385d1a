import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise sine. StableHLO specification, "sine". */
export const sine: HloOp<null, [operand: Value]> = unary("stablehlo.sine", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, x) => b.multiply(ct, b.cosine(x)),
});
