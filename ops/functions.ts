/** The library of functions over named axes. */

import { didYouMean } from "../compiler/errors.js";
import { type DType, elements, isFloat, type Value } from "../compiler/ir.js";
import { customVjp, stopGradient } from "./control.js";
import type { Precision } from "./hlo/dot_dimensions.js";
import {
  type AxisError,
  aligned,
  describe,
  type Fits,
  hlo,
  is16Bit,
  isTensor,
  like,
  noTensor,
  oneCall,
  type Sizes,
  type Taken,
  Tensor,
  tensorError,
  typeOf,
  wrongNumber,
} from "./tensor.js";

/** A tensor filled with one number. */
export function full<A extends string = never>(
  sizes: Sizes<A>,
  value: number | boolean,
  dtype: DType = "f32",
): Tensor<A> {
  const names = Object.keys(sizes) as A[];
  return new Tensor(names, hlo().constant(typeOf(sizes, dtype), value));
}
/** A tensor filled with 0. */
export const zeros = <A extends string = never>(sizes: Sizes<A>, dtype: DType = "f32"): Tensor<A> =>
  full(sizes, 0, dtype);
/** A tensor filled with 1. */
export const ones = <A extends string = never>(sizes: Sizes<A>, dtype: DType = "f32"): Tensor<A> =>
  full(sizes, 1, dtype);
/** A tensor of one number, like another: its axes, sizes and element type. */
export const fullLike = <A extends string>(x: Tensor<A>, value: number): Tensor<A> => full(x.sizes, value, x.dtype);
/** A tensor of one number without axes. A boolean gives i1, a number f32 unless said otherwise. */
export const scalar = (
  value: number | boolean,
  dtype: DType = typeof value === "boolean" ? "i1" : "f32",
): Tensor<never> => full({}, value, dtype);

/** 0, 1, 2, ... along one axis. */
export function iota<N extends string>(size: Sizes<N>, dtype: DType = "i32"): Tensor<N> {
  const names = Object.keys(size) as N[];
  if (names.length !== 1)
    throw tensorError(`iota makes one axis, not ${names.length}.`, [], { fix: "Broadcast it to the others." });
  return new Tensor(names, hlo().iota(typeOf(size, dtype), 0));
}

/** Numbers written into the program, row-major in the order of `sizes`. For small tables: large data belongs in an input. */
export function constant<A extends string = never>(
  sizes: Sizes<A>,
  data: readonly number[],
  dtype: DType = "f32",
): Tensor<A> {
  const type = typeOf(sizes, dtype);
  if (data.length !== elements(type)) throw wrongNumber("constant", data.length, sizes);
  return new Tensor(Object.keys(sizes) as A[], hlo().constantData(type, data));
}

/** How a product is computed. */
export interface DotOptions {
  /** Element type of the result; sums of products are accumulated at least in it. Default: the operands'. */
  readonly dtype?: DType;
  readonly precision?: Precision;
}

/**
 * Multiplies and sums over the named axes; other axes that both operands have stand side by side (batch axes). No axis to sum over
 * and nothing shared is an outer product: say so with `[]`.
 */
export function dot<A extends string, K extends A, B extends string = never>(
  a: Tensor<A>,
  b: Tensor<B | K>,
  axes: K | readonly K[],
  options: DotOptions = {},
): Tensor<Exclude<A | B, K>> {
  return product(a as Tensor, b as Tensor, [axes].flat() as string[], options);
}

/** `dot` for generic layers: type arguments by hand (A: what x has besides K, B: what the weight has). */
export function contract<A extends string, B extends string, K extends string>(
  a: Tensor<A | K>,
  b: Tensor<B | K>,
  axes: readonly K[],
  options: DotOptions = {},
): Tensor<A | B> {
  return product(a as Tensor, b as Tensor, axes, options);
}

