import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, type MisuseOf, refuses, type, type Use } from "./harness.js";

// One device is a group of its own here; what several devices say to each other is in test/parallel/per_device.test.ts.
const use = fc
  .tuple(anyShape(), fc.constantFrom("f32", "i32", "bf16"), fc.constantFrom("add", "maximum", "minimum"))
  .map(
    ([shape, dtype, by]): Use => ({
      inputs: [{ shape, dtype } as never],
      build: (b, x) => b.allReduce(x!, [[0]], by as "add"),
      jax: "lambda x: x",
      values: { min: 1, max: 4 },
      gradient: by === "add",
    }),
  );
// One a program: XLA:CPU joins those of several shapes into one that it then refuses.
agrees("all_reduce", use);

const PAIR = "dense<[[0, 1]]> : tensor<1x2xi64>";
/** A misuse whose body adds two numbers of a type. */
function misuse(
  operand: string,
  result: string,
  { of = "f32", groups = [[0, 1]], text = PAIR }: { of?: string; groups?: number[][]; text?: string } = {},
): MisuseOf {
  return {
    inputs: [operand],
    emit: (b, x) => {
      const body = b.nested([type(of), type(of)], (inner, p, q) => [inner.add(p!, q!)]);
      b.emit(ops.allReduce, [x!], { groups }, [type(result)], [body]);
    },
    generic: `"stablehlo.all_reduce"(%arg0) <{channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, replica_groups = ${text}, use_global_device_ids}> ({
      ^bb0(%a: tensor<${of}>, %b: tensor<${of}>):
      %c = stablehlo.add %a, %b : tensor<${of}>
      stablehlo.return %c : tensor<${of}>
    }) : (tensor<${operand}>) -> tensor<${result}>`,
  };
}
refuses(ops.allReduce, {
  C1: misuse("2x3xf32", "2x3xf32", { groups: [[0, 0]], text: "dense<0> : tensor<1x2xi64>" }),
  C3: misuse("2x3xf32", "2x3xf32", { groups: [[0, 2]], text: "dense<[[0, 2]]> : tensor<1x2xi64>" }),
  C5: misuse("2x3xf32", "2x3xf32", { of: "i32" }),
  C6: misuse("2x3xf32", "3x2xf32"),
  C7: misuse("2x3xf32", "2x3xf32", { of: "f64" }),
});
