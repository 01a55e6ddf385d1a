import fc from "fast-check";
import {
  canonical,
  encode,
  execute,
  expectAllClose,
  expectClose,
  jaxEval,
  jaxVjp,
  normal,
  numbers,
  relativeError,
  shapes,
  tensor,
  tensors,
  tokens,
  trainNanogpt,
  verify,
} from "./oracle.js";

const ADD = `
func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %y = stablehlo.add %x, %x : tensor<3xf32>
  return %y : tensor<3xf32>
}`;

test("JAX computes a function given as source", async () => {
  const x = tensor("f32", [3], [0, 1, 2]);
  const [y, count] = await jaxEval("lambda x: (x * 2, jnp.sum(x > 0))", [x]);
  expectClose(y!, tensor("f32", [3], [0, 2, 4]));
  expectClose(count!, tensor("i32", [], [2]));
});

test("JAX's 64-bit mode keeps 64 bits, and is off without it", async () => {
  const x = tensor("f64", [1], [1 / 3]);
  const of = async (x64: boolean) => (await jaxEval("lambda x: x + 1", [x], { x64 }))[0]?.dtype;
  expect([await of(true), await of(false)]).toEqual(["f64", "f32"]);
});

test("JAX differentiates a function, integers apart", async () => {
  const [x, i] = [tensor("f32", [2], [3, 5]), tensor("i32", [2], [1, 0])];
  const { outputs, grads } = await jaxVjp("lambda x, i: (x[i] ** 2, i)", [x, i], [tensor("f32", [2], [1, 10])]);
  expectAllClose(outputs, [tensor("f32", [2], [25, 9]), i]);
  expectAllClose(grads, [tensor("f32", [2], [60, 10])]);
});

test("a program is verified, printed and run by the real compiler", async () => {
  expect(await verify(ADD)).toBeUndefined();
  expect(await verify(ADD.replace("stablehlo.add", "stablehlo.nothing"))).toMatch(/nothing/);
  expect(await canonical(ADD)).toMatch(/%0 = stablehlo.add %arg0, %arg0/);
  const x = normal([3]);
  expectAllClose(await execute(ADD, [x]), await jaxEval("lambda x: x + x", [x]));
});

test("the reference model trains from given weights", async () => {
  const config = { vocab: 16, layers: 2, heads: 2, embed: 8, mlp: 32, block: 4, batch: 2 };
  const sizes: Record<string, number[]> = {
    "tokens.weight": [16, 8],
    "blocks.attentionNorm.scale": [2, 8],
    "blocks.attention.query.weight": [2, 8, 2, 4],
    "blocks.attention.key.weight": [2, 8, 2, 4],
    "blocks.attention.value.weight": [2, 8, 2, 4],
    "blocks.attention.output.weight": [2, 2, 4, 8],
    "blocks.mlpNorm.scale": [2, 8],
    "blocks.mlp.up.weight": [2, 8, 32],
    "blocks.mlp.down.weight": [2, 32, 8],
    "norm.scale": [8],
    "head.weight": [8, 16],
  };
  const weights = Object.fromEntries(Object.entries(sizes).map(([name, shape], i) => [name, normal(shape, i)]));
  const batches = tokens([4, 2, 4], 16);
  const trained = await trainNanogpt(weights, batches, batches, config);
  const scanned = await trainNanogpt(weights, batches, batches, { ...config, scan: true });
  expect(trained.losses).toHaveLength(4);
  for (const name of Object.keys(sizes)) {
    expect(trained.weights[name]?.shape).toEqual(sizes[name]);
    expect(relativeError(trained.weights[name]!, weights[name]!)).toBeGreaterThan(0);
    expect(relativeError(trained.weights[name]!, scanned.weights[name]!)).toBeLessThan(1e-5);
  }
});

test("a difference is told by its place", () => {
  const expected = tensor("f32", [2, 2], [1, 2, 3, 4]);
  expect(() => expectClose(tensor("f32", [2, 2], [1, 2, 3.5, 4.001]), expected)).toThrowErrorMatchingInlineSnapshot(
    `"2 of 4 elements of tensor<2x2xf32> are off (rtol 0.00001, atol 0.000001); the worst at [1, 0]: expected 3, got 3.5, 1.61e+4 times the tolerance"`,
  );
  expect(() => expectClose(tensor("f32", [4], [1, 2, 3, 4]), expected)).toThrow("expected tensor<2x2xf32>");
  const nan = tensor("f32", [2], [Number.NaN, Number.POSITIVE_INFINITY]);
  expectClose(nan, nan);
  expect(() => expectClose(tensor("f32", [2], [Number.NaN, 3e38]), nan)).toThrow("[1]: expected Infinity");
  expect(() => expectClose(tensor("f32", [2], [0, Number.POSITIVE_INFINITY]), nan)).toThrow("[0]: expected NaN");
});

test("numbers survive their bytes, rounded as numpy rounds them", async () => {
  const types = { f32: "float32", bf16: "jnp.bfloat16", f16: "float16" };
  for (const [dtype, name] of Object.entries(types)) {
    await fc.assert(
      fc.asyncProperty(
        shapes({ max: 2 }).chain((shape) => tensors("f64", shape, { special: true })),
        async (x) => {
          // float64 -> float32 -> target, the way of XLA's and of ours for bfloat16; float16 is rounded at once by both.
          const source = `lambda: np.asarray(${JSON.stringify(numbers(x).map(String))}, "float64").astype("float32").astype(${name.startsWith("jnp") ? name : `"${name}"`})`;
          const single = numbers(encode("f32", x.shape, numbers(x)));
          const ours = encode(dtype, [single.length], single);
          const [theirs] = await jaxEval(source, []);
          expectClose(ours, theirs!, { rtol: 0, atol: 0 });
        },
      ),
      { numRuns: 20 },
    );
  }
});
