import { elements, type Op, sameShape, typeText, type Value } from "../../compiler/ir.js";
import { type HloOp, i64Array, list } from "./define.js";
import { product, range } from "./dimensions.js";
import type { HloBuilder } from "./index.js";
import {
  appliedCost,
  applying,
  type Body,
  combiners,
  genericSyntax,
  halves,
  inType,
  isReduction,
  noDerivative,
  regionOf,
  scalar,
} from "./regions.js";

export interface ReduceWindowAttrs {
  readonly windowDimensions: readonly number[];
  readonly windowStrides: readonly number[];
  /** The inputs' elements stand this far apart, initial values between them. */
  readonly baseDilations: readonly number[];
  /** A window's elements stand this far apart. */
  readonly windowDilations: readonly number[];
  /** Initial values in front of and behind each dimension; negative: elements taken away. */
  readonly padding: readonly (readonly [low: number, high: number])[];
}
/** Left out: strides and dilations of one, no padding. */
export type ReduceWindowArguments = Pick<ReduceWindowAttrs, "windowDimensions"> & Partial<ReduceWindowAttrs>;

const dilated = (n: number, by: number): number => (n === 0 ? 0 : (n - 1) * by + 1);

/** Sizes of the inputs with their dilation and padding. */
const paddedShape = (shape: readonly number[], a: ReduceWindowAttrs): number[] =>
  shape.map((n, d) => a.padding[d]![0] + dilated(n, a.baseDilations[d]!) + a.padding[d]![1]);

const resultShape = (shape: readonly number[], a: ReduceWindowAttrs): number[] =>
  paddedShape(shape, a).map((n, d) => {
    const window = dilated(a.windowDimensions[d]!, a.windowDilations[d]!);
    return n <= 0 || window > n ? 0 : Math.floor((n - window) / a.windowStrides[d]!) + 1;
  });

type Key = "windowDimensions" | "windowStrides" | "baseDilations" | "windowDilations";
const oneEach = (key: Key) => (op: Op<ReduceWindowAttrs>) =>
  op.attrs[key].length !== op.operands[0]!.type.shape.length
    ? `${key} ${list(op.attrs[key])} for ${typeText(op.operands[0]!.type)}`
    : undefined;
const positive = (key: Key) => (op: Op<ReduceWindowAttrs>) =>
  op.attrs[key].some((n) => n <= 0) ? `${key} ${list(op.attrs[key])} are not all positive` : undefined;

/**
 * Combines the elements under a window that moves over the inputs. StableHLO specification, "reduce_window". The initial value is
 * the body's neutral element. Differentiable are components that the body combines by add, maximum or minimum alone; the
 * cotangent of a maximum goes to the first element of the window that attains it, and takes some ops for every position in it.
 */
export const reduceWindow: HloOp<
  ReduceWindowAttrs,
  [inputs: readonly Value[], inits: readonly Value[], attrs: ReduceWindowArguments, body: Body],
  readonly Value[]
