/**
 * Tensors whose axes have names. The names are in the type, so that the editor completes them and `tsc` rejects a wrong one; sizes
 * and element types are checked when the program is traced. Which position a name stands at is the compiler's business.
 */

import { didYouMean, XenarcError } from "../compiler/errors.js";
import { type DType, elements, isFloat, type TensorType, type Value } from "../compiler/ir.js";
import type { Sharded } from "../compiler/mesh.js";
import { captureDeep, captureSite } from "../compiler/site.js";
import { Leaf, type TensorData } from "../compiler/tree.js";
import { type HloBuilder, hlo, type ops } from "./hlo/index.js";

export { hlo };

/** A type error in words: what an impossible call returns. */
export interface AxisError<Message extends string> {
  readonly axisError: Message;
}
/** Names that an operation may not add beside `A` without `K`; none where the axes are not known. */
export type Taken<A extends string, K extends string> = string extends Exclude<A, K> ? never : Exclude<A, K>;
/** Refuses no names at all, which any sizes would fit. */
type Some<N extends string> = [N] extends [never] ? never : unknown;
/** Sizes by axis name. */
export type Sizes<A extends string> = { readonly [K in A]: number };
/** One operand has all axes of the other. Neither: an outer product nobody asked for, and a type error that shows both sets. */
export type Fits<A extends string, B extends string> = Tensor<A | B> | Tensor<A & B> | Unknown<A>;
/** A tensor whose axes are not known goes with a scalar too, which `any & B` would not say. */
type Unknown<A extends string> = string extends A ? Scalar : never;
/** Refuses axes that stand on both sides of a map. */
export type Distinct<A extends string, B extends string> = string extends A | B // names that are not known
  ? unknown
  : [A & B] extends [never]
    ? unknown
    : AxisError<`axis ${A & B} stands on both sides`>;
/** A tensor without axes. */
export type Scalar = Tensor<never>;
/** Any tensor, scalars included. (`Tensor<never>` is not a `Tensor<any>`: invariance.) */
export type AnyTensor = Tensor | Scalar;

/** `(batch 2, seq 8) f32`: how errors speak of a tensor. */
export const describe = (t: AnyTensor): string =>
  `(${t.names.map((n, i) => `${n} ${t.value.type.shape[i]}`).join(", ")}) ${t.dtype}`;

/** A tensor as the rules of a layout see it; `name` is what errors call it. */
export const sharded = (t: AnyTensor, name = describe(t)): Sharded => ({
  name,
  axes: t.names,
  shape: t.value.type.shape,
});

/** An error at the author's line, showing where the tensors came from. */
export function tensorError(
  what: string,
  tensors: readonly AnyTensor[],
  more: { expected?: string; fix?: string } = {},
): XenarcError {
  const here = captureDeep();
  const origins = tensors.flatMap((t) => {
    const site = t.value.op ? t.value.op.site : t.value.declared;
    return site ? [{ site, note: describe(t) }] : [];
  });
  return new XenarcError({ what, where: [{ site: here }, ...origins], ...more });
}

/** Whether something is a tensor: what is not checked by types may be anything. */
export const isTensor = (x: unknown): boolean => typeof x === "object" && x !== null && "names" in x && "value" in x;

/** The error of something else in a tensor's place. */
export const noTensor = (
  operation: string,
  what: string,
  given: unknown,
  expected: string,
  others: readonly Tensor[],
) =>
  tensorError(
    `${operation}: ${what} is ${given === null || given === undefined ? given : `a ${typeof given}`}.`,
    others,
    { expected },
  );

/** The error of elements that are not as many as the sizes say. */
export const wrongNumber = (operation: string, given: number, sizes: Sizes<string>): XenarcError =>
  tensorError(
    `${operation}: ${given} elements for (${Object.entries(sizes)
      .map(([n, d]) => `${n} ${d}`)
      .join(", ")}), which has ${elements(typeOf(sizes, "f32"))}.`,
    [],
  );

