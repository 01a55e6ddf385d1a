import { captured, cloneOps, type Op, type Region, sameType, typeText, type Value } from "../../compiler/ir.js";
import { backward } from "../../compiler/passes/grad.js";
import { type Attributes, dictionaryText, quoted } from "./attributes.js";
import { functionType, type HloOp } from "./define.js";
import { costOf } from "./regions.js";

export interface CompositeAttrs {
  /** What it is known by to those who have a kernel for it: `xenarc.attention`. */
  readonly name: string;
  /** What a kernel must know besides the operands. */
  readonly attributes: Attributes;
}

/**
 * An operation made of others, under a name by which a platform may find a better implementation. Its region, printed as a private
 * function, is the complete decomposition: it takes the operands and uses nothing else. Its derivative is that of the decomposition.
 * StableHLO specification, "composite".
 */
export const composite: HloOp<
  CompositeAttrs,
  [operands: readonly Value[], decomposition: Region, attrs: CompositeAttrs],
  readonly Value[]
> = {
  name: "stablehlo.composite",
  outlined: true,
  constraints: {
    C1: ({ attrs }) =>
      /^[A-Za-z][\w$]*(\.[\w$]+)+$/.test(attrs.name) ? undefined : `the name is "${attrs.name}", not namespace.name`,
    C3: ({ operands, regions: [body] }) => mismatch("operands", operands, "takes", body!.args),
    C4: ({ results, regions: [body] }) => mismatch("results", results, "gives", body!.results),
    closed: ({ regions: [body] }) =>
      captured(body!).size === 0 ? undefined : "the decomposition uses a value that is not among the operands",
  },
  syntax({ def, operands, attrs, regions: [body], ...op }, p) {
    const decomposition = `decomposition = ${p.outline(body!, attrs.name)}`;
    const attributes = dictionaryText(attrs.attributes);
    const given = attributes === "{}" ? decomposition : `composite_attributes = ${attributes}, ${decomposition}`;
    return `${def.name} ${quoted(attrs.name)} ${p.values(operands)} {${given}} : ${functionType({ def, operands, ...op } as Op, p)}`;
  },
  cost: ({ regions }) => costOf(regions),
  make: (b, operands, decomposition, attrs) =>
    b.emit(
      composite,
      operands,
      attrs,
      decomposition.results.map((v) => v.type),
      [decomposition],
      decomposition.results.map((v) => v.axes),
    ).results,
  vjpWithCaptures(b, { operands, regions: [body] }, cotangents, active) {
    const map = new Map(body!.args.map((a, i) => [a, operands[i]!]));
    const from = b.region.ops.length;
    cloneOps(body!.ops, b.region, map);
    const results = body!.results.map((v) => map.get(v) ?? v);
    const wrt = [...new Set(operands)].filter((v) => active.has(v));
    return backward(b, from, results, cotangents, wrt).flatMap((g, i) => (g ? [[wrt[i]!, g] as const] : []));
  },
};

function mismatch(what: string, values: readonly Value[], verb: string, body: readonly Value[]): string | undefined {
  const text = (vs: readonly Value[]) => vs.map((v) => typeText(v.type)).join(", ");
  return values.length === body.length && values.every((v, i) => sameType(v.type, body[i]!.type))
    ? undefined
    : `${what} are (${text(values)}), and the decomposition ${verb} (${text(body)})`;
}
