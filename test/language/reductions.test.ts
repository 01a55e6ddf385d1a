/** Reductions along named axes, what is built of them, and in what they accumulate. */
import { argmax, cumsum, logSoftmax, logSumExp, ones, softmax } from "../../ops/functions.js";
import type { Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { agrees, type Case, f32, i1, i32, type Range } from "./harness.js";

const narrow = ["bf16", "f16"] as const;
/** Few values: several elements share the largest. */
const ties: Range = { min: -2 / 64, max: 2 / 64 };

const over = (method: "sum" | "mean" | "max" | "min" | "prod", range: Range = {}, more: Partial<Case> = {}): Case => ({
  inputs: [f32("a b c", range)],
  run: (x: Tensor) => [x[method]("b"), x[method](["c", "a"]), x[method](["a", "b", "c"]), x[method]([])],
  jax: `lambda x: (x.${method}(1), x.${method}((0, 2)), x.${method}(), x)`,
  out: ["a c", "b", "", "a b c"],
  also: narrow,
  ...more,
});

agrees("reductions", {
  sum: over("sum"),
  mean: over("mean"),
  max: over("max"),
  "max with ties": over("max", ties),
  min: over("min"),
  "min with ties": over("min", ties),
  prod: over("prod", { min: 0.5, max: 2 }),
  "prod with zeros": over("prod", { min: -1 / 64, max: 1 / 64 }, { derivatives: 1, also: [] }),
  "of integers": {
    inputs: [i32("a b", { min: -9, max: 9 })],
    run: (x: Tensor) => [x.sum("a"), x.prod("a"), x.max("a"), x.min(["a", "b"])],
    jax: "lambda x: (x.sum(0), x.prod(0), x.max(0), x.min())",
    out: [i32("b"), i32("b"), i32("b"), i32("")],
  },
  "all, any": {
    inputs: [i1("a b c")],
    run: (x: Tensor) => [x.all("b"), x.any(["a", "c"])],
    jax: "lambda x: (x.all(1), x.any((0, 2)))",
    out: [i1("a c"), i1("b")],
  },
});

const along = (run: (x: Tensor) => unknown, jax: string, range: Range = {}, more: Partial<Case> = {}): Case => ({
  inputs: [f32("a b c", range)],
  run,
  jax: `lambda x: ${jax}`,
  out: "a b c",
  also: narrow,
  ...more,
});

agrees("along an axis", {
  logSumExp: along((x) => logSumExp(x, "b"), "nn.logsumexp(x, 1)", {}, { out: "a c" }),
  softmax: along((x) => softmax(x, "b"), "nn.softmax(x, 1)"),
  logSoftmax: along((x) => logSoftmax(x, "b"), "nn.log_softmax(x, 1)"),
  cumsum: along((x) => cumsum(x, "b"), "jnp.cumsum(x.astype(jnp.float32), 1).astype(x.dtype)"),
  "cumsum of a long axis": {
    ...along((x) => cumsum(x, "a"), "jnp.cumsum(x.astype(jnp.float32), 0).astype(x.dtype)"),
    inputs: [f32("a:37 b")],
    out: "a b",
  },
  "cumsum of integers": {
    inputs: [i32("a:5 b", { min: -9, max: 9 })],
    run: (x) => cumsum(x, "a"),
    jax: "lambda x: jnp.cumsum(x, 0)",
    out: i32("a b"),
  },
  argmax: along((x) => argmax(x, "b"), "jnp.argmax(x, 1)", {}, { out: i32("a c") }),
  "argmax with ties": along((x) => argmax(x, "b"), "jnp.argmax(x, 1)", ties, { out: i32("a c") }),
  "argmax with infinities and NaN": along(
    (x) => argmax(x, "b"),
    "jnp.argmax(x, 1)",
    { special: true },
    { out: i32("a c"), derivatives: 0 },
  ),
  "argmax of integers": {
    inputs: [i32("a b", { min: 0, max: 2 })],
    run: (x) => argmax(x, "b"),
    jax: "lambda x: jnp.argmax(x, 1)",
    out: i32("a"),
  },
});

describe("16-bit floats", () => {
  test.each(["bf16", "f16"] as const)("sums, means and products of %s are accumulated in float32", async (dtype) => {
    const [sum, mean, product, running] = await evaluate(() => {
      const x = ones({ n: 4096 }, dtype).add(0);
      return [
        x.sum("n"),
        x.mul(3).mean("n"),
        x
          .add(2 ** -7)
          .slice("n", 0, 64)
          .prod("n"),
        cumsum(x, "n").at("n", -1),
      ];
    });
    // Added one by one in 8 or 11 bits, the sum stays at 256 or 2048.
    expect([sum, mean, running].map((t) => t!.data![0])).toEqual([4096, 3, 4096]);
    expect(product!.data![0]).toBeCloseTo((1 + 2 ** -7) ** 64, 1);
  });
});

describe("masked rows", () => {
  test("a row of minus infinities gives zeros in softmax, minus infinity in logSumExp, and no NaN in gradients", async () => {
    const { grad } = await import("../../ops/control.js");
    const [p, l, gp, gl] = await evaluate(() => {
      const x = ones({ row: 2, key: 3 }).mul(-Infinity);
      return [
        softmax(x, "key"),
        logSumExp(x, "key"),
        grad((y: Tensor<"row" | "key">) => softmax(y, "key").sum(["row", "key"]))(x),
        grad((y: Tensor<"row" | "key">) => logSumExp(y, "key").sum("row"))(x),
      ];
    });
    expect(Array.from(p!.data as Float32Array)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(Array.from(l!.data as Float32Array)).toEqual([-Infinity, -Infinity]);
    expect(Array.from(gp!.data as Float32Array)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(Array.from(gl!.data as Float32Array)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