function product(x: Tensor, y: Tensor, axes: readonly string[], { dtype, precision }: DotOptions): Tensor {
  if (!isTensor(x)) throw noTensor("dot", "the left operand", x, "a tensor", []);
  if (!isTensor(y)) throw noTensor("dot", "the right operand", y, "a tensor", [x]);
  for (const k of axes) {
    for (const [side, t] of [
      ["left", x],
      ["right", y],
    ] as const) {
      if (!t.has(k))
        throw tensorError(`dot: the ${side} operand has no axis "${k}": ${describe(t)}.${didYouMean(k, t.names)}`, [
          x,
          y,
        ]);
    }
  }
  const batch = x.names.filter((n) => y.has(n) && !axes.includes(n));
  for (const n of [...batch, ...axes]) {
    if (x.size(n) !== y.size(n))
      throw tensorError(`dot: axis "${n}" is ${x.size(n)} on the left and ${y.size(n)} on the right.`, [x, y]);
  }
  if (x.dtype !== y.dtype) {
    throw tensorError(`dot: the left is ${x.dtype} and the right ${y.dtype}.`, [x, y], {
      fix: "Cast one of them: weight.cast(x.dtype).",
    });
  }
  const gone = new Set<string>([...batch, ...axes]);
  const names = [...batch, ...x.names.filter((n) => !gone.has(n)), ...y.names.filter((n) => !gone.has(n))];
  const at = (t: Tensor, ns: readonly string[]) => ns.map((n) => t.position(n));
  const value = hlo().dotGeneral(
    x.value,
    y.value,
    {
      lhsBatch: at(x, batch),
      rhsBatch: at(y, batch),
      lhsContracting: at(x, axes),
      rhsContracting: at(y, axes),
      ...(precision && { precision: [precision, precision] as const }),
    },
    dtype,
    names,
  );
  return new Tensor<any>(names, value);
}

/**
 * Rows in groups, each group multiplied by a matrix of its own: `dot` along `axes` of row i of `x` and the element of `w` that its group
 * is. `sizes` (integers) has the axis of `w` that numbers the groups, `x` has not: so many consecutive places along `rows` belong to
 * each; rows behind the last group give zeros. Axes that `sizes` has besides are `x`'s, and have groups of their own; other axes
 * that both operands have stand side by side. Memory is that of operands and result. (As `jax.lax.ragged_dot`.)
 * @throws XenarcError when `sizes` has not exactly one axis that `w` has and `x` has not.
 */
export function groupedDot<A extends string, B extends string, G extends string, R extends A, K extends A & B>(
  x: Tensor<A>,
  w: Tensor<B>,
  sizes: Tensor<G>,
  rows: R,
  axes: K | readonly K[],
  { dtype, precision }: DotOptions = {},
): Tensor<Exclude<A | B, K | G> | (A & G)> {
  const [lhs, rhs, counts] = [x as Tensor, w as Tensor, sizes as Tensor];
  const along = [axes].flat() as string[];
  const numbering = counts.names.filter((n) => !lhs.has(n));
  const [group] = numbering;
  const stray = counts.names.find((n) => n === rows || along.includes(n));
  if (numbering.length !== 1 || !group || !rhs.has(group) || stray)
    throw tensorError(
      `groupedDot: the sizes of groups are ${describe(counts)}, x is ${describe(lhs)} and w ${describe(rhs)}.`,
      [sizes, x, w],
      {
        expected:
          "sizes with one axis that w has and x has not; others, if any, are x's, but not those it is multiplied along",
      },
    );
  for (const n of lhs.names.filter((n) => rhs.has(n))) {
    if (lhs.size(n) !== rhs.size(n))
      throw tensorError(`groupedDot: axis "${n}" is ${lhs.size(n)} in x and ${rhs.size(n)} in w.`, [x, w]);
  }
  if (lhs.dtype !== rhs.dtype)
    throw tensorError(`groupedDot: x is ${lhs.dtype} and w ${rhs.dtype}.`, [x, w], {
      fix: "Cast one of them: w.cast(x.dtype).",
    });
  const batch = lhs.names.filter((n) => rhs.has(n) && !along.includes(n));
  const places = counts.names.filter((n) => n !== group && !batch.includes(n));
  const taken = [...batch, ...places, rows, ...along] as string[];
  const rest = lhs.names.filter((n) => !taken.includes(n));
  // Dimensions in front of the rows have groups of their own: batch, then those that sizes has.
  const ordered = lhs.ordered([...batch, ...places, rows, ...rest, ...along]);
  const outer = [...batch, ...places];
  const each = like(counts, [...outer, group], [...outer.map((n) => lhs.size(n)), counts.size(group)]);
  const free = rhs.names.filter((n) => n !== group && !batch.includes(n) && !along.includes(n));
  const names = [...ordered.names.filter((n) => !along.includes(n)), ...free];
  const at = (t: Tensor, ns: readonly string[]) => ns.map((n) => t.position(n));
  const attrs = {
    lhsBatch: at(ordered, batch),
    rhsBatch: at(rhs, batch),
    lhsContracting: at(ordered, along),
    rhsContracting: at(rhs, along),
    lhsRagged: [ordered.position(rows)],
    rhsGroup: [rhs.position(group)],
    ...(precision && { precision: [precision, precision] as const }),
  };
  return new Tensor<any>(names, hlo().raggedDot(ordered.value, rhs.value, each.value, attrs, dtype, names));
}

