/** Random numbers equal, bit for bit, those of `jax.random` with the same key. */
import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { tensor } from "../../ops/array.js";
import { scan } from "../../ops/control.js";
import * as random from "../../ops/random.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { encode, expectClose, jaxEval } from "../oracle/oracle.js";
import { inOrder } from "./harness.js";

const full = process.env.XENARC_FULL === "1";
const SEED = full ? Date.now() % 2 ** 31 : 1;

/** Sizes along the axes a0, a1, ... */
const sizesOf = (shape: readonly number[]): Record<string, number> =>
  Object.fromEntries(shape.map((n, d) => [`a${d}`, n]));
const python = (shape: readonly number[]): string => `(${shape.map((n) => `${n},`).join("")})`;

/** A draw in the language, and in Python from a key `k` for a shape. */
interface Draw {
  readonly run: (key: random.Key, sizes: Record<string, number>) => Tensor;
  readonly jax: (shape: string) => string;
}
const PYTHON: Partial<Record<DType, string>> = { f32: "float32", bf16: "bfloat16", f16: "float16", f64: "float64" };
const perFloat = (f: (dtype: DType, python: string) => Draw): Draw[] =>
  (["f32", "bf16", "f16", "f64"] as const).map((d) => f(d, `jnp.${PYTHON[d]}`));

const draws: Readonly<Record<string, readonly Draw[]>> = {
  bits: ([32, 8, 16, 64] as const).map((width) => ({
    run: (k, sizes) => random.bits(k, sizes, width),
    jax: (shape) => `random.bits(k, ${shape}, jnp.uint${width})`,
  })),
  uniform: perFloat((dtype, python) => ({
    run: (k, sizes) => random.uniform(k, sizes, -3, 0.7, dtype),
    jax: (shape) => `random.uniform(k, ${shape}, ${python}, -3, 0.7)`,
  })),
  normal: perFloat((dtype, python) => ({
    run: (k, sizes) => random.normal(k, sizes, dtype),
    jax: (shape) => `random.normal(k, ${shape}, ${python})`,
  })),
  truncatedNormal: perFloat((dtype, python) => ({
    run: (k, sizes) => random.truncatedNormal(k, sizes, -2, 1.5, dtype),
    jax: (shape) => `random.truncated_normal(k, -2, 1.5, ${shape}, ${python})`,
  })),
  gumbel: perFloat((dtype, python) => ({
    run: (k, sizes) => random.gumbel(k, sizes, dtype),
    jax: (shape) => `random.gumbel(k, ${shape}, ${python})`,
  })),
  bernoulli: [
    {
      run: (k, sizes) => random.bernoulli(k, 0.3, sizes),
      jax: (shape) => `random.bernoulli(k, jnp.float32(0.3), ${shape})`,
    },
  ],
  randint: (
    [
      [-5, 100, "i32", "int32"],
      [0, 3, "i32", "int32"],
      [-(2 ** 31), 2 ** 31, "i32", "int64"],
      [0, 2 ** 32, "ui32", "int64"],
      [0, 200_000, "i32", "int32"],
      [-(2 ** 31), 2 ** 30, "i32", "int32"],
      [-128, 128, "i8", "int32"],
      [0, 256, "ui8", "int32"],
      [-9, 9, "i16", "int32"],
    ] as const
  ).map(([low, high, dtype, bound]) => ({
    run: (k, sizes) => random.randint(k, sizes, low, high, dtype),
    jax: (shape) =>
      `random.randint(k, ${shape}, jnp.${bound}(${low}), jnp.${bound}(${high}), jnp.${dtype.replace("u", "u").replace("i", "int").replace("uint", "uint")})`,
  })),
};

/** Sizes that are odd, 0 and 1, more than 2^16, and of several axes, in this order. */
const FIXED = [[], [0], [1], [7], [2, 0, 3], [2 ** 16 + 1], [3, 1, 5]];
const cases = fc.sample(
  fc.record({
    key: fc.tuple(fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1)),
    shapes: fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }), { minLength: 1, maxLength: 1 }),
  }),
  { numRuns: full ? 10 : 1, seed: SEED },
);

