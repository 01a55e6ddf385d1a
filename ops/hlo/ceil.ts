import type { Value } from "../../compiler/ir.js";
import { type HloOp, unary } from "./define.js";

/** Elementwise least integer that is not smaller. StableHLO specification, "ceil". */
export const ceil: HloOp<null, [operand: Value]> = unary("stablehlo.ceil", {
  kinds: ["float"],
  stops: true,
});
