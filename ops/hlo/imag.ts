import type { Value } from "../../compiler/ir.js";
import { type HloOp, part } from "./define.js";

/** The imaginary part of every element; zero for real numbers. StableHLO specification, "imag". */
export const imag: HloOp<null, [operand: Value]> = part(
  "stablehlo.imag",
  (b, ct) => b.complex(b.constant(ct.type, 0), b.negate(ct)),
  () => undefined,
);
