import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

// One device is a group of its own here; what several devices say to each other is in test/parallel/per_device.test.ts.
const use = fc.tuple(anyShape(), fc.constantFrom(...dtypes.any)).map(
  ([shape, dtype]): Use => ({
    inputs: [{ shape, dtype }],
    build: (b, x) => b.collectivePermute(x!, [[0, 0]]),
    jax: "lambda x: x",
  }),
);
agrees("collective_permute", use, { uses: 4 });

const along = (pairs: number[][], text: string) => ({
  operands: ["2x3xf32"],
  results: ["2x3xf32"],
  attrs: { pairs },
  mlir: `channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, source_target_pairs = ${text}`,
});
refuses(ops.collectivePermute, {
  C1: along([[0, 1, 2]], "dense<[[0, 1, 2]]> : tensor<1x3xi64>"),
  C2: along(
    [
      [0, 1],
      [0, 2],
    ],
    "dense<[[0, 1], [0, 2]]> : tensor<2x2xi64>",
  ),
  C3: along(
    [
      [0, 1],
      [2, 1],
    ],
    "dense<[[0, 1], [2, 1]]> : tensor<2x2xi64>",
  ),
  C4: along([[0, -1]], "dense<[[0, -1]]> : tensor<1x2xi64>"),
  C5: { ...along([[0, 1]], "dense<[[0, 1]]> : tensor<1x2xi64>"), results: ["3x2xf32"] },
});
