import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise logical and of booleans, bitwise and of integers. StableHLO specification, "and". */
export const and: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.and", {
  kinds: ["boolean", "integer"],
  stops: true,
});