const keyData = (words: readonly number[]) => tensor({ threefry: 2 }, Uint32Array.from(words), "ui32");

test.each(Object.keys(draws))(
  "%s",
  async (name) => {
    for (const { key, shapes } of cases) {
      // All shapes for the first of a kind, few for its variants: it is JAX whose compilation takes the time.
      const uses = draws[name]!.flatMap((draw, i) =>
        [...(i === 0 ? FIXED : [[7]]), ...shapes].map((shape) => ({ shape, draw })),
      );
      const calls = uses.map(({ shape, draw }) => draw.jax(python(shape)));
      const actual = await evaluate((k) => uses.map(({ shape, draw }) => draw.run(k, sizesOf(shape))), keyData(key));
      for (const x64 of [false, true]) {
        const chosen = uses.flatMap((_, i) => (/64/.test(calls[i]!) === x64 ? [i] : []));
        if (chosen.length === 0) continue;
        const source = `lambda k: (lambda k: [${chosen.map((i) => calls[i]).join(", ")}])(random.wrap_key_data(k))`;
        const expected = await jaxEval(source, [encode("ui32", [2], key)], { x64 });
        chosen.forEach((i, n) => {
          try {
            expectClose(inOrder(actual[i]!, Object.keys(sizesOf(uses[i]!.shape))), expected[n]!, { rtol: 0, atol: 0 });
          } catch (error) {
            throw new Error(`${calls[i]} with the key ${key}: ${(error as Error).message}`);
          }
        });
      }
    }
  },
  120_000 * cases.length,
);