/**
 * A tensor with named axes, `Tensor<"batch" | "seq">`. Invariant in its axes; the order of the names means nothing. `any`: not known.
 *
 * Arithmetic takes tensors of one element type (there is no silent promotion: `cast` says it) and numbers, which take the tensor's.
 */
export class Tensor<in out A extends string = any> extends Leaf {
  /** The axis names, by position. First, because tsc explains errors by the first member that differs. */
  readonly names: readonly A[];
  declare protected readonly axes: (needed: A) => void;
  readonly value: Value;
  /** Its elements, row-major by `names`: what `tensor(...)` was given and what `evaluate` gives. Not known inside a program. */
  override readonly data: TensorData | undefined;
  constructor(names: readonly A[], value: Value, data?: TensorData) {
    super();
    this.names = names;
    this.value = value;
    this.data = data;
  }

  override with(value: Value, data?: TensorData): Tensor<A> {
    return new Tensor(this.names, value, data);
  }
  /** JavaScript's own operators would compute with something else than the elements. @throws XenarcError, but in texts. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return describe(this);
    throw tensorError(
      "JavaScript's operators do not compute with tensors: their elements are known when the program runs.",
      [this],
      {
        fix: "Say x.add(y) for x + y, x.gt(y) for x > y; choose by elements with where, by one truth value with cond.",
      },
    );
  }
  /** The elements as nested arrays, one level an axis in the order of `names`. @throws XenarcError inside a program. */
  toArray(): unknown {
    const { data } = this;
    if (!data)
      throw tensorError("The elements of a tensor are known outside of a program only.", [this], {
        fix: "Return it from the function that evaluate runs.",
      });
    const { shape } = this.value.type;
    const at = (d: number, from: number, size: number): unknown =>
      d === shape.length
        ? data[from]
        : Array.from({ length: shape[d]! }, (_, i) => at(d + 1, from + (i * size) / shape[d]!, size / shape[d]!));
    return at(0, 0, data.length);
  }

  /** The element type, by its MLIR name. */
  get dtype(): DType {
    return this.value.type.dtype;
  }
  /** All sizes by name. */
  get sizes(): Sizes<A> {
    return Object.fromEntries(this.names.map((n, i) => [n, this.value.type.shape[i]!])) as Sizes<A>;
  }
  /** The size of one axis. */
  size(axis: A): number {
    return this.value.type.shape[this.position(axis)]!;
  }
  /** Where an axis stands. @throws XenarcError when there is no such axis. */
  position(axis: string): number {
    const i = (this.names as readonly string[]).indexOf(axis);
    if (i < 0)
      throw tensorError(`There is no axis "${axis}" in ${describe(this)}.${didYouMean(axis, this.names)}`, [this]);
    return i;
  }
  /** Whether there is such an axis. */
  has(axis: string): boolean {
    return (this.names as readonly string[]).includes(axis);
  }

