import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise greatest integer that is not larger. StableHLO specification, "floor". */
export const floor: HloOp<null, [operand: Value]> = unary("stablehlo.floor", {
  kinds: ["float"],
  stops: true,
});