> = {
  name: "stablehlo.reduce_window",
  constraints: {
    I2: (op) => {
      const bad = halves(op)[1].find((v) => v.type.shape.length > 0);
      return bad && `initial values are scalars, not ${typeText(bad.type)}`;
    },
    C1: (op) =>
      op.operands.length === 0 || op.operands.length !== 2 * op.results.length
        ? `${op.operands.length} operands and ${op.results.length} results: as many inputs as initial values and results, and at least one`
        : undefined,
    C2: (op) => {
      const [inputs] = halves(op);
      return inputs.some((v) => !sameShape(v.type.shape, inputs[0]!.type.shape))
        ? `inputs differ in shape: ${inputs.map((v) => typeText(v.type)).join(", ")}`
        : undefined;
    },
    C3: (op) => {
      const [inputs, inits] = halves(op);
      const i = inputs.findIndex((v, k) => v.type.dtype !== inits[k]!.type.dtype);
      return i < 0
        ? undefined
        : `${typeText(inputs[i]!.type)} and its initial value ${typeText(inits[i]!.type)} differ in element type`;
    },
    C4: oneEach("windowDimensions"),
    C5: positive("windowDimensions"),
    C6: oneEach("windowStrides"),
    C7: positive("windowStrides"),
    C8: oneEach("baseDilations"),
    C9: positive("baseDilations"),
    C10: oneEach("windowDilations"),
    C11: positive("windowDilations"),
    C12: ({ operands: [x], attrs: { padding } }) =>
      padding.length !== x!.type.shape.length || padding.some((p) => p.length !== 2)
        ? `${padding.length} pairs of paddings for ${typeText(x!.type)}`
        : undefined,
    C13: (op) =>
      isReduction(
        op.regions[0],
        halves(op)[0].map((v) => v.type),
      ),
    C14: ({ results }) =>
      results.some((v) => !sameShape(v.type.shape, results[0]!.type.shape))
        ? `results differ in shape: ${results.map((v) => typeText(v.type)).join(", ")}`
        : undefined,
    C15: ({ operands: [x], results: [y], attrs }) => {
      const want = resultShape(x!.type.shape, attrs);
      return sameShape(want, y!.type.shape) ? undefined : `${list(want)} windows, not ${typeText(y!.type)}`;
    },
    C16: ({ results, regions: [body] }) => {
      const i = results.findIndex((v, k) => v.type.dtype !== body!.results[k]!.type.dtype);
      return i < 0
        ? undefined
        : `result ${i} has the body's element type ${body!.results[i]!.type.dtype}, not ${results[i]!.type.dtype}`;
    },
  },
  syntax: genericSyntax(({ attrs: a }) => [
    `base_dilations = ${i64Array(a.baseDilations)}`,
    `padding = ${paddingText(a.padding)}`,
    `window_dilations = ${i64Array(a.windowDilations)}`,
    `window_dimensions = ${i64Array(a.windowDimensions)}`,
    `window_strides = ${i64Array(a.windowStrides)}`,
  ]),
  cost: (op) => appliedCost(op, elements(op.results[0]!.type) * (product(op.attrs.windowDimensions) - 1)),
  make(b, inputs, inits, { windowDimensions, ...given }, body) {
    const ones = windowDimensions.map(() => 1);
    const attrs: ReduceWindowAttrs = {
      windowDimensions,
      windowStrides: ones,
      baseDilations: ones,
      windowDilations: ones,
      padding: windowDimensions.map(() => [0, 0] as const),
      ...given,
    };
    const fits = inputs.length > 0 && attrs.padding.length === inputs[0]!.type.shape.length;
    const shape = fits ? resultShape(inputs[0]!.type.shape, attrs) : [];
    const dtypes = inputs.map((v) => v.type.dtype);
    const region = regionOf(b, body, [...dtypes, ...dtypes]);
    return b.emit(
      reduceWindow,
      [...inputs, ...inits],
      attrs,
      inputs.map((v, i) => ({ shape, dtype: region.results[i]?.type.dtype ?? v.type.dtype })),
      [region],
      inputs.map((v) => v.axes),
    ).results;
  },
  vjp(b, op, cotangents, needs) {
    const [inputs, inits] = halves(op);
    const by = combiners(op.regions[0]!);
    const gradients = inputs.map((x, i) => {
      const ct = cotangents[i];
      if (!ct || !needs(i)) return undefined;
      if (elements(ct.type) === 0) return b.constant(x.type, 0);
      switch (by[i]) {
        case "stablehlo.add":
          return inType(b, sumTowards(b, op, x, ct), x.type.dtype);
        case "stablehlo.maximum":
        case "stablehlo.minimum":
          return inType(b, chosenTowards(b, op, x, inits[i]!, op.results[i]!, ct), x.type.dtype);
        default:
          throw noDerivative(op, "its body is not one add, maximum or minimum by component");
      }
    });
    // How often an initial value enters is not defined.
    if (inits.some((_, i) => cotangents[i] && needs(inputs.length + i))) {
      throw noDerivative(op, "its initial value is not a constant");
    }
    return [...gradients, ...inits.map(() => undefined)];
  },
};

