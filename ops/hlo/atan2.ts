import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp, once } from "./define.js";

/** Elementwise angle of the point `(rhs, lhs)`. StableHLO specification, "atan2". */
export const atan2: HloOp<null, [lhs: Value, rhs: Value]> = binary("stablehlo.atan2", {
  kinds: ["float", "complex"],
  transcendental: true,
  vjp: (b, ct, x, y) => {
    const scaled = once(() => b.divide(ct, b.add(b.multiply(x, x), b.multiply(y, y))));
    return [() => b.multiply(scaled(), y), () => b.negate(b.multiply(scaled(), x))];
  },
});
