import type { Value } from "../../compiler/ir.js";
import { type HloOp, part } from "./define.js";

/** The real part of every element; a real number is its own. StableHLO specification, "real". */
export const real: HloOp<null, [operand: Value]> = part(
  "stablehlo.real",
  (b, ct) => b.complex(ct, b.constant(ct.type, 0)),
  (ct) => ct,
);