  // Arithmetic, elementwise; axes of one operand may be missing in the other, which is then repeated along them.
  /** Sum, elementwise. */
  add<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("add", this, b);
  }
  /** Difference, elementwise. */
  sub<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("subtract", this, b);
  }
  /** Product, elementwise; for booleans, and. */
  mul<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("multiply", this, b);
  }
  /** Quotient; integers round towards zero. */
  div<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("divide", this, b);
  }
  /** Remainder with the sign of the dividend. */
  rem<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("remainder", this, b);
  }
  /** Power, elementwise. */
  pow<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("power", this, b);
  }
  /** The larger, elementwise; NaN where either is NaN. */
  maximum<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("maximum", this, b);
  }
  /** The smaller, elementwise; NaN where either is NaN. */
  minimum<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("minimum", this, b);
  }
  /** Angle of the point (b, this), elementwise, in radians; floats. */
  atan2<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("atan2", this, b);
  }
  /** Bitwise, or logical for booleans. */
  and<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("and", this, b);
  }
  /** Bitwise, or logical for booleans. */
  or<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("or", this, b);
  }
  /** Bitwise, or logical for booleans. */
  xor<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("xor", this, b);
  }
  /** Shifts integers to the left, elementwise. */
  shiftLeft<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("shiftLeft", this, b);
  }
  /** Shifts zeros in from the left. */
  shiftRight<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return pointwise("shiftRightLogical", this, b);
  }

  // Comparison, elementwise; the result's element type is i1.
  /** Whether equal, elementwise (i1). */
  eq<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return compare("EQ", this, b);
  }
  /** Whether not equal, elementwise (i1). */
  ne<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return compare("NE", this, b);
  }
  /** Whether less, elementwise (i1). */
  lt<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return compare("LT", this, b);
  }
  /** Whether less or equal, elementwise (i1). */
  le<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return compare("LE", this, b);
  }
  /** Whether greater, elementwise (i1). */
  gt<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return compare("GT", this, b);
  }
  /** Whether greater or equal, elementwise (i1). */
  ge<B extends string = never>(b: Fits<A, B> | number): Tensor<A | B> {
    return compare("GE", this, b);
  }

  /** -x, elementwise. */
  neg(): Tensor<A> {
    return unary("negate", this);
  }
  /** |x|, elementwise. */
  abs(): Tensor<A> {
    return unary("abs", this);
  }
  /** -1, 0 or 1, elementwise. */
  sign(): Tensor<A> {
    return unary("sign", this);
  }
  /** e^x, elementwise; floats. */
  exp(): Tensor<A> {
    return unary("exponential", this);
  }
  /** exp(x) - 1, exact near 0. */
  expm1(): Tensor<A> {
    return unary("exponentialMinusOne", this);
  }
  /** Natural logarithm, elementwise; floats. */
  log(): Tensor<A> {
    return unary("log", this);
  }
  /** log(1 + x), exact near 0. */
  log1p(): Tensor<A> {
    return unary("logPlusOne", this);
  }
  /** Square root, elementwise; floats. */
  sqrt(): Tensor<A> {
    return unary("sqrt", this);
  }
  /** 1 / sqrt(x), elementwise; floats. */
  rsqrt(): Tensor<A> {
    return unary("rsqrt", this);
  }
  /** Cube root, elementwise; floats. */
  cbrt(): Tensor<A> {
    return unary("cbrt", this);
  }
  /** Sine, elementwise; floats. */
  sin(): Tensor<A> {
    return unary("sine", this);
  }
  /** Cosine, elementwise; floats. */
  cos(): Tensor<A> {
    return unary("cosine", this);
  }
  /** Tangent, elementwise; floats. */
  tan(): Tensor<A> {
    return unary("tan", this);
  }
  /** Hyperbolic tangent, elementwise; floats. */
  tanh(): Tensor<A> {
    return unary("tanh", this);
  }
  /** 1 / (1 + exp(-x)). */
  sigmoid(): Tensor<A> {
    return unary("logistic", this);
  }
  /** The error function. */
  erf(): Tensor<A> {
    return unary("erf", this);
  }
  /** Inverse of the error function, elementwise; floats. */
  erfInv(): Tensor<A> {
    return unary("erfInv", this);
  }
  /** To the next integer below, elementwise; floats. */
  floor(): Tensor<A> {
    return unary("floor", this);
  }
  /** To the next integer above, elementwise; floats. */
  ceil(): Tensor<A> {
    return unary("ceil", this);
  }
  /** To the nearest integer, halves to even. */
  round(): Tensor<A> {
    return unary("roundNearestEven", this);
  }
  /** Bitwise, or logical for booleans. */
  not(): Tensor<A> {
    return unary("not", this);
  }
  /** Whether each element is neither infinite nor NaN (i1). */
  isFinite(): Tensor<A> {
    return unary("isFinite", this);
  }
  /** x * x, elementwise. */
  square(): Tensor<A> {
    return this.mul(this as Tensor<any>) as Tensor<A>;
  }

  // Reductions over one or several axes. Sums of 16-bit floats are accumulated in float32 and rounded once.
  /** Sum over one or several axes. 16-bit floats are accumulated in float32 and rounded once. */
  sum<K extends A>(axes: K | readonly K[]): Tensor<Exclude<A, K>> {
    return reduce("reduceSum", this, axes, true);
  }
  /** Mean over one or several axes; floats. @throws XenarcError for other element types. */
  mean<K extends A>(axes: K | readonly K[]): Tensor<Exclude<A, K>> {
    const n = [axes].flat().reduce((m, a) => m * this.size(a as A), 1);
    if (!isFloat(this.value.type))
      throw tensorError(`mean of ${describe(this)}: only floating-point tensors have a mean.`, [this]);
    return oneCall(() => {
      const sum = (is16Bit(this.dtype) ? this.cast("f32") : this).sum(axes);
      return sum.mul(1 / n).cast(this.dtype) as Tensor;
    });
  }
  /** The largest element over one or several axes. */
  max<K extends A>(axes: K | readonly K[]): Tensor<Exclude<A, K>> {
    return reduce("reduceMax", this, axes, false);
  }
  /** The smallest element over one or several axes. */
  min<K extends A>(axes: K | readonly K[]): Tensor<Exclude<A, K>> {
    return reduce("reduceMin", this, axes, false);
  }
  /** Product over one or several axes. */
  prod<K extends A>(axes: K | readonly K[]): Tensor<Exclude<A, K>> {
    return reduce("reduceProd", this, axes, true);
  }
  /** Whether all are true. */
  all<K extends A>(axes: K | readonly K[]): Tensor<Exclude<A, K>> {
    return reduce("reduceAnd", this, axes, false);
  }
  /** Whether any is true. */
  any<K extends A>(axes: K | readonly K[]): Tensor<Exclude<A, K>> {
    return reduce("reduceOr", this, axes, false);
  }

  /** The same elements in another element type. */
  cast(dtype: DType): Tensor<A> {
    return dtype === this.dtype ? this : new Tensor(this.names, hlo().convert(this.value, dtype));
  }

  /** Another name for an axis. */
  rename<K extends A, N extends Taken<A, K>>(
    axis: K,
    name: N,
  ): AxisError<`rename: the tensor has an axis ${N} already`>;
  rename<K extends A, N extends string>(axis: K, name: N): Tensor<Exclude<A, K> | N>;
  rename(axis: string, name: string): unknown {
    const i = this.position(axis);
    this.refuse("rename", [name], [axis]);
    return new Tensor<any>(
      this.names.map((n, k) => (k === i ? name : n)),
      this.value,
    );
  }

  /** One axis as several, the first the slowest; one size may be -1. */
  split<K extends A, P extends Taken<A, K>>(
    axis: K,
    into: Sizes<P> & Some<P>,
  ): AxisError<`split: the tensor has an axis ${P} already`>;
  split<K extends A, P extends string>(axis: K, into: Sizes<P>): Tensor<Exclude<A, K> | P>;
  split(axis: string, into: Sizes<string>): unknown {
    const i = this.position(axis);
    const parts = Object.keys(into);
    this.refuse("split", parts, [axis]);
    const total = this.value.type.shape[i]!;
    const known = Object.values(into).reduce((n, d) => (d === -1 ? n : n * d), 1);
    const sizes = Object.values(into).map((d) => (d === -1 ? total / known : d));
    if (sizes.some((d) => !Number.isInteger(d)) || sizes.reduce((n, d) => n * d, 1) !== total) {
      throw tensorError(
        `split: axis "${axis}" of size ${total} is not ${parts.map((p) => `${p} ${into[p]}`).join(" x ")}.`,
        [this],
      );
    }
    const { shape } = this.value.type;
    const names = [...this.names.slice(0, i), ...parts, ...this.names.slice(i + 1)];
    return new Tensor<any>(
      names,
      hlo().reshape(this.value, [...shape.slice(0, i), ...sizes, ...shape.slice(i + 1)], names),
    );
  }

  /** Several axes as one, the first the slowest. */
  merge<K extends A, N extends Taken<A, K>>(
    axes: readonly K[],
    name: N,
  ): AxisError<`merge: the tensor has an axis ${N} already`>;
  merge<K extends A, N extends string>(axes: readonly K[], name: N): Tensor<Exclude<A, K> | N>;
  merge(axes: readonly string[], name: string): unknown {
    this.refuse("merge", [name], axes);
    const at = axes.map((a) => this.position(a));
    const i = at[0]!;
    if (!at.every((p, k) => p === i + k)) {
      // Bring the axes together where the first of them stands.
      const rest = this.names.filter((n) => !axes.includes(n));
      const before = rest.filter((n) => this.position(n) < i).length;
      const order = [...rest.slice(0, before), ...(axes as A[]), ...rest.slice(before)];
      return this.ordered(order).merge(axes as never[], name);
    }
    const { shape } = this.value.type;
    const size = axes.reduce((n, a) => n * this.size(a as A), 1);
    const names = [...this.names.slice(0, i), name, ...this.names.slice(i + axes.length)];
    return new Tensor<any>(
      names,
      hlo().reshape(this.value, [...shape.slice(0, i), size, ...shape.slice(i + axes.length)], names),
    );
  }

  /** Refuses names to be added that are there already. @throws XenarcError naming the first of them. */
  refuse(operation: string, added: readonly string[], removed: readonly string[]): void {
    const clash = added.find((n) => this.has(n) && !removed.includes(n));
    if (clash) throw tensorError(`${operation}: there is an axis "${clash}" already in ${describe(this)}.`, [this]);
  }

  /** Repeats along new axes. */
  broadcast<N extends Taken<A, never>>(
    sizes: Sizes<N> & Some<N>,
  ): AxisError<`broadcast: the tensor has an axis ${N} already`>;
  broadcast<N extends string>(sizes: Sizes<N>): Tensor<A | N>;
  broadcast(sizes: Sizes<string>): unknown {
    const added = Object.keys(sizes);
    this.refuse("broadcast", added, []);
    return like(this as Tensor, [...this.names, ...added], [...this.value.type.shape, ...Object.values(sizes)]);
  }

  /** A part of an axis: from `start` up to, without, `end`; a step between elements. Negative positions count from the end. */
  slice<K extends A>(axis: K, start: number, end?: number, step = 1): Tensor<A> {
    const i = this.position(axis);
    const { shape } = this.value.type;
    const n = shape[i]!;
    const from = start < 0 ? start + n : start;
    const to = end === undefined ? n : end < 0 ? end + n : end;
    if (
      !(
        Number.isInteger(from) &&
        Number.isInteger(to) &&
        from >= 0 &&
        from <= to &&
        to <= n &&
        Number.isInteger(step) &&
        step >= 1
      )
    ) {
      throw tensorError(`slice: ${start} to ${end ?? n} step ${step} does not lie in axis "${axis}" of size ${n}.`, [
        this,
      ]);
    }
    if (from === 0 && to === n && step === 1) return this;
    const set = (v: number, rest: (d: number) => number) => shape.map((_, d) => (d === i ? v : rest(d)));
    const value = hlo().slice(
      this.value,
      set(from, () => 0),
      set(to, (d) => shape[d]!),
      set(step, () => 1),
    );
    return new Tensor(this.names, value);
  }

  /** Element `at` of an axis, which goes: a number, or a traced scalar integer (clamped to the axis). */
  at<K extends A>(axis: K, at: number | Scalar): Tensor<Exclude<A, K>> {
    const i = this.position(axis);
    const names = this.names.filter((_, d) => d !== i);
    const shape = this.value.type.shape.filter((_, d) => d !== i);
    const one =
      typeof at === "number"
        ? this.slice(axis, at, at === -1 ? undefined : at + 1).value
        : this.dynamicSlice(axis, at, 1).value;
    return new Tensor<any>(names, hlo().reshape(one, shape, names));
  }

  /** `size` elements of an axis from a traced position on, clamped so that all lie inside. */
  dynamicSlice<K extends A>(axis: K, start: Scalar, size: number): Tensor<A> {
    const i = this.position(axis);
    const { shape } = this.value.type;
    const zero = hlo().constant(start.value.type, 0);
    const starts = shape.map((_, d) => (d === i ? start.value : zero));
    return new Tensor(
      this.names,
      hlo().dynamicSlice(
        this.value,
        starts,
        shape.map((n, d) => (d === i ? size : n)),
      ),
    );
  }

  /** The tensor with the part of an axis that begins at `start` replaced (the position clamped so that all of it lies inside). */
  update<K extends A>(axis: K, start: number | Scalar, part: Tensor<A>): Tensor<A> {
    const i = this.position(axis);
    const aligned = part.ordered(this.names);
    this.names.forEach((n, d) => {
      const [p, q] = [aligned.value.type.shape[d]!, this.value.type.shape[d]!];
      if (d === i ? p > q : p !== q)
        throw tensorError(`update: axis "${n}" is ${q}, and ${p} in the part.`, [this, part]);
    });
    const at = typeof start === "number" ? hlo().constant({ shape: [], dtype: "i32" }, start) : start.value;
    const zero = hlo().constant(at.type, 0);
    return new Tensor(
      this.names,
      hlo().dynamicUpdateSlice(
        this.value,
        aligned.cast(this.dtype).value,
        this.names.map((_, d) => (d === i ? at : zero)),
      ),
    );
  }

  /** Adds elements before and after along an axis. */
  pad<K extends A>(axis: K, before: number, after: number, value = 0): Tensor<A> {
    const i = this.position(axis);
    const only = (n: number) => this.names.map((_, d) => (d === i ? n : 0));
    const fill = hlo().constant({ shape: [], dtype: this.dtype }, this.dtype === "i1" ? value !== 0 : value);
    return new Tensor(this.names, hlo().pad(this.value, fill, only(before), only(after)));
  }

  /** The elements of an axis in reverse order. */
  reverse<K extends A>(axis: K): Tensor<A> {
    return new Tensor(this.names, hlo().reverse(this.value, [this.position(axis)]));
  }

  /** The same tensor with its axes at these positions: only for where others see the order (entry points, kernels). */
  ordered(names: readonly A[]): Tensor<A> {
    if (names.length !== this.names.length || names.some((n) => !this.has(n))) {
      throw tensorError(`Axes (${names.join(", ")}) were expected, not ${describe(this)}.`, [this]);
    }
    if (names.every((n, i) => n === this.names[i])) return this;
    return new Tensor(
      names,
      hlo().transpose(
        this.value,
        names.map((n) => this.position(n)),
      ),
    );
  }
}

