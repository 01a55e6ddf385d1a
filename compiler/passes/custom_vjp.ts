/** A function with a derivative of its author's. (As `jax.custom_vjp`.) */
import { XenarcError } from "../errors.js";
import { type Builder, type Cotangents, captured, type OpDef, type Value } from "../ir.js";
import { structuredSyntax, zeros } from "./grad.js";
import { regionCost } from "./scan.js";

/** A residual of the forward function: one of its operands, or one of the op's results. */
export type Residual = { readonly operand: number } | { readonly result: number };

export interface CustomVjpAttrs {
  /** The first so many results are the function's own; the others are residuals. */
  readonly outputs: number;
  readonly residuals: readonly Residual[];
  /** Traces the author's backward function: cotangents of the operands from residuals and cotangents of the outputs. */
  readonly backward: (b: Builder, residuals: readonly Value[], cotangents: readonly Value[]) => Cotangents;
}

export const customVjp: OpDef<CustomVjpAttrs> = {
  name: "xenarc.custom_vjp",
  structured: true,
  constraints: {},
  syntax: structuredSyntax,
  cost: (op) => regionCost(op.regions[0]!),
  vjpWithCaptures(b, op, cotangents, active) {
    const { outputs, residuals, backward } = op.attrs;
    for (const v of captured(op.regions[0]!)) {
      if (active.has(v)) {
        throw new XenarcError({
          what: "A customVjp function uses a tensor from outside through which the gradient flows.",
          ...(op.site && { where: [{ site: op.site }] }),
          expected: "every differentiated tensor as an argument of the function",
          fix: "Pass the tensor as an argument, or cut its gradient with stopGradient.",
        });
      }
    }
    const values = residuals.map((r) => ("operand" in r ? op.operands[r.operand]! : op.results[r.result]!));
    const given = op.results.slice(0, outputs).map((r, i) => cotangents[i] ?? zeros(b, r));
    const out = backward(b, values, given);
    return op.operands.flatMap((v, i) => (out[i] && active.has(v) ? [[v, out[i]!] as const] : []));
  },
};
