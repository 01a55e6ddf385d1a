import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise exclusive or, logical of booleans, bitwise of integers. StableHLO specification, "xor". */
export const xor: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.xor", {
  kinds: ["boolean", "integer"],
  stops: true,
});
