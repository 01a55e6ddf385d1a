import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise remainder of the truncated quotient: it has the sign of the dividend. StableHLO specification, "remainder". */
export const remainder: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.remainder", {
  kinds: ["integer", "float", "complex"],
  vjp: (b, ct, x, y) => [
    () => ct,
    () => {
      const quotient = b.divide(x, y);
      const truncated = b.multiply(b.sign(quotient), b.floor(b.abs(quotient)));
      return b.multiply(b.negate(ct), truncated);
    },
  ],
});
