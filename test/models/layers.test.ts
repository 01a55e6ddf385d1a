/** Layers against JAX: values and derivatives, with the weights as inputs. */
import { mapLeaves } from "../../compiler/tree.js";
import {
  Attention,
  attention,
  chunkedCrossEntropy,
  crossEntropy,
  Dropout,
  Embedding,
  GatedMlp,
  LayerNorm,
  Linear,
  Mlp,
  RmsNorm,
  rotary,
  sinusoidalPositions,
  tokenLosses,
} from "../../models/layers/index.js";
import { dropping } from "../../models/lora.js";
import { iota, zeros } from "../../ops/functions.js";
import type { Module } from "../../ops/module.js";
import { key } from "../../ops/random.js";
import type { Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { agrees, f32, i32 } from "../language/harness.js";

/** A module with the given parameters (in the order of its fields), as float32 like every master weight. */
const withWeights = <M extends Module>(module: M, weights: readonly Tensor[]): M => {
  let i = 0;
  return mapLeaves(module, () => weights[i++]!.cast("f32"));
};

/** Second derivatives of a sum of many: of small terms, for float32 to tell its sine. */
const UNIT = { min: -1, max: 1 };

const layerNorm = "lambda x, g, b: (jax.nn.standardize(x.astype(jnp.float32), epsilon=1e-5) * g + b).astype(x.dtype)";
const rmsNorm =
  "lambda x, g: (x.astype(jnp.float32) * lax.rsqrt((x.astype(jnp.float32) ** 2).mean(-1, keepdims=True) + 1e-5) * g).astype(x.dtype)";
const turn =
  "lambda x, p: (lambda a: jnp.concatenate([x[..., :2] * jnp.cos(a) - x[..., 2:] * jnp.sin(a), x[..., 2:] * jnp.cos(a) + x[..., :2] * jnp.sin(a)], -1).astype(x.dtype))(p[:, :, None, None] * 100.0 ** -jnp.array([0, 0.5]))";

/** Sums of so many losses are divided by it: of a sine of a large sum float32 does not give the second derivative to 2e-5. */
const FEW = 16;

agrees("layers", {
  "Linear from one axis to two": {
    inputs: [f32("batch seq embed"), f32("embed heads headDim"), f32("heads headDim")],
    run: (x, ...w) => withWeights(new Linear({ embed: 1 }, { heads: 1, headDim: 1 }), w).call(x),
    jax: "lambda x, w, b: jnp.einsum('bse,ehd->bshd', x, w) + b",
    out: "batch seq heads headDim",
    also: ["bf16"],
  },
  "Linear from two axes to one, without a bias": {
    inputs: [f32("batch heads headDim"), f32("heads headDim embed")],
    run: (x, ...w) => withWeights(new Linear({ heads: 1, headDim: 1 }, { embed: 1 }, { bias: false }), w).call(x),
    jax: "lambda x, w: jnp.einsum('bhd,hde->be', x, w)",
    out: "batch embed",
    also: ["bf16"],
  },
  "Embedding, numbers outside of the table clamped": {
    inputs: [f32("vocab:5 embed"), i32("batch seq", { min: -2, max: 7 })],
    run: (w, at) => withWeights(new Embedding({ vocab: 5 }, { embed: 1 }), [w]).call(at),
    jax: "lambda w, at: w[jnp.clip(at, 0, 4)]",
    out: "batch seq embed",
  },
  "Embedding with a large table": {
    inputs: [f32("vocab:3000 embed:2"), i32("batch seq", { min: 0, max: 2999 })],
    run: (w, at) => withWeights(new Embedding({ vocab: 3000 }, { embed: 2 }), [w]).call(at),
    jax: "lambda w, at: w[at]",
    out: "batch seq embed",
  },
  LayerNorm: {
    inputs: [f32("batch seq embed:8"), f32("embed:8"), f32("embed:8")],
    run: (x, ...w) => withWeights(new LayerNorm({ embed: 8 }), w).call(x),
    jax: layerNorm,
    out: "batch seq embed",
    also: ["bf16"],
  },
  "LayerNorm without a bias, over two axes": {
    inputs: [f32("batch seq:2 embed:5"), f32("seq:2 embed:5")],
    run: (x, ...w) => withWeights(new LayerNorm({ seq: 2, embed: 5 }, { bias: false, epsilon: 0.1 }), w).call(x),
    jax: "lambda x, g: jax.nn.standardize(x, axis=(1, 2), epsilon=0.1) * g",
    out: "batch seq embed",
  },
  RmsNorm: {
    inputs: [f32("batch seq embed:8"), f32("embed:8")],
    run: (x, ...w) => withWeights(new RmsNorm({ embed: 8 }), w).call(x),
    jax: rmsNorm,
    out: "batch seq embed",
    also: ["bf16"],
  },
  "Dropout: bits of jax.random.bernoulli, the rest scaled up": {
    inputs: [f32("batch:3 embed:40")],
    // In whichever order the axes are handed over.
    run: (x) => new Dropout(0.25).call(x, key(7)),
    jax: "lambda x: jnp.where(random.bernoulli(random.key(7), 0.75, x.shape), x / 0.75, 0)",
    out: "batch embed",
    also: ["bf16"],
  },
  sinusoidalPositions: {
    inputs: [i32("batch seq", { min: 0, max: 500 })],
    run: (at) => sinusoidalPositions(at, { embed: 6 }),
    jax: "lambda at: (lambda a: jnp.concatenate([jnp.sin(a), jnp.cos(a)], -1))(at[..., None] * 10000.0 ** (-jnp.arange(3) / 3))",
    out: "batch seq embed:6",
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  rotary: {
    inputs: [f32("batch seq heads headDim:4"), i32("batch seq", { min: 0, max: 50 })],
    run: (x, at) => rotary(x, at, "headDim", { theta: 100 }),
    jax: turn,
    out: "batch seq heads headDim",
    also: ["bf16"],
  },
  Mlp: {
    inputs: [f32("batch embed"), f32("embed mlp"), f32("mlp"), f32("mlp embed"), f32("embed")],
    run: (x, ...w) => withWeights(new Mlp({ embed: 1 }, { mlp: 1 }), w).call(x),
    jax: "lambda x, u, a, d, b: jax.nn.gelu(x @ u + a) @ d + b",
    out: "batch embed",
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
  GatedMlp: {
    inputs: [f32("batch embed"), f32("embed mlp"), f32("embed mlp"), f32("mlp embed")],
    run: (x, ...w) => withWeights(new GatedMlp({ embed: 1 }, { mlp: 1 }), w).call(x),
    jax: "lambda x, g, u, d: (jax.nn.silu(x @ g) * (x @ u)) @ d",
    out: "batch embed",
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
  "cross-entropy of each target": {
    inputs: [f32("batch seq vocab:7"), i32("batch seq", { min: -1, max: 6 })],
    run: (x, at) => tokenLosses(x, at),
    jax: "lambda x, at: optax.softmax_cross_entropy_with_integer_labels(x.astype(jnp.float32), at) * (at >= 0)",
    out: f32("batch seq"),
  },
  "cross-entropy of a sequence, and how many targets it has": {
    inputs: [f32("batch seq vocab:7"), i32("batch seq", { min: -1, max: 6 })],
    run: (x, at) => {
      const { sum, count } = crossEntropy(x, at);
      return [sum, count];
    },
    jax: "lambda x, at: [(optax.softmax_cross_entropy_with_integer_labels(x, at) * (at >= 0)).sum(), (at >= 0).sum().astype(jnp.float32)]",
    out: ["", ""],
  },
  ...Object.fromEntries(
    [1, 3, 6].map((chunks) => [
      `cross-entropy of a head with a bias, in ${chunks} chunks of the sequence`,
      {
        inputs: [
          f32("batch seq:6 embed", UNIT),
          i32("batch seq:6", { min: -1, max: 6 }),
          f32("embed vocab:7", UNIT),
          f32("vocab:7", UNIT),
        ],
        run: (x: Tensor, at: Tensor, ...w: Tensor[]) => {
          const model = withWeights(new Linear({ embed: 1 }, { vocab: 1 }), w);
          const { sum, count } = chunkedCrossEntropy(model, (m, x) => m.call<"batch" | "seq">(x), x, at, 6 / chunks);
          return [sum.div(FEW), count];
        },
        jax: `lambda x, at, w, b: [(optax.softmax_cross_entropy_with_integer_labels((x @ w + b).astype(jnp.float32), at) * (at >= 0)).sum() / ${FEW}, (at >= 0).sum().astype(jnp.float32)]`,
        out: ["", ""],
      },
    ]),
  ),
  "Linear with an adapter, from two axes to two, in a stack of layers": {
    inputs: [
      f32("layers batch heads headDim", UNIT),
      f32("layers heads headDim embed part", UNIT),
      f32("embed part", UNIT),
      f32("layers heads headDim rank", UNIT),
      f32("layers rank embed part", UNIT),
    ],
    run: (x, w, bias, a, b) => {
      const linear = new Linear({ heads: 1, headDim: 1 }, { embed: 1, part: 1 });
      linear.adapt({ rank: 1, scale: 0.5 });
      return withWeights(linear, [w, bias, a, b]).call(x);
    },
    jax: "lambda x, w, bias, a, b: jnp.einsum('lbhd,lhdep->lbep', x, w + 0.5 * jnp.einsum('lhdr,lrep->lhdep', a, b)) + bias",
    out: "layers batch embed part",
  },
});

const HASH = `(lambda path: __import__("functools").reduce(lambda h, c: ((h ^ ord(c)) * 0x01000193) % 2**32, path, 0x811c9dc5) >> 1)`;

agrees("adapters that drop a part of their input", {
  "in a stack of layers, each by a key of its own": {
    inputs: [
      f32("layers:3 batch heads headDim", UNIT),
      f32("layers:3 heads headDim embed", UNIT),
      f32("layers:3 heads headDim rank", UNIT),
      f32("layers:3 rank embed", UNIT),
    ],
    run: (x, ...w) => {
      const linear = new Linear({ heads: 1, headDim: 1 }, { embed: 1 }, { bias: false, of: { layers: 3 } });
      linear.adapt({ rank: 1, scale: 0.5, dropout: 0.25 });
      return dropping({ output: withWeights(linear, w) }, () => key(7)).output.call(x);
    },
    jax: `lambda x, w, a, b: (lambda dropped: jnp.einsum("lbhd,lhde->lbe", x, w) + 0.5 * jnp.einsum("lbhd,lhdr,lre->lbe", dropped, a, b))(
      jnp.stack([jnp.where(random.bernoulli(k, 0.75, (x.shape[1], x.shape[3], x.shape[2])).swapaxes(1, 2), x[i] / 0.75, 0)
        for i, k in enumerate(random.split(random.fold_in(random.key(7), ${HASH}("output/lora")), 3))]))`,
    out: "layers:3 batch embed",
  },
  "without a key nothing is dropped": {
    inputs: [f32("batch embed", UNIT), f32("embed mlp", UNIT), f32("embed rank", UNIT), f32("rank mlp", UNIT)],
    run: (x, ...w) => {
      const linear = new Linear({ embed: 1 }, { mlp: 1 }, { bias: false });
      linear.adapt({ rank: 1, scale: 2, dropout: 0.5 });
      return withWeights(linear, w).call(x);
    },
    jax: "lambda x, w, a, b: x @ w + 2 * x @ a @ b",
    out: "batch mlp",
  },
  "of a head, each chunk of the sequence by a key of its own": {
    inputs: [
      f32("batch seq:6 embed", UNIT),
      i32("batch seq:6", { min: -1, max: 6 }),
      f32("embed vocab:7", UNIT),
      f32("embed rank", UNIT),
      f32("rank vocab:7", UNIT),
    ],
    run: (x: Tensor, at: Tensor, ...w: Tensor[]) => {
      const linear = new Linear({ embed: 1 }, { vocab: 1 }, { bias: false });
      linear.adapt({ rank: 1, scale: 0.5, dropout: 0.25 });
      const model = dropping(withWeights(linear, w), () => key(7));
      return chunkedCrossEntropy(model, (m, x) => m.call<"batch" | "seq">(x), x, at, 2).sum.div(FEW);
    },
    jax: `lambda x, at, w, a, b: (lambda dropped: (optax.softmax_cross_entropy_with_integer_labels(x @ w + 0.5 * dropped @ a @ b, at)
      * (at >= 0)).sum() / ${FEW})(jnp.concatenate([jnp.where(random.bernoulli(random.fold_in(random.fold_in(random.key(7), ${HASH}("lora")), i),
        0.75, (x.shape[2], 2, x.shape[0])).transpose(2, 1, 0), x[:, 2 * i : 2 * i + 2] / 0.75, 0) for i in range(3)], 1))`,
    out: "",
  },
});

describe("what layers refuse, at trace", () => {
  const refused = async (f: () => unknown) => expect(evaluate(f)).rejects.toThrowErrorMatchingSnapshot();
  const sized = (...names: string[]) => zeros(Object.fromEntries(names.map((n) => [n, 4]))) as Tensor;

  test("an input that has the axes of the output", () =>
    refused(() => new Linear({ embed: 4 }, { mlp: 4 }).call(sized("batch", "embed", "mlp"))));
  test("an input of another width", () =>
    refused(() => new Linear({ embed: 5 }, { mlp: 4 }).call(sized("batch", "embed"))));
  test("pairs of an odd width", () => refused(() => sinusoidalPositions(iota({ seq: 3 }), { embed: 5 })));
  test("a rate of dropout", () => refused(() => new Dropout(1)));
  test("heads that do not divide the width", () => refused(() => new Attention({ embed: 10, heads: 4 })));
  test("a cache without positions", () =>
    refused(() =>
      new Attention({ embed: 4, heads: 1 }).call(sized("batch", "seq", "embed"), {
        cache: { key: sized("batch", "key", "kvHeads", "headDim"), value: sized("batch", "key", "kvHeads", "headDim") },
      }),
    ));
  test("keys with an axis that queries have not", () =>
    refused(() =>
      attention(
        sized("seq", "headDim"),
        sized("heads", "key", "headDim") as never,
        sized("heads", "key", "headDim") as never,
      ),
    ));
});
