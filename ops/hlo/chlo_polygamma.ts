import { XenarcError } from "../../compiler/errors.js";
import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/**
 * Elementwise derivative of order `lhs` of the digamma function at `rhs`: what digamma's own derivative is made of. CHLO
 * dialect, "polygamma".
 */
export const polygamma: HloOp<null, [lhs: Value, rhs: Value]> = binary("chlo.polygamma", {
  kinds: ["float"],
  transcendental: true,
  vjp: (b, ct, n, x, y) => [
    () => {
      throw new XenarcError({
        what: "polygamma has no derivative with respect to its order.",
        where: y.op?.site ? [{ site: y.op.site }] : [],
        fix: "Wrap the order in stopGradient.",
      });
    },
    () => b.multiply(ct, b.polygamma(b.add(n, b.constant(n.type, 1)), x)),
  ],
});