export const is16Bit = (d: DType): boolean => d === "bf16" || d === "f16";

type UnaryOp = { [K in keyof typeof ops]: HloBuilder[K] extends (x: Value) => Value ? K : never }[keyof typeof ops];
type BinaryOp = {
  [K in keyof typeof ops]: HloBuilder[K] extends (x: Value, y: Value) => Value ? K : never;
}[keyof typeof ops];

/** An elementwise op of one operand. */
export function unary<A extends string>(op: UnaryOp, x: Tensor<A>): Tensor<A> {
  return new Tensor(x.names, (hlo()[op] as (x: Value) => Value)(x.value));
}

/** A number as a tensor like `x`: the same axes, sizes and element type. */
function filled(x: Tensor, value: number): Value {
  if (x.dtype === "i1") return hlo().constant(x.value.type, value !== 0);
  if (!isFloat(x.value.type) && !Number.isInteger(value)) {
    throw tensorError(`${value} is not an integer, and the tensor is ${describe(x)}.`, [x], {
      fix: 'Cast the tensor first: x.cast("f32").',
    });
  }
  return hlo().constant(x.value.type, value);
}

/** A tensor repeated to the given axes, in their order. */
export function like(x: Tensor, names: readonly string[], shape: readonly number[]): Tensor {
  if (names.length === x.names.length) return x.ordered(names);
  return new Tensor<any>(
    names,
    hlo().broadcastInDim(
      x.value,
      shape,
      x.names.map((n) => names.indexOf(n)),
      names,
    ),
  );
}