/** Elements of `x` where the condition holds, else of `y`. */
export function where<A extends string, B extends A, C extends A = never>(
  condition: Tensor<B>,
  x: Tensor<A>,
  y: Tensor<C> | number,
): Tensor<A> {
  return oneCall(() => {
    const [big, p, q] = aligned("where", x, y as Tensor);
    if (condition.dtype !== "i1")
      throw tensorError(`where: the condition is ${describe(condition)}, not i1.`, [condition]);
    return new Tensor<A>(big.names as A[], hlo().select(fits(condition as Tensor, big).value, p, q));
  });
}

/** A tensor repeated to the axes of a larger one. */
function fits(small: Tensor, big: Tensor): Tensor {
  const extra = small.names.filter((n) => !big.has(n));
  if (extra.length)
    throw tensorError(`where: ${describe(small)} has axes that ${describe(big)} has not: ${extra.join(", ")}.`, [
      small,
      big,
    ]);
  for (const n of small.names) {
    if (small.size(n) !== big.size(n))
      throw tensorError(`where: axis "${n}" is ${small.size(n)} in the condition and ${big.size(n)} in the values.`, [
        small,
        big,
      ]);
  }
  return like(small, big.names, big.value.type.shape);
}

/** Limits elements to [low, high]. */
export function clamp<A extends string>(x: Tensor<A>, low: number, high: number): Tensor<A> {
  const bound = (n: number) => hlo().constant({ shape: [], dtype: x.dtype }, n);
  return new Tensor(x.names, hlo().clamp(bound(low), x.value, bound(high)));
}

/** Joins tensors along an axis; all other axes agree. */
export function concatenate<A extends string, K extends A>(parts: readonly Tensor<A>[], axis: K): Tensor<A> {
  const first = parts[0];
  if (!first) throw tensorError("concatenate: there is nothing to join.", []);
  const ordered = parts.map((p) => {
    const fits = (n: A) => p.has(n) && (n === axis || p.size(n) === first.size(n));
    if (p.names.length !== first.names.length || !first.names.every(fits) || p.dtype !== first.dtype) {
      throw tensorError(`concatenate: the first part is ${describe(first)}, another ${describe(p)}.`, [first, p], {
        expected: `parts that differ in the size of "${axis}" alone`,
      });
    }
    return p.ordered(first.names).value;
  });
  return parts.length === 1 ? first : new Tensor(first.names, hlo().concatenate(ordered, first.position(axis)));
}

/** Tensors of equal axes as one, along a new first axis. */
export function stack<A extends string, N extends Taken<A, never>>(
  parts: readonly Tensor<A>[],
  axis: N,
): AxisError<`stack: the tensors have an axis ${N} already`>;
export function stack<A extends string, N extends string>(parts: readonly Tensor<A>[], axis: N): Tensor<A | N>;
export function stack(parts: readonly Tensor[], axis: string): unknown {
  const rows = parts.map((p) => {
    p.refuse("stack", [axis], []);
    return like(p, [axis, ...p.names], [1, ...p.value.type.shape]);
  });
  return concatenate(rows, axis);
}

/**
 * Elements of an axis at given positions (an embedding look-up): the axis is replaced by those of `at`. Positions outside are clamped;
 * axes that both tensors have besides are looked up side by side.
 */
