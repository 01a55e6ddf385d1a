import { type Op, type Printer, pointwiseCost, type Value } from "../../compiler/ir.js";
import { emitOne, type HloOp, operandKind, sameTypes } from "./define.js";

export interface ReducePrecisionAttrs {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}

const integer = (what: keyof ReducePrecisionAttrs) => (op: Op<ReducePrecisionAttrs>) =>
  Number.isInteger(op.attrs[what]) && Math.abs(op.attrs[what]) < 2 ** 31
    ? undefined
    : `${what} is a 32-bit integer, not ${op.attrs[what]}`;

/** Rounds to a floating-point format of fewer bits, and back. StableHLO specification, "reduce_precision". */
export const reducePrecision: HloOp<
  ReducePrecisionAttrs,
  [operand: Value, exponentBits: number, mantissaBits: number]
> = {
  name: "stablehlo.reduce_precision",
  constraints: {
    I1: operandKind(0, ["float"]),
    I2: integer("exponentBits"),
    I3: integer("mantissaBits"),
    C1: sameTypes,
    C2: ({ attrs }) => (attrs.exponentBits < 1 ? `${attrs.exponentBits} exponent bits; at least 1` : undefined),
    C3: ({ attrs }) => (attrs.mantissaBits < 0 ? `${attrs.mantissaBits} mantissa bits; at least 0` : undefined),
  },
  syntax: (op, p: Printer) =>
    `${op.def.name} ${p.values(op.operands)}, format = e${op.attrs.exponentBits}m${op.attrs.mantissaBits} : ${p.type(op.results[0]!.type)}`,
  cost: (op) => pointwiseCost(op, 1),
  make: (b, x, exponentBits, mantissaBits) =>
    emitOne(b, reducePrecision, [x], { exponentBits, mantissaBits }, x.type, x.axes),
  vjp: (b, { attrs }, [ct]) => [b.reducePrecision(ct!, attrs.exponentBits, attrs.mantissaBits)],
};
