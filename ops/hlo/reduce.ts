import {
  type DType,
  elements,
  isFloat,
  type Op,
  type Printer,
  sameShape,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import { functionType, type HloOp, kinds, list } from "./define.js";
import { at, inverse, others, outside, repeats } from "./dimensions.js";
import type { HloBuilder } from "./index.js";
import {
  appliedCost,
  applying,
  type Body,
  combiners,
  halves,
  inType,
  isCommutative,
  isReduction,
  lineOf,
  type Monoid,
  noDerivative,
  onlyOp,
  regionOf,
  scalar,
} from "./regions.js";

export interface ReduceAttrs {
  readonly dims: readonly number[];
}

const keptDims = (x: Value, dims: readonly number[]): number[] => others(x.type.shape.length, dims);

/**
 * Combines elements along dimensions by a function of scalars. StableHLO specification, "reduce". The order of combination is not
 * defined, and neither is how often an initial value is used: it is the body's neutral element. `body` takes n accumulators, then
 * n elements. Differentiable are components that the body combines by add, multiply, maximum or minimum alone; the cotangent of a
 * maximum is shared equally by the elements that attain it.
 */
export const reduce: HloOp<
  ReduceAttrs,
  [inputs: readonly Value[], inits: readonly Value[], dims: readonly number[], body: Body],
  readonly Value[]
> = {
  name: "stablehlo.reduce",
  constraints: {
    I2: (op) => {
      const bad = halves(op)[1].find((v) => v.type.shape.length > 0);
      return bad && `initial values are scalars, not ${typeText(bad.type)}`;
    },
    C3: (op) =>
      op.operands.length === 0 || op.operands.length !== 2 * op.results.length
        ? `${op.operands.length} operands and ${op.results.length} results: as many inputs as initial values and results, and at least one`
        : undefined,
    C1: (op) => {
      const [inputs] = halves(op);
      return inputs.some((v) => !sameShape(v.type.shape, inputs[0]!.type.shape))
        ? `inputs differ in shape: ${inputs.map((v) => typeText(v.type)).join(", ")}`
        : undefined;
    },
    C2: (op) => {
      const [inputs, inits] = halves(op);
      const i = inputs.findIndex((v, k) => v.type.dtype !== inits[k]!.type.dtype);
      return i < 0
        ? undefined
        : `${typeText(inputs[i]!.type)} and its initial value ${typeText(inits[i]!.type)} differ in element type`;
    },
    C4: ({ operands: [x], attrs: { dims } }) =>
      outside(dims, x!.type.shape.length) ? `dimensions ${list(dims)} leave ${typeText(x!.type)}` : undefined,
    C5: ({ attrs: { dims } }) => (repeats(dims) ? `dimensions ${list(dims)} repeat` : undefined),
    C6: (op) =>
      isReduction(
        op.regions[0],
        halves(op)[0].map((v) => v.type),
      ),
    C7: ({ operands: [x], results, attrs: { dims } }) => {
      const want = at(x!.type.shape, keptDims(x!, dims));
      const bad = results.find((v) => !sameShape(v.type.shape, want));
      return bad && `the results' shape is ${list(want)}, not ${typeText(bad.type)}`;
    },
    C8: ({ results, regions: [body] }) => {
      const i = results.findIndex((v, k) => v.type.dtype !== body!.results[k]!.type.dtype);
      return i < 0
        ? undefined
        : `result ${i} has the body's element type ${body!.results[i]!.type.dtype}, not ${results[i]!.type.dtype}`;
    },
  },
  syntax(op, p: Printer) {
    const [inputs, inits] = halves(op);
    const body = op.regions[0]!;
    const pairs = inputs.map((v, i) => `(${p.value(v)} init: ${p.value(inits[i]!)})`).join(", ");
    const by = onlyOp(body);
    const short = by !== undefined && isCommutative(by) && body.args[0]!.type.dtype === inputs[0]!.type.dtype;
    const head = `${op.def.name}${pairs}${short ? ` applies ${by}` : ""} across dimensions = ${list(op.attrs.dims)} : ${functionType(op, p)}`;
    if (short) return head;
    const arg = (v: Value) => `${p.value(v)}: ${p.type(v.type)}`;
    const args = inputs.map((_, i) => `(${arg(body.args[i]!)}, ${arg(body.args[inputs.length + i]!)}) `).join("");
    const printed = p.region(body, "bare");
    return `${head}${lineOf(printed)} reducer${args} ${printed}`;
  },
  cost: (op) => appliedCost(op, Math.max(0, elements(op.operands[0]!.type) - elements(op.results[0]!.type))),
  make(b, inputs, inits, dims, body) {
    const kept = inputs[0] ? keptDims(inputs[0], dims) : [];
    const dtypes = inputs.map((v) => v.type.dtype);
    const region = regionOf(b, body, [...dtypes, ...dtypes]);
    return b.emit(
      reduce,
      [...inputs, ...inits],
      { dims },
      inputs.map((v, i) => ({
        shape: at(v.type.shape, kept),
        dtype: region.results[i]?.type.dtype ?? v.type.dtype,
      })),
      [region],
      inputs.map((v) => v.axes && at(v.axes, kept)),
    ).results;
  },
  vjp(b, op, cotangents, needs) {
    const [inputs, inits] = halves(op);
    const by = combiners(op.regions[0]!);
    const gradients = inputs.map((x, i) =>
      cotangents[i] && needs(i) ? towards(b, op, by[i], x, op.results[i]!, cotangents[i]!) : undefined,
    );
    // How often an initial value enters is not defined (XLA leaves it out of a dimension of one element).
    if (inits.some((_, i) => cotangents[i] && needs(inputs.length + i))) {
      throw noDerivative(op, "its initial value is not a constant");
    }
    return [...gradients, ...inits.map(() => undefined)];
  },
};

/** The cotangent of input `x`, of which reducing by `by` made `y`. */
function towards(b: HloBuilder, op: Op<ReduceAttrs>, by: string | undefined, x: Value, y: Value, ct: Value): Value {
  const { dims } = op.attrs;
  const { dtype } = y.type;
  const spread = (v: Value) => b.broadcastInDim(v, x.type.shape, keptDims(x, dims), x.axes);
  switch (by) {
    case "stablehlo.add":
      return inType(b, spread(ct), x.type.dtype);
    case "stablehlo.maximum":
    case "stablehlo.minimum": {
      const attains = b.convert(b.compare(inType(b, x, dtype), spread(y), "EQ"), dtype);
      const share = b.divide(ct, b.reduceSum(attains, dims));
      return inType(b, b.multiply(spread(share), attains), x.type.dtype);
    }
    case "stablehlo.multiply":
      return inType(b, productVjp(b, inType(b, x, dtype), dims, ct), x.type.dtype);
    default:
      throw noDerivative(op, "its body is not one add, multiply, maximum or minimum by component");
  }
}

/**
 * The cotangent of a product's factors, right also where factors are zero: the product is taken as a tree, halving the elements
 * level by level, and the tree is differentiated.
 */
function productVjp(b: HloBuilder, x: Value, dims: readonly number[], ct: Value): Value {
  const order = [...dims, ...keptDims(x, dims)];
  const moved = b.transpose(x, order);
  const rest = ct.type.shape;
  const count = elements({ ...x.type, shape: at(x.type.shape, dims) });
  if (count === 0) return b.constant(x.type, 0);
  const part = (v: Value, from: number, to: number) => b.slice(v, [from, ...rest.map(() => 0)], [to, ...rest]);
  const none = rest.map(() => 0);
  const levels: { left: Value; right: Value; paired: number }[] = [];
  let level = b.reshape(moved, [count, ...rest]);
  for (let n = count; n > 1; n = Math.ceil(n / 2)) {
    const half = Math.ceil(n / 2);
    const left = part(level, 0, half);
    let right = part(level, half, n);
    if (n % 2) right = b.pad(right, b.constant(scalar(x.type.dtype), 1), [0, ...none], [1, ...none]);
    levels.push({ left, right, paired: n - half });
    level = b.multiply(left, right);
  }
  let g = b.reshape(ct, [1, ...rest]);
  for (const { left, right, paired } of levels.reverse()) {
    const toRight = b.multiply(g, left);
    g = b.concatenate([b.multiply(g, right), paired < left.type.shape[0]! ? part(toRight, 0, paired) : toRight], 0);
  }
  return b.transpose(b.reshape(g, moved.type.shape, moved.axes), inverse(order));
}

/** The value that a reduction starts with and that leaves every other unchanged; for extremes the type's furthest. */
function neutral(by: Monoid, { dtype }: TensorType): number | bigint | boolean {
  const bool = kinds.boolean(dtype);
  switch (by) {
    case "add":
    case "or":
      return bool ? false : 0;
    case "multiply":
      return bool ? true : 1;
    case "and":
      return bool ? true : kinds.signed(dtype) ? -1 : extreme(dtype, 1);
    case "maximum":
      return bool ? false : extreme(dtype, -1);
    case "minimum":
      return bool ? true : extreme(dtype, 1);
  }
}
function extreme(dtype: DType, sign: 1 | -1): number | bigint {
  // The one float type without infinities.
  if (dtype === "f8E4M3FN") return sign * 448;
  if (isFloat({ shape: [], dtype })) return sign * Number.POSITIVE_INFINITY;
  const bits = BigInt(/\d+/.exec(dtype)![0]);
  if (!kinds.signed(dtype)) return sign < 0 ? 0n : 2n ** bits - 1n;
  return sign < 0 ? -(2n ** (bits - 1n)) : 2n ** (bits - 1n) - 1n;
}

/** A reduction of one tensor by one op; the tensor itself when there is no dimension to reduce. */
const by = (op: Monoid) => ({
  make(b: HloBuilder, x: Value, dims: readonly number[]): Value {
    if (dims.length === 0) return x;
    const init = b.constant(scalar(x.type.dtype), neutral(op, x.type));
    return b.reduce([x], [init], dims, applying(op))[0]!;
  },
});
/** Reductions by one op, as methods: `b.reduceSum(x, dims)`. */
type Reduction = { make(b: HloBuilder, operand: Value, dims: readonly number[]): Value };
export const reduceSum: Reduction = by("add");
export const reduceProd: Reduction = by("multiply");
export const reduceMax: Reduction = by("maximum");
export const reduceMin: Reduction = by("minimum");
export const reduceAnd: Reduction = by("and");
export const reduceOr: Reduction = by("or");