describe("keys", () => {
  const words = [2_555_555_555, 77] as const;
  const [jaxKey, ours] = [encode("ui32", [2], words), keyData(words)];
  const wrapped = (body: string) =>
    `lambda k, *a: (lambda k: jax.tree.map(lambda x: random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x, ${body}))(random.wrap_key_data(k))`;

  test("key", async () => {
    const seeds = [0, 1, 42, 2 ** 31, 2 ** 32 - 1];
    const expected = await jaxEval(
      `lambda: [random.key_data(random.key(np.uint32(s))) for s in ${JSON.stringify(seeds)}]`,
      [],
    );
    const actual = await evaluate(
      (seed: Tensor<"seed">) => [
        ...seeds.map((s) => random.key(s)),
        ...seeds.map((_, i) => random.key(seed.at("seed", i))),
      ],
      tensor({ seed: 5 }, Uint32Array.from(seeds), "ui32"),
    );
    actual.forEach((k, i) => expectClose(inOrder(k, ["threefry"]), expected[i % 5]!));
    const signed = await evaluate((s: Scalar) => random.key(s), tensor({}, [-1], "i32"));
    expectClose(inOrder(signed, ["threefry"]), (await jaxEval("lambda: random.key_data(random.key(-1))", []))[0]!);
    const wide = await evaluate((s: Scalar) => random.key(s), tensor({}, BigInt64Array.of(2n ** 40n + 7n), "i64"));
    expectClose(
      inOrder(wide, ["threefry"]),
      (await jaxEval("lambda: random.key_data(random.key(2**40 + 7))", [], { x64: true }))[0]!,
    );
  });

  test("split", async () => {
    const expected = await jaxEval(
      wrapped("[random.split(k), random.split(k, 1), random.split(k, (3, 4)), random.split(random.split(k, 5)[3], 2)]"),
      [jaxKey],
    );
    const actual = await evaluate(
      (k) => [
        random.split(k, { n: 2 }),
        random.split(k, { n: 1 }),
        random.split(k, { n: 3, m: 4 }),
        random.split(random.split(k, { m: 5 }).at("m", 3), { n: 2 }),
      ],
      ours,
    );
    const axes = [["n"], ["n"], ["n", "m"], ["n"]];
    actual.forEach((k, i) => expectClose(inOrder(k as Tensor, [...axes[i]!, "threefry"]), expected[i]!));
  });

  test("foldIn", async () => {
    const numbers = [0, 5, 2 ** 31, -1];
    const expected = await jaxEval(
      wrapped(`[random.fold_in(k, np.uint32(n % 2**32)) for n in ${JSON.stringify(numbers)}]`),
      [jaxKey],
    );
    const [each, together] = await evaluate(
      (k, n) => [numbers.map((m) => random.foldIn(k, m)), random.foldIn(k, n)] as const,
      ours,
      tensor({ n: 4 }, Int32Array.from(numbers), "i32"),
    );
    each.forEach((k, i) => expectClose(inOrder(k, ["threefry"]), expected[i]!));
    const rows = inOrder(together, ["n", "threefry"]);
    expectClose(
      rows,
      encode(
        "ui32",
        [4, 2],
        each.flatMap((k) => Array.from(k.data as Uint32Array)),
      ),
    );
  });

  test("several keys draw what each draws by itself, in one operation or in a scan", async () => {
    const expected = await jaxEval(wrapped("jax.vmap(lambda k: random.normal(k, (5,)))(random.split(k, 3))"), [jaxKey]);
    const [together, scanned] = await evaluate((k) => {
      const keys = random.split(k, { layer: 3 });
      const [, rows] = scan("layer", [], keys, (_, one) => [[], random.normal(one, { a: 5 })]);
      return [random.normal(keys, { a: 5 }), rows] as const;
    }, ours);
    for (const t of [together, scanned]) expectClose(inOrder(t, ["layer", "a"]), expected[0]!, { rtol: 0, atol: 0 });
  });

  test("counters go beyond 32 bits", async () => {
    // Of 2^33 numbers only the last four are computed: XLA fuses the slice with what it slices.
    const last = await evaluate(
      (k) =>
        random
          .bits(k, { a: 2 ** 17, b: 2 ** 16 })
          .at("a", -1)
          .slice("b", -4),
      ours,
    );
    const source =
      "lambda k: (lambda hi, lo: hi ^ lo)(*__import__('jax.extend.random').extend.random.threefry2x32_p.bind(k[0], k[1], jnp.full(4, 1, jnp.uint32), jnp.arange(2**32 - 4, 2**32, dtype=jnp.uint64).astype(jnp.uint32)))";
    expectClose(inOrder(last, ["b"]), (await jaxEval(source, [jaxKey], { x64: true }))[0]!);
  });
});

describe("choices", () => {
  const words = [11, 12] as const;
  const logits = Array.from({ length: 4 * 50 }, (_, i) => Math.sin(i * i));
  test.each(["f32", "bf16"] as const)("categorical with %s logits, whatever the order of their axes", async (dtype) => {
    const dims = { batch: 4, vocab: 50 };
    const [one, other] = await evaluate(
      (k, x) => [random.categorical(k, x, "vocab"), random.categorical(k, x.ordered(["vocab", "batch"]), "vocab")],
      keyData(words),
      tensor(dims, logits, dtype),
    );
    const [expected] = await jaxEval("lambda k, x: random.categorical(random.wrap_key_data(k), x)", [
      encode("ui32", [2], words),
      encode(dtype, [4, 50], logits),
    ]);
    for (const t of [one!, other!]) expectClose(inOrder(t, ["batch"]), expected!);
  });

  test("bernoulli with probabilities by axis", async () => {
    const p = [0.1, 0.5, 0.9];
    const actual = await evaluate(
      (k, q) => random.bernoulli(k, q, { n: 100, c: 3 }),
      keyData(words),
      tensor({ c: 3 }, p),
    );
    const [expected] = await jaxEval("lambda k, p: random.bernoulli(random.wrap_key_data(k), p, (100, 3))", [
      encode("ui32", [2], words),
      encode("f32", [3], p),
    ]);
    expectClose(inOrder(actual, ["n", "c"]), expected!);
  });
});
