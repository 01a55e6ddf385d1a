import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp, shareOfChosen } from "./define.js";

/** Elementwise maximum, NaN if either is; logical or for booleans; complex numbers in lexicographic order. StableHLO specification, "maximum". */
export const maximum: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.maximum", {
  kinds: ["boolean", "integer", "float", "complex"],
  vjp: (b, ct, x, y) => [() => shareOfChosen(b, ct, x, y, "GT"), () => shareOfChosen(b, ct, y, x, "GT")],
});