/** Brings two operands to common axes: those of the one that has all axes of the other. */
export function aligned(operation: string, x: Tensor, other: AnyTensor | number): readonly [Tensor, Value, Value] {
  if (typeof other === "number") return [x, x.value, filled(x, other)];
  if (!isTensor(other)) throw noTensor(operation, "the right operand", other, "a tensor or a number", [x]);
  const y = other as unknown as Tensor;
  const [big, small] = x.names.length >= y.names.length ? [x, y] : [y, x];
  const extra = small.names.filter((n) => !big.has(n));
  if (extra.length) {
    throw tensorError(
      `${operation}: neither operand has all axes of the other: ${describe(x)} and ${describe(y)}.`,
      [x, y],
      {
        expected: "one operand with all axes of the other",
        fix: `For an outer product say so: broadcast({ ${extra.map((n) => `${n}: n`).join(", ")} }).`,
      },
    );
  }
  for (const n of small.names) {
    if (small.size(n) !== big.size(n)) {
      throw tensorError(`${operation}: axis "${n}" is ${x.size(n)} on the left and ${y.size(n)} on the right.`, [x, y]);
    }
  }
  if (x.dtype !== y.dtype) {
    throw tensorError(`${operation}: the left is ${x.dtype} and the right ${y.dtype}.`, [x, y], {
      fix: "Cast one of them: x.cast(y.dtype).",
    });
  }
  const { shape } = big.value.type;
  return [big, like(x, big.names, shape).value, like(y, big.names, shape).value];
}