export function gather<A extends string, K extends A, B extends string>(
  x: Tensor<A>,
  axis: K,
  at: Tensor<B>,
): Tensor<Exclude<A, K> | B> {
  const t = x as Tensor;
  const i = t.position(axis);
  const batch = (t.names as readonly string[]).filter((n) => at.has(n) && n !== axis);
  if (at.has(axis))
    throw tensorError(`gather: the positions have the axis "${axis}" that is looked up.`, [x, at], {
      fix: "Rename it.",
    });
  const free = t.names.filter((n, d) => d !== i && !batch.includes(n));
  // The result of the op: the axes of the positions in front, then the free axes of the operand.
  const names = [...at.names, ...free];
  const attrs = {
    offsetDims: free.map((_, d) => at.names.length + d),
    collapsedSliceDims: [i],
    operandBatchingDims: batch.map((n) => t.position(n)),
    startIndicesBatchingDims: batch.map((n) => at.position(n)),
    startIndexMap: [i],
    indexVectorDim: at.names.length,
    sliceSizes: t.names.map((n, d) => (d === i || batch.includes(n) ? 1 : t.value.type.shape[d]!)),
    indicesAreSorted: false,
  };
  return new Tensor<any>(names, hlo().gather(t.value, indices(at), attrs, names));
}

/** Positions as gather and scatter take them. */
function indices(at: Tensor): Value {
  if (isFloat(at.value.type) || at.dtype === "i1")
    throw tensorError(`Positions are integers, not ${describe(at)}.`, [at]);
  return at.value;
}

/**
 * Adds `updates` into `x` at positions along an axis: the derivative of `gather`. Positions outside are dropped; several updates at one
 * position add up.
 */
export function scatterAdd<A extends string, K extends A, B extends string>(
  x: Tensor<A>,
  axis: K,
  at: Tensor<B>,
  updates: Tensor<Exclude<A, K> | NoInfer<B>>,
): Tensor<A> {
  const { updates: u, attrs } = scattered("scatterAdd", x as Tensor, axis, at, updates as Tensor);
  return new Tensor<A>(x.names, hlo().scatterAdd(x.value, indices(at), u, attrs));
}

/** What scatter is given: the updates with the axes of the positions in front, and the dimension numbers. */
function scattered(operation: string, t: Tensor, axis: string, at: Tensor, updates: Tensor) {
  const i = t.position(axis);
  const batch = (t.names as readonly string[]).filter((n) => at.has(n) && n !== axis);
  const free = t.names.filter((n, d) => d !== i && !batch.includes(n));
  const u = updates.ordered([...at.names, ...free]);
  if (u.dtype !== t.dtype)
    throw tensorError(`${operation}: the updates are ${u.dtype} and the tensor is ${t.dtype}.`, [u, t]);
  const attrs = {
    updateWindowDims: free.map((_, d) => at.names.length + d),
    insertedWindowDims: [i],
    inputBatchingDims: batch.map((n) => t.position(n)),
    scatterIndicesBatchingDims: batch.map((n) => at.position(n)),
    scatterDimsToOperandDims: [i],
    indexVectorDim: at.names.length,
    indicesAreSorted: false,
    uniqueIndices: false,
  };
  return { updates: u.value, attrs };
}

/**
 * `x` with the elements at given positions along an axis replaced: a cache written to. Axes that positions and tensor share besides
 * are gone through side by side. Positions outside are dropped; of several values for one place any may stay.
 */
export function put<A extends string, K extends A, B extends string>(
  x: Tensor<A>,
  axis: K,
  at: Tensor<B>,
  values: Tensor<Exclude<A, K> | NoInfer<B>>,
): Tensor<A> {
  const { updates, attrs } = scattered("put", x as Tensor, axis, at, values as Tensor);
  return new Tensor<A>(x.names, hlo().scatter([x.value], indices(at), [updates], attrs)[0]!);
}

/** 1 at each position along a new axis, else 0. */
export function oneHot<A extends string, N extends string>(
  at: Tensor<A>,
  size: Sizes<N>,
  dtype: DType = "f32",
): Tensor<A | N> {
  return oneCall(() => {
    const classes = iota(size, at.dtype);
    return at
      .broadcast(size)
      .eq(classes as Tensor<any>)
      .cast(dtype) as Tensor<A | N>;
  });
}

const logSumExpVjp = (axis: string) =>
  customVjp(
    (x: Tensor) => {
      const m = finiteMax(x, axis);
      const out = (x.sub(m).exp() as Tensor).sum(axis).log().add(m) as Tensor;
      return [out, { x, out }] as const;
    },
    // A row in which everything is minus infinity has the derivative zero.
    ({ x, out }, ct) => [
      x
        .sub(where(out.isFinite(), out, 0))
        .exp()
        .mul(ct) as Tensor,
    ],
  );

