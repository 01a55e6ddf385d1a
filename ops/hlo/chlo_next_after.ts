import type { Value } from "../../compiler/ir.js";
import { binary, type HloOp } from "./define.js";

/** The next representable number after `lhs` towards `rhs`, elementwise. No derivative, as in JAX. CHLO dialect, "next_after". */
export const nextAfter: HloOp<null, [lhs: Value, rhs: Value]> = binary("chlo.next_after", { kinds: ["float"] });
