import fc from "fast-check";
import { Region, type Value } from "../../compiler/ir.js";
import { backward } from "../../compiler/passes/grad.js";
import { HloBuilder, ops } from "../../ops/hlo/index.js";
import type { Body } from "../../ops/hlo/regions.js";
import { agrees, anyShape, type MisuseOf, refuses, type Use } from "./harness.js";

const ascending: Body = (b, p, q) => b.compare(p!, q!, "LT", "TOTALORDER");
const drawn = fc.tuple(anyShape({ min: 1 }, { min: 0, max: 5 }), fc.nat(), fc.boolean());

// Keys of either sign and with ties, but of one sort of zero: JAX's comparator tells them apart no more than IEEE 754 does.
const values = { min: 1, max: 5 };
const together = drawn.map(([shape, d, negative]): Use => {
  const dimension = d % shape.length;
  return {
    inputs: [
      { shape, dtype: "f32" },
      { shape, dtype: "f64" },
      { shape, dtype: "i32" },
    ],
    build: (b, ...xs) => b.sort(xs, negative ? dimension - shape.length : dimension, true, ascending),
    jax: `lambda *xs: lax.sort(xs, ${dimension}, is_stable=True, num_keys=1)`,
    values,
    gradient: [0, 1],
  };
});
agrees("sort of several together", together, { uses: 2 });

// The permutation of a sorted iota is used for the derivative; the comparator may compute anything.
const indexed = drawn.map(([shape, d]): Use => {
  const dimension = d % shape.length;
  return {
    inputs: [{ shape, dtype: "f32" }],
    build: (b, x) =>
      b.sort([x!, b.iota({ shape, dtype: "i32" }, dimension)], dimension, true, (inner, p, q) =>
        inner.compare(inner.negate(p!), inner.negate(q!), "LT"),
      ),
    jax: `lambda x: [-r if i == 0 else r for i, r in enumerate(lax.sort((-x, lax.broadcasted_iota(jnp.int32, x.shape, ${dimension})), ${dimension}, num_keys=1))]`,
    values,
  };
});
agrees("sort with an iota", indexed, { uses: 2 });

const special = drawn.map(
  ([shape, d]): Use => ({
    inputs: [{ shape, dtype: "bf16" }],
    build: (b, x) => b.sort([x!], d % shape.length, false, (inner, p, q) => inner.compare(p!, q!, "GT")),
    jax: `lambda x: -lax.sort(-x, ${d % shape.length}, is_stable=False)`,
    values,
    gradient: false,
  }),
);
agrees("sort that is not stable", special);

const f32 = (...shape: number[]) => ({ shape, dtype: "f32" }) as const;
test("sort with an iota does not sort again; one that is not stable and has none has no derivative", () => {
  const of = (build: (b: HloBuilder, x: Value) => Value) => {
    const region = new Region();
    const b = HloBuilder.into(region);
    const x = region.arg(f32(4));
    const y = build(b, x);
    backward(b, 0, [y], [b.constant(f32(4), 1)], [x]);
    return region.ops.filter((op) => op.def === ops.sort).length;
  };
  expect(of((b, x) => b.sort([x, b.iota({ shape: [4], dtype: "i32" }, 0)], 0, false, ascending)[0]!)).toBe(1);
  expect(of((b, x) => b.sort([x], 0, true, ascending)[0]!)).toBe(2);
  expect(() => of((b, x) => b.sort([x], 0, false, ascending)[0]!)).toThrow(/the sort is not stable/);
});

/** A misuse whose comparator compares its first two arguments. */
function misuse(
  operands: readonly string[],
  results: readonly string[],
  dimension = 1,
  args: readonly string[] = operands.flatMap(() => ["f32", "f32"]),
): MisuseOf {
  const tensors = (types: readonly string[]) => types.map((t) => `tensor<${t}>`).join(", ");
  const type = (text: string) => ({
    shape: text.split("x").slice(0, -1).map(Number),
    dtype: text.split("x").at(-1) as "f32",
  });
  return {
    inputs: operands,
    emit: (b, ...xs) => {
      const region = b.nested(args.map(type), (inner, p, q) => [
        p && q ? inner.compare(p, q, "LT") : inner.constant({ shape: [], dtype: "i1" }, true),
      ]);
      b.emit(ops.sort, xs, { dimension, isStable: true }, results.map(type), [region]);
    },
    generic: `"stablehlo.sort"(${operands.map((_, i) => `%arg${i}`).join(", ")}) ({
      ^bb0${args.length ? `(${args.map((t, i) => `%a${i}: tensor<${t}>`).join(", ")})` : ""}:
      %c = ${args.length ? `stablehlo.compare LT, %a0, %a1 : (tensor<${args[0]}>, tensor<${args[1]}>) -> tensor<i1>` : "stablehlo.constant dense<true> : tensor<i1>"}
      stablehlo.return %c : tensor<i1>
    }) {dimension = ${dimension} : i64, is_stable = true} : (${tensors(operands)}) -> (${tensors(results)})`,
  };
}
refuses(ops.sort, {
  C1: misuse([], []),
  C2: [misuse(["2x3xf32"], ["2x3xf16"]), misuse(["2x3xf32"], ["3x2xf32"]), misuse(["2x3xf32", "2x3xf32"], ["2x3xf32"])],
  C3: misuse(["2x3xf32", "3x2xf32"], ["2x3xf32", "3x2xf32"]),
  C4: [misuse(["2x3xf32"], ["2x3xf32"], 2), misuse(["2x3xf32"], ["2x3xf32"], -3)],
  C5: [
    misuse(["2x3xf32"], ["2x3xf32"], 1, ["f16", "f16"]),
    misuse(["2x3xf32"], ["2x3xf32"], 1, ["f32", "f32", "f32", "f32"]),
  ],
});