/** Runs one call of the language: all ops it makes have the location of the call, captured once. */
export function oneCall<T>(f: (b: HloBuilder) => T): T {
  const b = hlo();
  if (b.site) return f(b);
  b.site = captureSite(oneCall);
  try {
    return f(b);
  } finally {
    b.site = undefined;
  }
}

function pointwise(op: BinaryOp, x: Tensor, y: AnyTensor | number): Tensor {
  return oneCall((b) => {
    const [big, p, q] = aligned(op, x, y);
    return new Tensor(big.names, (b[op] as (x: Value, y: Value) => Value)(p, q));
  });
}

function compare(direction: "EQ" | "NE" | "GE" | "GT" | "LE" | "LT", x: Tensor, y: AnyTensor | number): Tensor {
  return oneCall((b) => {
    const [big, p, q] = aligned("compare", x, y);
    return new Tensor(big.names, b.compare(p, q, direction));
  });
}

type ReduceOp = "reduceSum" | "reduceMax" | "reduceMin" | "reduceProd" | "reduceAnd" | "reduceOr";

function reduce(op: ReduceOp, x: Tensor, axes: string | readonly string[], accumulates: boolean): Tensor {
  return oneCall(() => reduced(op, x, axes, accumulates));
}

function reduced(op: ReduceOp, x: Tensor, axes: string | readonly string[], accumulates: boolean): Tensor {
  const dims = [axes]
    .flat()
    .map((n) => x.position(n))
    .sort((p, q) => p - q);
  const repeated = dims.find((d, i) => d === dims[i - 1]);
  if (repeated !== undefined) throw tensorError(`The axis "${x.names[repeated]}" is reduced twice.`, [x]);
  const names = x.names.filter((_, i) => !dims.includes(i));
  const widen = accumulates && is16Bit(x.dtype);
  const out = new Tensor<any>(names, hlo()[op](widen ? x.cast("f32").value : x.value, dims));
  return widen ? out.cast(x.dtype) : out;
}

/** Where a type is built from sizes. */
export const typeOf = (sizes: Sizes<string>, dtype: DType): TensorType => ({ shape: Object.values(sizes), dtype });
