import fc from "fast-check";
import { type DType, Region, type Value } from "../../compiler/ir.js";
import { backward } from "../../compiler/passes/grad.js";
import { printModule } from "../../emit/print.js";
import { HloBuilder } from "../../ops/hlo/index.js";
import { reduce } from "../../ops/hlo/reduce.js";
import { applying } from "../../ops/hlo/regions.js";
import { canonical, verify } from "../oracle/oracle.js";
import { dtypes, someOf, tuple } from "./draw.js";
import { agrees, anyShape, type MisuseOf, refuses, type Use } from "./harness.js";

/** The reductions by one op, the element types that JAX takes for each, and what is exact about them. */
const reductions: readonly (readonly ["Sum" | "Prod" | "Max" | "Min" | "And" | "Or", readonly DType[]])[] = [
  ["Sum", ["f32", "bf16", "f64", "i32", "ui8"]],
  ["Prod", ["f32", "f64", "i32"]],
  ["Max", ["f32", "bf16", "f16", "i32", "ui8", "i64", "ui64", "i1"]],
  ["Min", ["f32", "bf16", "f64", "i32", "ui8", "i64", "ui64", "i1"]],
  ["And", ["i1", "i32", "ui64"]],
  ["Or", ["i1", "i64", "ui8"]],
];
const one = (by: (typeof reductions)[number][0], allowed: readonly DType[]) =>
  anyShape({ max: 4 }, { min: 0, max: 5 }).chain((shape) =>
    fc.tuple(fc.constantFrom(...allowed), someOf(shape.length)).map(
      ([dtype, dims]): Use => ({
        inputs: [{ shape, dtype }],
        build: (b, x) => b[`reduce${by}`](x!, dims),
        jax: `lambda x: lax.reduce_${by.toLowerCase()}(x, ${tuple(dims)})`,
        // Extremes and logic are exact, for infinities, NaN and all.
        ...((by === "Sum" || by === "Prod") && {
          values: { min: -3, max: 3 },
          tolerance: dtype === "bf16" ? { rtol: 2e-2, atol: 2e-1 } : { rtol: 1e-5, atol: 1e-5 },
        }),
        ...((by === "Max" || by === "Min") && /f/.test(dtype) && { values: { min: -3, max: 3 } }),
        gradientTolerance: dtype === "bf16" ? { rtol: 2e-2, atol: 1e-2 } : { rtol: 1e-4, atol: 1e-4 },
      }),
    ),
  );
agrees("reduce by one op", fc.tuple(...reductions.map(([by, allowed]) => one(by, allowed))));

const special = anyShape({ min: 1 }, { min: 1, max: 5 }).chain((shape) =>
  fc.tuple(fc.constantFrom(...dtypes.float), someOf(shape.length, { min: 1 })).map(
    ([dtype, dims]): Use => ({
      inputs: [{ shape, dtype }],
      build: (b, x) => [b.reduceMax(x!, dims), b.reduceMin(x!, dims)],
      jax: `lambda x: [lax.reduce_max(x, ${tuple(dims)}), lax.reduce_min(x, ${tuple(dims)})]`,
      gradient: false,
    }),
  ),
);
agrees("reduce to the extremes of special values", special, { uses: 4 });

// The largest and its position: the components mix, so that only the forward part has a counterpart.
const argmax = anyShape({ min: 1 }, { min: 1, max: 5 }).chain((shape) =>
  someOf(shape.length, { min: 1, max: 1 }).map(([d]): Use => {
    const kept = shape.filter((_, i) => i !== d);
    return {
      inputs: [{ shape, dtype: "f32" }],
      build: (b, x) =>
        b.reduce(
          [x!, b.iota({ shape, dtype: "i32" }, d!)],
          [b.constant({ shape: [], dtype: "f32" }, -Infinity), b.constant({ shape: [], dtype: "i32" }, 0)],
          [d!],
          (inner, best, at, value, here) => {
            const better = inner.or(
              inner.compare(value!, best!, "GT"),
              inner.and(inner.compare(value!, best!, "EQ"), inner.compare(here!, at!, "LT")),
            );
            return [inner.select(better, value!, best!), inner.select(better, here!, at!)];
          },
        ),
      jax: `lambda x: [jnp.max(x, ${d}), jnp.reshape(lax.argmax(x, ${d}, jnp.int32), ${tuple(kept)})]`,
      values: { min: -3, max: 3 },
      gradient: false,
    };
  }),
);
agrees("reduce of two operands", argmax, { uses: 2 });

// Components that do not mix are differentiated one by one.
const several = anyShape({ min: 2 }, { min: 1, max: 4 }).chain((shape) =>
  someOf(shape.length, { min: 1 }).map(
    (dims): Use => ({
      inputs: [
        { shape, dtype: "f32" },
        { shape, dtype: "f32" },
      ],
      build: (b, x, y) => {
        const init = (value: number) => b.constant({ shape: [], dtype: "f32" }, value);
        return b.reduce([x!, y!], [init(0), init(1)], dims, (inner, sum, product, p, q) => [
          inner.add(p!, sum!),
          inner.multiply(product!, q!),
        ]);
      },
      jax: `lambda x, y: [lax.reduce_sum(x, ${tuple(dims)}), lax.reduce_prod(y, ${tuple(dims)})]`,
      values: { min: -2, max: 2 },
      tolerance: { rtol: 1e-5, atol: 1e-5 },
      gradientTolerance: { rtol: 1e-4, atol: 1e-4 },
    }),
  ),
);
agrees("reduce by component", several);

