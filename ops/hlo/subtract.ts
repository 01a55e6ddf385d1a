import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise difference. StableHLO specification, "subtract". */
export const subtract: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.subtract", {
  kinds: ["integer", "float", "complex"],
  vjp: (b, ct) => [() => ct, () => b.negate(ct)],
});
