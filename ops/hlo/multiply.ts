import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise product; logical and for booleans. StableHLO specification, "multiply". */
export const multiply: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.multiply", {
  kinds: ["boolean", "integer", "float", "complex"],
  vjp: (b, ct, x, y) => [() => b.multiply(ct, y), () => b.multiply(ct, x)],
});
