import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp, once } from "./define.js";

/** Elementwise quotient; truncated for integers. StableHLO specification, "divide". */
export const divide: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.divide", {
  kinds: ["integer", "float", "complex"],
  vjp: (b, ct, _, y, z) => {
    const quotient = once(() => b.divide(ct, y));
    return [() => quotient(), () => b.negate(b.multiply(quotient(), z))];
  },
});
