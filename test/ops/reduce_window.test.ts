import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { type ReduceWindowAttrs, reduceWindow } from "../../ops/hlo/reduce_window.js";
import { forEach, tuple } from "./draw.js";
import { agrees, type MisuseOf, refuses, type Use } from "./harness.js";

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const dimension = fc.record({
  size: upTo(6, 0),
  window: upTo(3),
  stride: upTo(3),
  base: upTo(2),
  dilation: upTo(2),
  low: upTo(2, -1),
  high: upTo(2, -1),
});
const geometry = (min: number) =>
  fc.integer({ min, max: 3 }).chain((rank) => forEach(Array(rank).fill(0), () => dimension));
const attrsOf = (ds: readonly (typeof dimension extends fc.Arbitrary<infer T> ? T : never)[]): ReduceWindowAttrs => ({
  windowDimensions: ds.map((d) => d.window),
  windowStrides: ds.map((d) => d.stride),
  baseDilations: ds.map((d) => d.base),
  windowDilations: ds.map((d) => d.dilation),
  padding: ds.map((d) => [Math.max(d.low, -d.size), d.high] as const),
});
const jax = (a: ReduceWindowAttrs, init: string, by: string) =>
  `lambda x: lax.reduce_window(x, np.array(${init}, x.dtype), ${by}, ${tuple(a.windowDimensions)}, ${tuple(a.windowStrides)}, [${a.padding.map((p) => `(${p})`)}], ${tuple(a.baseDilations)}, ${tuple(a.windowDilations)})`;

const sum = fc.tuple(fc.constantFrom<DType>("f32", "f64", "i32"), geometry(0)).map(([dtype, ds]): Use => {
  const attrs = attrsOf(ds);
  return {
    inputs: [{ shape: ds.map((d) => d.size), dtype }],
    build: (b, x) => b.reduceWindowSum(x!, attrs),
    jax: jax(attrs, "0", "lax.add"),
    values: { min: -3, max: 3 },
    tolerance: { rtol: 1e-5, atol: 1e-5 },
    gradientTolerance: { rtol: 1e-5, atol: 1e-5 },
  };
});
// XLA compiles what JAX makes of the gradient for one dimension and more.
const largest = fc.tuple(fc.boolean(), geometry(1)).map(([max, ds]): Use => {
  // JAX differentiates a maximum without dilations and negative padding only.
  const least = (n: number) => Math.max(n, 0);
  const attrs = attrsOf(ds.map((d) => ({ ...d, base: 1, dilation: 1, low: least(d.low), high: least(d.high) })));
  return {
    inputs: [{ shape: ds.map((d) => d.size), dtype: "f32" }],
    build: (b, x) =>
      b.reduceWindow(
        [x!],
        [b.constant({ shape: [], dtype: "f32" }, max ? -Infinity : Infinity)],
        attrs,
        (inner, p, q) => (max ? inner.maximum(p!, q!) : inner.minimum(p!, q!)),
      ),
    jax: max ? jax(attrs, "-np.inf", "lax.max") : jax(attrs, "np.inf", "lax.min"),
    values: { min: -3, max: 3 },
    gradientTolerance: { rtol: 1e-5, atol: 1e-5 },
  };
});
agrees("reduce_window", fc.tuple(sum, largest));

const good: ReduceWindowAttrs = {
  windowDimensions: [2, 1],
  windowStrides: [1, 1],
  baseDilations: [1, 1],
  windowDilations: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
};
const ADD =
  "{\n  ^bb0(%a: tensor<f32>, %b: tensor<f32>):\n  %c = stablehlo.add %a, %b : tensor<f32>\n  stablehlo.return %c : tensor<f32>\n}";
