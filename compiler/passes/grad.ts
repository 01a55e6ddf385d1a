/**
 * Reverse-mode differentiation. The cotangents are appended to the region that is differentiated: what stood before is forward,
 * what is appended is backward, and no partial evaluation is needed to tell them apart. (Griewank and Walther, "Evaluating
 * Derivatives", chapter 3; for the structured ops see scan.ts and remat.ts.)
 */
import { XenarcError } from "../errors.js";
import {
  type Builder,
  type Cotangents,
  captured,
  cloneRegion,
  forEachUse,
  isFloat,
  type Op,
  type OpDef,
  type Region,
  sameType,
  typeText,
  type Value,
} from "../ir.js";
import { backwardOf } from "../site.js";

/**
 * A fresh identity of a value. `grad` differentiates with respect to these, so that another use of the same value, outside of the
 * differentiated function or as another argument, stays a constant.
 */
export const identity: OpDef<null> = {
  name: "xenarc.identity",
  structured: true,
  view: true,
  constraints: {},
  syntax: structuredSyntax,
  vjp: (_, __, cotangents) => cotangents,
  cost: () => ({ flops: 0, transcendentals: 0, bytes: 0 }),
};

/** An identity through which no derivative flows. */
export const stopGradient: OpDef<null> = { ...identity, name: "xenarc.stop_gradient", stops: true };

export function structuredSyntax(op: Op): string {
  throw new Error(`${op.def.name} stands above StableHLO and is printed after lowering only`);
}

/** Adds to `active` the float results of `ops` that depend on what is in it. */
export function propagate(ops: readonly Op[], active: Set<Value>): void {
  for (const op of ops) {
    if (op.def.stops) continue;
    let hit = false;
    forEachUse(op, (v) => {
      hit ||= active.has(v);
    });
    if (hit) for (const r of op.results) if (isFloat(r.type)) active.add(r);
  }
}

/**
 * Appends to `b`'s region the ops that carry `cotangents` of `outputs` back to `wrt`, through the ops from position `from` on.
 * Returns the cotangents of `wrt`; undefined where none arrives.
 * @throws XenarcError at the author's line of an op that has no derivative.
 */
export function backward(
  b: Builder,
  from: number,
  outputs: readonly Value[],
  cotangents: Cotangents,
  wrt: readonly Value[],
): (Value | undefined)[] {
  const forward = b.region.ops.slice(from);
  const active = new Set(wrt);
  propagate(forward, active);
  const ct = new Map<Value, Value>();
  const accumulate = (v: Value, c: Value) => {
    if (!active.has(v)) return;
    if (!sameType(v.type, c.type)) {
      throw new Error(`derivative of ${v.op?.def.name}: cotangent ${typeText(c.type)} for a value ${typeText(v.type)}`);
    }
    const before = ct.get(v);
    ct.set(v, before ? b.add(before, c) : c);
  };
  outputs.forEach((v, i) => {
    const c = cotangents[i];
    if (c) accumulate(v, c);
  });
  const siteBefore = b.site;
  try {
    for (let i = forward.length - 1; i >= 0; i--) {
      const op = forward[i]!;
      const incoming = op.results.map((r) => ct.get(r));
      if (!incoming.some(Boolean) || op.def.stops) continue;
      b.site = op.site && backwardOf(op.site);
      if (op.def.vjpWithCaptures) {
        for (const [v, c] of op.def.vjpWithCaptures(b, op, incoming, active)) accumulate(v, c);
      } else if (op.def.vjp) {
        const outgoing = op.def.vjp(b, op, incoming, (k) => active.has(op.operands[k]!));
        outgoing.forEach((c, k) => c && accumulate(op.operands[k]!, c));
      } else throw noDerivative(op);
    }
  } finally {
    b.site = siteBefore;
  }
  return wrt.map((v) => ct.get(v));
}

const ADVICE: Readonly<Record<string, string>> = {
  "stablehlo.while":
    "A whileLoop of unknown length cannot be run backwards: use scan, whose length is known, or stopGradient.",
};

function noDerivative(op: Op): XenarcError {
  return new XenarcError({
    what: `${op.def.name} has no derivative, and the gradient flows through it.`,
    ...(op.site && { where: [{ site: op.site.origin ?? op.site }] }),
    expected: "operations with a derivative between the loss and what it is differentiated with respect to",
    fix: ADVICE[op.def.name] ?? "Give it one with customVjp, or cut the gradient with stopGradient.",
  });
}

/** A zero of a value's type. */
export const zeros = (b: Builder, v: Value): Value => b.constant(v.type, 0);

/**
 * The derivative of `if` and `case`: an op of the same kind whose branches run forward again and then backward, so that nothing
 * has to be carried out of a branch that may not have run.
 */
export function branchesVjp(
  emit: (b: Builder, op: Op, regions: Region[]) => readonly Value[],
): NonNullable<OpDef["vjpWithCaptures"]> {
  return (b, op, cotangents, active) => {
    const wrt = [...new Set(op.regions.flatMap((r) => [...captured(r)]))].filter((v) => active.has(v));
    const regions = op.regions.map((region) => {
      const copy = cloneRegion(region);
      const inner = b.on(copy);
      const gradients = backward(inner, 0, copy.results, cotangents, wrt);
      copy.results = gradients.map((g, i) => g ?? zeros(inner, wrt[i]!));
      return copy;
    });
    const results = emit(b, op, regions);
    return wrt.map((v, i) => [v, results[i]!] as const);
  };
}
