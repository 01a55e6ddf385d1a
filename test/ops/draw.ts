/** What the tests of shape-changing ops draw from, and how they write it for Python. */
import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";

export const dtypes = {
  any: ["f32", "bf16", "f64", "i32", "ui8", "i64", "i1"],
  float: ["f32", "bf16", "f16", "f64"],
} as const satisfies Record<string, readonly DType[]>;

/** `(2, 3,)` */
export const tuple = (ns: readonly (number | string)[]): string => `(${ns.map((n) => `${n}, `).join("")})`;

/** Some numbers below `n` in any order; with `sorted`, ascending. */
export const someOf = (n: number, { min = 0, max = n, sorted = false } = {}): fc.Arbitrary<number[]> =>
  fc
    .shuffledSubarray(
      Array.from({ length: n }, (_, i) => i),
      { minLength: min, maxLength: max },
    )
    .map((ds) => (sorted ? ds.sort((p, q) => p - q) : ds));

/** For each of these sizes, a number drawn by it. */
export const forEach = <T>(
  sizes: readonly number[],
  draw: (size: number, d: number) => fc.Arbitrary<T>,
): fc.Arbitrary<T[]> => fc.tuple(...sizes.map(draw));
