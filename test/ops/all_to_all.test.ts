import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

// One device is a group of its own here; what several devices say to each other is in test/parallel/per_device.test.ts.
const use = fc.tuple(anyShape({ min: 1 }), fc.constantFrom(...dtypes.any), fc.nat(), fc.nat()).map(
  ([shape, dtype, d, e]): Use => ({
    inputs: [{ shape, dtype }],
    build: (b, x) => b.allToAll(x!, d % shape.length, e % shape.length, [[0]]),
    jax: "lambda x: x",
  }),
);
agrees("all_to_all", use, { uses: 4 });

const over = (
  split: number,
  concat: number,
  count: number,
  groups: number[][] = [[0, 1]],
  text = "dense<[[0, 1]]> : tensor<1x2xi64>",
) => ({
  attrs: { split, concat, count, groups },
  mlir: `channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, concat_dimension = ${concat} : i64, replica_groups = ${text}, split_count = ${count} : i64, split_dimension = ${split} : i64`,
});
refuses(ops.allToAll, {
  C1: { operands: ["4x6xf32"], results: ["4x6xf32"], ...over(2, 0, 2) },
  C2: { operands: ["3x6xf32"], results: ["1x12xf32"], ...over(0, 1, 2) },
  C3: { operands: ["4x6xf32"], results: ["4x6xf32"], ...over(0, -1, 2) },
  C4: { operands: ["4x6xf32"], results: ["4x6xf32"], ...over(0, 1, 0) },
  C5: { operands: ["4x6xf32"], results: ["2x12xf32"], ...over(0, 1, 2, [[1, 1]], "dense<1> : tensor<1x2xi64>") },
  C7: { operands: ["4x6xf32"], results: ["2x12xf32"], ...over(0, 1, 2, [[0, 2]], "dense<[[0, 2]]> : tensor<1x2xi64>") },
  C8: { operands: ["4x6xf32"], results: ["1x24xf32"], ...over(0, 1, 4) },
  C9: { operands: ["4x6xf32"], results: ["2x6xf32"], ...over(0, 1, 2) },
});