function misuse(
  change: Partial<ReduceWindowAttrs>,
  {
    operands = ["4x6xf32", "f32"],
    results = ["3x6xf32"],
    body = ADD,
    arguments: args = ["f32", "f32"] as readonly DType[],
  } = {},
): MisuseOf {
  const a = { ...good, ...change };
  const tensors = (types: readonly string[]) => types.map((t) => `tensor<${t}>`).join(", ");
  const array = (ns: readonly number[]) => `array<i64${ns.length ? ": " : ""}${ns}>`;
  const width = a.padding[0]?.length ?? 2;
  return {
    inputs: operands,
    emit: (b, ...xs) => {
      const region = b.nested(
        args.map((dtype) => ({ shape: [], dtype })),
        (inner, p, q) => [inner.add(p!, q ?? p!)],
      );
      const types = results.map((t) => ({
        shape: t.split("x").slice(0, -1).map(Number),
        dtype: t.split("x").at(-1) as DType,
      }));
      b.emit(reduceWindow, xs, a, types, [region]);
    },
    generic: `"stablehlo.reduce_window"(${operands.map((_, i) => `%arg${i}`).join(", ")}) (${body}) {window_dimensions = ${array(a.windowDimensions)}, window_strides = ${array(a.windowStrides)}, base_dilations = ${array(a.baseDilations)}, window_dilations = ${array(a.windowDilations)}, padding = dense<[${a.padding.map((p) => `[${p}]`)}]> : tensor<${a.padding.length}x${width}xi64>} : (${tensors(operands)}) -> (${tensors(results)})`,
  };
}
refuses(reduceWindow, {
  I2: misuse({}, { operands: ["4x6xf32", "1xf32"] }),
  // Of no operands MLIR reads the first all the same, and may crash.
  C1: [
    { ...misuse({}, { operands: ["4x6xf32", "f32", "f32"] }), accepted: true },
    { ...misuse({}, { operands: [], results: [] }), generic: false },
  ],
  C2: {
    inputs: ["4x6xf32", "6x4xf32", "f32", "f32"],
    emit: (b, x, y, p, q) => b.reduceWindow([x!, y!], [p!, q!], good, (_, ...args) => args.slice(0, 2)),
    generic: `"stablehlo.reduce_window"(%arg0, %arg1, %arg2, %arg3) ({
      ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
      stablehlo.return %a, %b : tensor<f32>, tensor<f32>
    }) {window_dimensions = array<i64: 2, 1>} : (tensor<4x6xf32>, tensor<6x4xf32>, tensor<f32>, tensor<f32>) -> (tensor<3x6xf32>, tensor<3x6xf32>)`,
  },
  C3: [
    misuse({}, { operands: ["4x6xf32", "i32"] }),
    { ...misuse({}, { operands: ["4x6xf32", "f16"] }), accepted: true },
  ],
  C4: misuse({ windowDimensions: [2] }),
  C5: misuse({ windowDimensions: [2, 0] }),
  C6: misuse({ windowStrides: [1] }),
  C7: misuse({ windowStrides: [1, 0] }),
  C8: misuse({ baseDilations: [1] }),
  C9: misuse({ baseDilations: [1, 0] }),
  C10: misuse({ windowDilations: [1] }),
  C11: misuse({ windowDilations: [1, 0] }),
  C12: [misuse({ padding: [[0, 0]] }), misuse({ padding: [[0], [0]] as unknown as ReduceWindowAttrs["padding"] })],
  C13: [
    misuse({}, { arguments: ["f32"], body: "{\n  ^bb0(%a: tensor<f32>):\n  stablehlo.return %a : tensor<f32>\n}" }),
    misuse({}, { arguments: ["i32", "i32"], body: ADD.replaceAll("f32", "i32"), results: ["3x6xi32"] }),
    {
      ...misuse({}, { arguments: ["f16", "f16"], body: ADD.replaceAll("f32", "f16"), results: ["3x6xf16"] }),
      accepted: true,
    },
  ],
  C14: {
    inputs: ["4x6xf32", "4x6xf32", "f32", "f32"],
    emit: (b, ...xs) => {
      const scalar = { shape: [], dtype: "f32" } as const;
      const region = b.nested([scalar, scalar, scalar, scalar], (_, ...args) => args.slice(0, 2));
      const results = [
        { shape: [3, 6], dtype: "f32" },
        { shape: [3, 5], dtype: "f32" },
      ] as const;
      b.emit(reduceWindow, xs, good, results, [region]);
    },
    generic: `"stablehlo.reduce_window"(%arg0, %arg1, %arg2, %arg3) ({
      ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
      stablehlo.return %a, %b : tensor<f32>, tensor<f32>
    }) {window_dimensions = array<i64: 2, 1>} : (tensor<4x6xf32>, tensor<4x6xf32>, tensor<f32>, tensor<f32>) -> (tensor<3x6xf32>, tensor<3x5xf32>)`,
  },
  C15: misuse({}, { results: ["4x6xf32"] }),
  C16: misuse({}, { results: ["3x6xf64"] }),
});