const ADD =
  "{\n  ^bb0(%a: tensor<f32>, %b: tensor<f32>):\n  %c = stablehlo.add %a, %b : tensor<f32>\n  stablehlo.return %c : tensor<f32>\n}";
// XLA refuses a module of several precisions, so that only MLIR can be asked.
test("reduce into a wider type is printed as MLIR prints it", async () => {
  const body = new Region();
  const b = HloBuilder.into(body);
  const x = body.arg({ shape: [4, 6], dtype: "bf16" });
  const wide = { shape: [], dtype: "f32" } as const;
  const add = b.nested([wide, wide], (inner, p, q) => [inner.add(p!, q!)]);
  body.results = [...b.reduce([x], [b.constant({ shape: [], dtype: "bf16" }, 0)], [0], add)];
  const text = printModule({ name: "test", funcs: [{ name: "main", body }] }, { names: "canonical" });
  expect(await verify(text)).toBeUndefined();
  expect(text).toBe(await canonical(text));
});

/** Ops whose derivative is not known, or not defined. */
const f32 = (...shape: number[]) => ({ shape, dtype: "f32" }) as const;
test.each<[string, (b: HloBuilder, x: Value) => Value]>([
  ["body", (b, x) => b.reduce([x], [b.constant(f32(), 0)], [0], (inner, p, q) => inner.subtract(p!, q!))[0]!],
  ["initial value", (b, x) => b.reduce([b.constant(f32(2), 0)], [b.reduceSum(x, [0])], [0], applying("add"))[0]!],
])("reduce says that it has no derivative for its %s", (_, build) => {
  const region = new Region();
  const b = HloBuilder.into(region);
  const x = region.arg(f32(3));
  const y = build(b, x);
  expect(() => backward(b, 0, [y], [b.constant(f32(), 1)], [x])).toThrow(
    /^stablehlo.reduce has no derivative here: its /,
  );
});

const tensors = (types: readonly string[]) => types.map((t) => `tensor<${t}>`).join(", ");
/** A misuse whose body adds scalars, or one that is given in both forms. */
function misuse(
  operands: readonly string[],
  dims: readonly number[],
  results: readonly string[],
  body: { dtypes: readonly DType[]; mlir: string; take?: number } = { dtypes: ["f32", "f32"], mlir: ADD },
): MisuseOf {
  const type = (text: string) => ({
    shape: text.split("x").slice(0, -1).map(Number),
    dtype: text.split("x").at(-1) as DType,
  });
  return {
    inputs: operands,
    emit: (b, ...xs) => {
      const region = b.nested(
        body.dtypes.map((dtype) => ({ shape: [], dtype })),
        (inner, p, q) => [inner.add(p!, q ?? p!)],
      );
      b.emit(reduce, xs, { dims }, results.map(type), [region]);
    },
    generic: `"stablehlo.reduce"(${operands.map((_, i) => `%arg${i}`).join(", ")}) (${body.mlir}) {dimensions = array<i64${dims.length ? ": " : ""}${dims}>} : (${tensors(operands)}) -> (${tensors(results)})`,
  };
}
refuses(reduce, {
  I2: misuse(["2x3xf32", "1xf32"], [0], ["3xf32"]),
  C1: {
    inputs: ["2x3xf32", "3x2xf32", "f32", "f32"],
    emit: (b, x, y, p, q) => b.reduce([x!, y!], [p!, q!], [0], (_, ...args) => args.slice(0, 2)),
    generic: `"stablehlo.reduce"(%arg0, %arg1, %arg2, %arg3) ({
      ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
      stablehlo.return %a, %b : tensor<f32>, tensor<f32>
    }) {dimensions = array<i64: 0>} : (tensor<2x3xf32>, tensor<3x2xf32>, tensor<f32>, tensor<f32>) -> (tensor<3xf32>, tensor<3xf32>)`,
  },
  C2: [misuse(["2x3xf32", "i32"], [0], ["3xf32"]), { ...misuse(["2x3xf32", "f16"], [0], ["3xf32"]), accepted: true }],
  // Of no operands MLIR reads the first all the same, and may crash.
  C3: [
    { ...misuse(["2x3xf32", "f32", "f32"], [0], ["3xf32"]), accepted: true },
    { ...misuse([], [0], []), generic: false },
  ],
  C4: [misuse(["2x3xf32", "f32"], [2], ["2x3xf32"]), misuse(["2x3xf32", "f32"], [-1], ["2x3xf32"])],
  C5: misuse(["2x3xf32", "f32"], [0, 0], ["3xf32"]),
  C6: [
    misuse(["2x3xf32", "f32"], [0], ["3xf32"], {
      dtypes: ["f32"],
      mlir: "{\n  ^bb0(%a: tensor<f32>):\n  stablehlo.return %a : tensor<f32>\n}",
    }),
    misuse(["2x3xf32", "f32"], [0], ["3xi32"], { dtypes: ["i32", "i32"], mlir: ADD.replaceAll("f32", "i32") }),
    {
      ...misuse(["2x3xf32", "f32"], [0], ["3xf16"], { dtypes: ["f16", "f16"], mlir: ADD.replaceAll("f32", "f16") }),
      accepted: true,
    },
  ],
  C7: misuse(["2x3xf32", "f32"], [0], ["2xf32"]),
  C8: misuse(["2x3xf32", "f32"], [0], ["3xf64"]),
});