/** log(sum(exp(x))) over an axis, without overflow; 16-bit floats are summed in float32. */
export function logSumExp<A extends string, K extends A>(x: Tensor<A>, axis: K): Tensor<Exclude<A, K>> {
  return oneCall(() => {
    if (is16Bit(x.dtype)) return (logSumExpVjp(axis)(x.cast("f32")) as Tensor).cast(x.dtype);
    return logSumExpVjp(axis)(x);
  });
}

/** The largest element, 0 where that is infinite: a fully masked row gives no NaN. */
function finiteMax(x: Tensor, axis: string): Tensor {
  const m = stopGradient(x).max(axis) as Tensor;
  return where(m.isFinite(), m, 0) as Tensor;
}

const softmaxVjp = (axis: string) =>
  customVjp(
    (x: Tensor) => {
      const e = x.sub(finiteMax(x, axis)).exp() as Tensor;
      const total = e.sum(axis) as Tensor;
      // A row in which everything is minus infinity sums to zero and stays zero.
      const y = e.div(where(total.eq(0), fullLike(total, 1), total) as Tensor) as Tensor;
      return [y, y] as const;
    },
    (y, ct) => {
      const weighted = ct.mul(y) as Tensor;
      return [weighted.sub(y.mul(weighted.sum(axis) as Tensor) as Tensor) as Tensor];
    },
  );

/** exp(x) / sum(exp(x)) over an axis, without overflow; 16-bit floats are computed in float32. */
export function softmax<A extends string, K extends A>(x: Tensor<A>, axis: K): Tensor<A> {
  return oneCall(() => {
    if (is16Bit(x.dtype)) return (softmaxVjp(axis)(x.cast("f32")) as Tensor).cast(x.dtype);
    return softmaxVjp(axis)(x);
  });
}

/** x - logSumExp(x). */
export function logSoftmax<A extends string, K extends A>(x: Tensor<A>, axis: K): Tensor<A> {
  return oneCall(() => (x as Tensor).sub(logSumExp(x, axis) as Tensor) as Tensor<A>);
}

/** Running sums along an axis (inclusive), by doubling: log2(n) additions of shifted copies. */
export function cumsum<A extends string, K extends A>(x: Tensor<A>, axis: K): Tensor<A> {
  return oneCall(() => {
    const n = x.size(axis);
    let sum = is16Bit(x.dtype) ? x.cast("f32") : x;
    for (let shift = 1; shift < n; shift *= 2)
      sum = sum.add(sum.slice(axis, 0, n - shift).pad(axis, shift, 0) as Tensor<any>) as Tensor<A>;
    return sum.cast(x.dtype);
  });
}

/** Sorted along an axis, smallest first (NaN last); stable. */
export function sort<A extends string, K extends A>(
  x: Tensor<A>,
  axis: K,
  options: { descending?: boolean } = {},
): Tensor<A> {
  return sortBy(x, axis, [], options).sorted;
}

/** Sorts along an axis and carries other tensors of the same axes along. */
export function sortBy<A extends string, K extends A>(
  x: Tensor<A>,
  axis: K,
  others: readonly Tensor<A>[],
  { descending = false }: { descending?: boolean } = {},
): { sorted: Tensor<A>; others: Tensor<A>[] } {
  return oneCall(() => {
    const along = others.map((o) => o.ordered(x.names).value);
    const direction = descending ? "GT" : "LT";
    const out = hlo().sort([x.value, ...along], x.position(axis), true, (b, lhs, rhs) => {
      if (!isFloat(x.value.type)) return b.compare(lhs, rhs, direction);
      // In the total order zeros differ by their sign, and so do NaNs, of which some would come first.
      const [zero, nan] = [0, Number.NaN].map((n) => b.constant(lhs.type, n)) as [Value, Value];
      const plain = (v: Value) => b.select(b.compare(v, v, "NE"), nan, b.select(b.compare(v, zero, "EQ"), zero, v));
      return b.compare(plain(lhs), plain(rhs), direction, "TOTALORDER");
    });
    return { sorted: new Tensor(x.names, out[0]!), others: out.slice(1).map((v) => new Tensor(x.names, v)) };
  });
}

/** The positions that would sort an axis (i32), stable. */
export function argsort<A extends string, K extends A>(
  x: Tensor<A>,
  axis: K,
  options: { descending?: boolean } = {},
): Tensor<A> {
  return oneCall(() => {
    const at = new Tensor(x.names, hlo().iota({ shape: x.value.type.shape, dtype: "i32" }, x.position(axis), x.names));
    return sortBy(stopGradient(x), axis, [at], options).others[0]!;
  });
}

