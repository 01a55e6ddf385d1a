import { type Op, pointwiseCost, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, list } from "./define.js";
import { range, wrongShape } from "./dimensions.js";

export interface PadAttrs {
  /** Elements added in front of each dimension; negative: taken away. */
  readonly low: readonly number[];
  /** Elements added behind each dimension; negative: taken away. */
  readonly high: readonly number[];
  /** Elements added between any two. */
  readonly interior: readonly number[];
}

const resultShape = (shape: readonly number[], { low, high, interior }: PadAttrs): number[] =>
  shape.map((n, d) => n + low[d]! + Math.max(n - 1, 0) * interior[d]! + high[d]!);

/** A value around and between the elements of a tensor. StableHLO specification, "pad". */
export const pad: HloOp<
  PadAttrs,
  [operand: Value, value: Value, low: readonly number[], high: readonly number[], interior?: readonly number[]]
> = {
  name: "stablehlo.pad",
  constraints: {
    I2: ({ operands: [, value] }) =>
      value!.type.shape.length ? `the padding value is a scalar, not ${typeText(value!.type)}` : undefined,
    C1: ({ operands: [x, value], results: [y] }) =>
      new Set([x, value, y].map((v) => v!.type.dtype)).size > 1
        ? `${typeText(x!.type)}, the padding value ${typeText(value!.type)} and the result ${typeText(y!.type)} differ in element type`
        : undefined,
    C2: ({ operands: [x], attrs: { low, high, interior } }) =>
      [low, high, interior].some((ns) => ns.length !== x!.type.shape.length)
        ? `paddings ${list(low)}, ${list(high)} and ${list(interior)} for ${typeText(x!.type)}`
        : undefined,
    C3: ({ attrs: { interior } }) =>
      interior.some((n) => n < 0) ? `interior padding ${list(interior)} is negative` : undefined,
    C4: ({ operands: [x], results: [y], attrs }) => {
      const want = resultShape(x!.type.shape, attrs);
      return want.some((n) => n < 0)
        ? `${typeText(x!.type)} becomes smaller than nothing: ${list(want)}`
        : wrongShape(want, y!);
    },
  },
  syntax: functionalSyntax(
    ({ attrs }: Op<PadAttrs>) =>
      `, low = ${list(attrs.low)}, high = ${list(attrs.high)}, interior = ${list(attrs.interior)}`,
  ),
  cost: (op) => pointwiseCost(op, 0),
  make(b, x, value, low, high, interior = low.map(() => 0)) {
    const attrs = { low, high, interior };
    return emitOne(b, pad, [x, value], attrs, { shape: resultShape(x.type.shape, attrs), dtype: x.type.dtype }, x.axes);
  },
  vjp(b, { attrs: { low, high, interior } }, [ct], needs) {
    // What padding removed has a derivative of zero, so removed edges come back first; then the operand's places are taken.
    const removed = [...low, ...high].some((n) => n < 0);
    const zero = () => b.constant({ shape: [], dtype: ct!.type.dtype }, 0);
    const back = (edges: readonly number[]) => edges.map((n) => Math.max(-n, 0));
    const whole = removed ? b.pad(ct!, zero(), back(low), back(high)) : ct!;
    const start = low.map((n) => Math.max(n, 0));
    const limit = whole.type.shape.map((n, d) => n - Math.max(high[d]!, 0));
    const strides = interior.map((n) => n + 1);
    const places = b.slice(whole, start, limit, strides);
    const all = (v: Value) => b.reduceSum(v, range(v.type.shape.length));
    return [needs(0) ? places : undefined, needs(1) ? b.subtract(all(ct!), all(places)) : undefined];
  },
};
