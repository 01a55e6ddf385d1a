import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

// One device is a group of its own here; what several devices say to each other is in test/parallel/per_device.test.ts.
const use = fc.tuple(anyShape({ min: 1 }), fc.constantFrom(...dtypes.any), fc.nat()).map(
  ([shape, dtype, d]): Use => ({
    inputs: [{ shape, dtype }],
    build: (b, x) => b.allGather(x!, d % shape.length, [[0]]),
    jax: "lambda x: x",
  }),
);
agrees("all_gather", use, { uses: 4 });

const over = (dimension: number, groups: number[][], text: string) => ({
  attrs: { dimension, groups },
  mlir: `all_gather_dim = ${dimension} : i64, channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, replica_groups = ${text}, use_global_device_ids`,
});
const PAIR = "dense<[[0, 1]]> : tensor<1x2xi64>";
refuses(ops.allGather, {
  C1: { operands: ["2x3xf32"], results: ["2x3xf32"], ...over(2, [[0, 1]], PAIR) },
  C2: { operands: ["2x3xf32"], results: ["4x3xf32"], ...over(0, [[0, 0]], "dense<0> : tensor<1x2xi64>") },
  C4: { operands: ["2x3xf32"], results: ["4x3xf32"], ...over(0, [[0, 2]], "dense<[[0, 2]]> : tensor<1x2xi64>") },
  C6: [
    { operands: ["2x3xf32"], results: ["2x6xf32"], ...over(0, [[0, 1]], PAIR) },
    { operands: ["2x3xf32"], results: ["4x3xf16"], ...over(0, [[0, 1]], PAIR) },
  ],
});