/** The k largest elements of an axis, in falling order, and their positions (i32), along a new axis. */
export function topK<A extends string, K extends A, N extends string>(
  x: Tensor<A>,
  axis: K,
  size: Sizes<N>,
): { values: Tensor<Exclude<A, K> | N>; indices: Tensor<Exclude<A, K> | N> } {
  const [[name, k]] = Object.entries(size) as [[string, number]];
  if (!(k >= 1 && k <= x.size(axis)))
    throw tensorError(`topK: ${k} of axis "${axis}" with ${x.size(axis)} elements.`, [x]);
  x.refuse("topK", [name], [axis]);
  const rest = x.names.filter((n) => n !== axis);
  const [values, at] = hlo().topK(x.ordered([...rest, axis]).value, k);
  const names = [...rest, name!];
  return { values: new Tensor<any>(names, values!), indices: new Tensor<any>(names, at!) };
}

/** The position of the largest element (i32), the first of equals; that of the first NaN, if there is one. */
export function argmax<A extends string, K extends A>(x: Tensor<A>, axis: K): Tensor<Exclude<A, K>> {
  return oneCall(() => {
    const n = x.size(axis);
    const at = like(iota({ [axis]: n }), x.names, x.value.type.shape);
    const stopped = stopGradient(x) as Tensor;
    const best = stopped.eq(stopped.max(axis) as Tensor) as Tensor;
    const chosen = isFloat(x.value.type) ? best.or(stopped.ne(stopped)) : best;
    return where(chosen, at, n).min(axis) as Tensor;
  });
}

const relued = customVjp(
  (x: Tensor) => [x.maximum(0), x] as const,
  (x, ct) => [where(x.gt(0), ct, 0) as Tensor],
);
/** max(x, 0); derivative 0 at 0. */
export const relu = <A extends string>(x: Tensor<A>): Tensor<A> => oneCall(() => relued(x));

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const geluTanh = customVjp(
  (x: Tensor) => {
    const inner = x.mul(x).mul(0.044715).add(1).mul(x).mul(SQRT_2_OVER_PI) as Tensor;
    const t = inner.tanh();
    return [x.mul(t.add(1)).mul(0.5) as Tensor, x] as const;
  },
  (x, ct) => {
    const square = x.mul(x) as Tensor;
    const t = (square.mul(0.044715).add(1).mul(x).mul(SQRT_2_OVER_PI) as Tensor).tanh();
    const slope = square
      .mul(3 * 0.044715)
      .add(1)
      .mul(SQRT_2_OVER_PI) as Tensor;
    const left = t.add(1).mul(0.5) as Tensor;
    const right = (x.mul(0.5) as Tensor).mul(t.mul(t).neg().add(1) as Tensor).mul(slope) as Tensor;
    return [ct.mul(left.add(right) as Tensor) as Tensor];
  },
);
const geluExact = customVjp(
  (x: Tensor) => [x.mul((x.mul(Math.SQRT1_2) as Tensor).erf().add(1) as Tensor).mul(0.5) as Tensor, x] as const,
  (x, ct) => {
    const cdf = (x.mul(Math.SQRT1_2) as Tensor).erf().add(1).mul(0.5) as Tensor;
    const density = (x.mul(x).mul(-0.5) as Tensor).exp().mul(1 / Math.sqrt(2 * Math.PI)) as Tensor;
    return [ct.mul(cdf.add(x.mul(density) as Tensor) as Tensor) as Tensor];
  },
);
/** Gaussian error linear unit (arXiv:1606.08415), by erf or by its tanh approximation. */
export function gelu<A extends string>(
  x: Tensor<A>,
  { approximate = true }: { approximate?: boolean } = {},
): Tensor<A> {
  return oneCall(() => {
    return approximate ? geluTanh(x) : geluExact(x);
  });
}

const silued = customVjp(
  (x: Tensor) => [x.mul(x.sigmoid()) as Tensor, x] as const,
  (x, ct) => {
    const s = x.sigmoid();
    return [ct.mul(s.mul(x.mul(s.neg().add(1) as Tensor).add(1) as Tensor) as Tensor) as Tensor];
  },
);
/** x * sigmoid(x), also called swish (arXiv:1702.03118). */
export const silu = <A extends string>(x: Tensor<A>): Tensor<A> => oneCall(() => silued(x));

export type { Fits };
