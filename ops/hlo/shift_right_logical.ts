import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise right shift of `lhs` by `rhs` bits that fills with zeros. StableHLO specification, "shift_right_logical". */
export const shiftRightLogical: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.shift_right_logical", {
  kinds: ["integer"],
  stops: true,
});
