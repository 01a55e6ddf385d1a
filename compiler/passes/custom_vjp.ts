/** A function with a derivative of its author's. (As `jax.custom_vjp`.) */
import { XenarcError } from "../errors.js";
import { type Builder, type Cotangents, captured, cloneOps, type Op, type OpDef, type Value } from "../ir.js";
import { backward, structuredSyntax, zeros } from "./grad.js";
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
  withResults: (attrs) => attrs,
  constraints: {},
  syntax: structuredSyntax,
  cost: (op) => regionCost(op.regions[0]!),
  vjpWithCaptures(b, op, cotangents, active) {
    const { outputs, residuals } = op.attrs;
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
    const out = op.attrs.backward(b, values, given);
    const own = op.operands.flatMap((v, i) => (out[i] && active.has(v) ? [[v, out[i]!] as const] : []));
    return [...own, ...throughResiduals(b, op, cotangents.slice(outputs), active)];
  },
};

/**
 * Second order: where the author's backward function is differentiated, cotangents arrive at the residuals, which the forward
 * function computed from the operands in the ordinary way.
 */
function throughResiduals(
  b: Builder,
  op: Op<CustomVjpAttrs>,
  cotangents: Cotangents,
  active: ReadonlySet<Value>,
): (readonly [Value, Value])[] {
  if (!cotangents.some(Boolean)) return [];
  const region = op.regions[0]!;
  const map = new Map(region.args.map((a, i) => [a, op.operands[i]!]));
  const from = b.region.ops.length;
  cloneOps(region.ops, b.region, map);
  const kept = region.results.slice(op.attrs.outputs).map((v) => map.get(v) ?? v);
  const wrt = [...new Set(op.operands)].filter((v) => active.has(v));
  return backward(b, from, kept, cotangents, wrt).flatMap((g, i) => (g ? [[wrt[i]!, g] as const] : []));
}
