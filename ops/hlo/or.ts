import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise logical or of booleans, bitwise or of integers. StableHLO specification, "or". */
export const or: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.or", {
  kinds: ["boolean", "integer"],
  stops: true,
});
