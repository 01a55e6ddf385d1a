import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise right shift of `lhs` by `rhs` bits that repeats the sign bit. StableHLO specification, "shift_right_arithmetic". */
export const shiftRightArithmetic: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.shift_right_arithmetic", {
  kinds: ["integer"],
  stops: true,
});
