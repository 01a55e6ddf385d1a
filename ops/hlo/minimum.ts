import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp, shareOfChosen } from "./define.js";

/** Elementwise minimum, NaN if either is; logical and for booleans; complex numbers in lexicographic order. StableHLO specification, "minimum". */
export const minimum: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.minimum", {
  kinds: ["boolean", "integer", "float", "complex"],
  vjp: (b, ct, x, y) => [() => shareOfChosen(b, ct, x, y, "LT"), () => shareOfChosen(b, ct, y, x, "LT")],
});
