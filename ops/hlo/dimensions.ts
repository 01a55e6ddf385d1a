/** What the rules of shape-changing ops share: checks of dimension lists, and the sizes and names that they select. */
import { bytesOf, type Cost, type Op, sameType, typeText, type Value } from "../../compiler/ir.js";
import { kinds, list } from "./define.js";

export const repeats = (...ds: readonly (readonly number[])[]): boolean =>
  new Set(ds.flat()).size !== ds.reduce((n, d) => n + d.length, 0);
export const outside = (ds: readonly number[], rank: number): boolean =>
  ds.some((d) => !Number.isInteger(d) || d < 0 || d >= rank);
export const sorted = (ds: readonly number[]): boolean => ds.every((d, i) => i === 0 || ds[i - 1]! <= d);

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** The dimensions of a tensor of this rank that are in none of the lists. */
export const others = (rank: number, ...taken: readonly (readonly number[])[]): number[] =>
  range(rank).filter((d) => !taken.some((ds) => ds.includes(d)));
/** The entries of `xs` at `ds`. */
export const at = <T>(xs: readonly T[], ds: readonly number[]): T[] => ds.map((d) => xs[d]!);
export const inverse = (permutation: readonly number[]): number[] => permutation.map((_, i) => permutation.indexOf(i));
export const isIdentity = (permutation: readonly number[]): boolean => permutation.every((d, i) => d === i);
export const product = (ns: readonly number[]): number => ns.reduce((n, d) => n * d, 1);
/** `xs` with `changed` at each of `ds`. */
export const replaced = <T>(xs: readonly T[], ds: readonly number[], changed: (x: T, d: number) => T): T[] =>
  xs.map((x, d) => (ds.includes(d) ? changed(x, d) : x));

/** Constraint: operand `operand` and result 0 have one element type. */
export const sameElementType =
  (operand = 0) =>
  (op: Op): string | undefined => {
    const [x, y] = [op.operands[operand]!.type, op.results[0]!.type];
    return x.dtype === y.dtype ? undefined : `${typeText(x)} and the result ${typeText(y)} differ in element type`;
  };

/** The violation of a result that has not the shape it must have. */
export const wrongShape = (want: readonly number[], got: Value): string | undefined =>
  want.length === got.type.shape.length && want.every((n, i) => n === got.type.shape[i])
    ? undefined
    : `the result's shape is ${list(want)}, not ${typeText(got.type)}`;

/** Constraint C1 of several ops: operand 0 and the result have one type. */
export const typeKept = (op: Op): string | undefined => {
  const [x, y] = [op.operands[0]!.type, op.results[0]!.type];
  return sameType(x, y) ? undefined : `the result is ${typeText(x)}, not ${typeText(y)}`;
};

/** Input constraint: where a slice starts is given by integer scalars. */
export const scalarStarts = (start: readonly Value[]): string | undefined => {
  const bad = start.find(({ type: { shape, dtype } }) => shape.length > 0 || !kinds.integer(dtype));
  return bad && `start indices are integer scalars, not ${typeText(bad.type)}`;
};

/** Constraint: the scalars that say where a slice starts are of one type. */
export const sameStartTypes =
  (first: number) =>
  ({ operands }: Op): string | undefined => {
    const start = operands.slice(first);
    return start.some((v) => !sameType(v.type, start[0]!.type))
      ? `start indices differ in type: ${start.map((v) => typeText(v.type)).join(", ")}`
      : undefined;
  };

/** The cost of an op that takes its result's elements out of something larger: they are read once and written once. */
export const resultMoved = (op: Op): Cost => ({
  flops: 0,
  transcendentals: 0,
  bytes: 2 * op.results.reduce((n, v) => n + bytesOf(v.type), 0),
});