const paddingText = (padding: ReduceWindowAttrs["padding"]): string => {
  const all = padding.flat();
  const text = all.every((n) => n === all[0]) ? (all[0] ?? "") : `[${padding.map(list).join(", ")}]`;
  return `dense<${text}> : tensor<${padding.length}x2xi64>`;
};

/** The cotangent of an input of sums: the sums of the cotangents under the mirrored window, strides and dilations changing roles. */
function sumTowards(b: HloBuilder, { attrs: a }: Op<ReduceWindowAttrs>, { type: { shape } }: Value, ct: Value): Value {
  const low = shape.map((_, d) => dilated(a.windowDimensions[d]!, a.windowDilations[d]!) - 1 - a.padding[d]![0]);
  const high = shape.map(
    (n, d) => dilated(n, a.baseDilations[d]!) + a.padding[d]![0] - dilated(ct.type.shape[d]!, a.windowStrides[d]!),
  );
  const between = a.windowStrides.map((s) => s - 1);
  const zero = () => b.constant(scalar(ct.type.dtype), 0);
  const still = [...low, ...high, ...between].every((n) => n === 0);
  return b.reduceWindowSum(still ? ct : b.pad(ct, zero(), low, high, between), {
    windowDimensions: a.windowDimensions,
    windowStrides: a.baseDilations,
    windowDilations: a.windowDilations,
  });
}

/** The cotangent of an input of which windows took the largest or smallest: position by position of the window, in order. */
function chosenTowards(
  b: HloBuilder,
  { attrs: a }: Op<ReduceWindowAttrs>,
  x: Value,
  init: Value,
  y: Value,
  ct: Value,
): Value {
  const { dtype } = y.type;
  const padded = b.pad(
    inType(b, x, dtype),
    inType(b, init, dtype),
    a.padding.map(([low]) => low),
    a.padding.map(([, high]) => high),
    a.baseDilations.map((n) => n - 1),
  );
  const whole = padded.type.shape;
  const zero = b.constant(scalar(dtype), 0);
  const zeros = b.constant(ct.type, 0);
  let taken: Value | undefined;
  let sum: Value | undefined;
  for (const position of positions(a.windowDimensions)) {
    const start = position.map((k, d) => k * a.windowDilations[d]!);
    const limit = start.map((s, d) => s + (y.type.shape[d]! - 1) * a.windowStrides[d]! + 1);
    const attains = b.compare(b.slice(padded, start, limit, a.windowStrides), y, "EQ");
    const here = b.pad(
      b.select(taken ? b.and(attains, b.not(taken)) : attains, ct, zeros),
      zero,
      start,
      whole.map((n, d) => n - limit[d]!),
      a.windowStrides.map((s) => s - 1),
    );
    taken = taken ? b.or(taken, attains) : attains;
    sum = sum ? b.add(sum, here) : here;
  }
  return padded.op!.def.vjp!(b, padded.op!, [sum], (operand) => operand === 0)[0]!;
}

/** All positions of a window, the last dimension's fastest. */
const positions = (window: readonly number[]): number[][] =>
  window.reduce<number[][]>((ps, n) => ps.flatMap((p) => range(n).map((k) => [...p, k])), [[]]);

/** Sums under a window: `b.reduceWindowSum(x, { windowDimensions })`. */
export const reduceWindowSum: { make(b: HloBuilder, operand: Value, attrs: ReduceWindowArguments): Value } = {
  make: (b, x, attrs) => b.reduceWindow([x], [b.constant(scalar(x.type.dtype), 0)], attrs, applying("add"))[0]!,
};
