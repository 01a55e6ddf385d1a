import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** Elementwise power. StableHLO specification, "power". */
export const power: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.power", {
  kinds: ["integer", "float", "complex"],
  transcendental: true,
  vjp: (b, ct, x, y, z) => [
    () => b.multiply(ct, b.multiply(y, b.power(x, b.subtract(y, b.constant(y.type, 1))))),
    // The logarithm of a base of zero is taken as zero: the derivative there is 0, not NaN.
    () => {
      const zero = b.compare(x, b.constant(x.type, 0), "EQ");
      return b.multiply(ct, b.multiply(b.log(b.select(zero, b.constant(x.type, 1), x)), z));
    },
  ],
});
