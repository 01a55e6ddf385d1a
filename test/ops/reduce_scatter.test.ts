import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, type MisuseOf, refuses, type, type Use } from "./harness.js";

// One device is a group of its own here; what several devices say to each other is in test/parallel/per_device.test.ts.
const use = fc.tuple(anyShape({ min: 1 }), fc.constantFrom("f32", "i32", "bf16"), fc.nat()).map(
  ([shape, dtype, d]): Use => ({
    inputs: [{ shape, dtype } as never],
    build: (b, x) => b.reduceScatter(x!, d % shape.length, [[0]]),
    jax: "lambda x: x",
    values: { min: 1, max: 4 },
  }),
);
agrees("reduce_scatter", use, { uses: 4 });

const PAIR = "dense<[[0, 1]]> : tensor<1x2xi64>";
/** A misuse whose body adds two numbers of a type. */
function misuse(
  operand: string,
  result: string,
  {
    of = "f32",
    dimension = 0,
    groups = [[0, 1]],
    text = PAIR,
  }: { of?: string; dimension?: number; groups?: number[][]; text?: string } = {},
): MisuseOf {
  return {
    inputs: [operand],
    emit: (b, x) => {
      const body = b.nested([type(of), type(of)], (inner, p, q) => [inner.add(p!, q!)]);
      b.emit(ops.reduceScatter, [x!], { dimension, groups }, [type(result)], [body]);
    },
    generic: `"stablehlo.reduce_scatter"(%arg0) <{channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, replica_groups = ${text}, scatter_dimension = ${dimension} : i64, use_global_device_ids}> ({
      ^bb0(%a: tensor<${of}>, %b: tensor<${of}>):
      %c = stablehlo.add %a, %b : tensor<${of}>
      stablehlo.return %c : tensor<${of}>
    }) : (tensor<${operand}>) -> tensor<${result}>`,
  };
}
refuses(ops.reduceScatter, {
  C1: { ...misuse("3x2xf32", "1x2xf32"), accepted: true },
  C2: misuse("4x2xf32", "2x2xf32", { dimension: 2 }),
  C3: misuse("4x2xf32", "2x2xf32", { groups: [[0, 0]], text: "dense<0> : tensor<1x2xi64>" }),
  C5: misuse("4x2xf32", "2x2xf32", { groups: [[0, 2]], text: "dense<[[0, 2]]> : tensor<1x2xi64>" }),
  C7: misuse("4x2xf32", "2x2xf32", { of: "i32" }),
  C8: [{ ...misuse("4x2xf32", "4x2xf32"), accepted: true }, misuse("4x2xf32", "2x3xf32")],
  C9: misuse("4x2xf32", "2x2xf32", { of: "f64" }),
});
