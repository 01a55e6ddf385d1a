import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise sum; logical or for booleans. StableHLO specification, "add". */
export const add: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.add", {
  kinds: ["boolean", "integer", "float", "complex"],
  vjp: (_, ct) => [() => ct, () => ct],
});
