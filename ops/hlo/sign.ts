import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise sign: -1, 0 or 1, the zero of floats with its sign; NaN stays; `x / |x|` for complex numbers. StableHLO specification, "sign". */
export const sign: HloOp<null, [operand: Value]> = unary("stablehlo.sign", {
  kinds: ["signed", "float", "complex"],
  stops: true,
});
