import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise left shift of `lhs` by `rhs` bits. StableHLO specification, "shift_left". */
export const shiftLeft: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.shift_left", {
  kinds: ["integer"],
  stops: true,
});
