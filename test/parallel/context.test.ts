/** Attention along a sequence that is split over the mesh, against JAX's on one device; training with it, against one device. */

import { z } from "zod";
import { type ContextOptions, Layout, type Mesh, makeMesh, type Rules } from "../../compiler/mesh.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { totalCost } from "../../compiler/plan/costs.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { mapLeaves } from "../../compiler/tree.js";
import { type Compilable, compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { defineModel } from "../../models/define.js";
import { type Hidden, LanguageModel } from "../../models/language_model.js";
import { inZigzag } from "../../models/layers/attention/context_parallel.js";
import {
  type AttentionOptions,
  attention,
  Embedding,
  hierarchical,
  PATHS,
  type Reach,
  RecurrentState,
} from "../../models/layers/index.js";
import { tensor } from "../../ops/array.js";
import { grad } from "../../ops/control.js";
import { dot, iota, scalar } from "../../ops/functions.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { temporaryFolder } from "../runtime/support.js";
import { type DeviceCase, difference, runOnDevices } from "./programs.js";
import { differing, trainAll } from "./support.js";

const folder = temporaryFolder();

interface Variant {
  readonly mesh: Readonly<Record<string, number>>;
  readonly context?: ContextOptions;
  readonly zigzag?: boolean;
  readonly seq: number;
  readonly blockSize: number;
  /** Given random numbers [batch, seq, key], and the queries. */
  readonly options: (random: Tensor, queries: Tensor) => AttentionOptions;
  /** Who sees whom, as JAX broadcasts it to [batch, heads, seq, key]; `n` is the length, x the random numbers. */
  readonly mask: string;
  /** The same attention in JAX, where it is not `jax.nn.dot_product_attention`; q, k and v [batch, n, heads, headDim]. */
  readonly attend?: string;
}

/** Positions in the order in which they lie on n devices: chunks i and 2n - 1 - i on device i. */
const zigzag = (seq: number, n: number): number[] => {
  const chunk = (c: number) => Array.from({ length: seq / (2 * n) }, (_, j) => (c * seq) / (2 * n) + j);
  return Array.from({ length: n }, (_, i) => [...chunk(i), ...chunk(2 * n - 1 - i)]).flat();
};

const PLAIN = "lambda q, k, v, m: jax.nn.dot_product_attention(q, k, v, mask=m)";
const CAPPED =
  "lambda q, k, v, m: jnp.einsum('bhst,bthd->bshd', jax.nn.softmax(jnp.where(m, jnp.tanh(jnp.einsum('bshd,bthd->bhst', q, jnp.repeat(k, 2, 2)) / 2 / 0.3) * 0.3, -jnp.inf)), jnp.repeat(v, 2, 2))";
/** Each head's sink is the mean of its queries. */
const WITH_SINKS =
  "lambda q, k, v, m: jnp.einsum('bhst,bthd->bshd', jax.nn.softmax(jnp.concatenate([jnp.where(m, jnp.einsum('bshd,bthd->bhst', q, jnp.repeat(k, 2, 2)) / 2, -jnp.inf), jnp.broadcast_to(q.mean((1, 3))[:, :, None, None], (2, 4, q.shape[1], 1))], -1))[..., :-1], jnp.repeat(v, 2, 2))";
/** Three sequences in a row, here and there. */
const segments = (x: Tensor) =>
  (x as Tensor)
    .at("key", 0)
    .gt(-0.3)
    .cast("i32")
    .add((x as Tensor).at("key", 0).gt(0.3).cast("i32")) as Tensor;
const PACKED =
  "(lambda s: (s[:, :, None] == s[:, None])[:, None])(((x[:, :, 0] > -0.3).astype(int) + (x[:, :, 0] > 0.3))[:, places])";
const CAUSAL = "jnp.tril(jnp.ones((n, n), bool))";
/** Those of the last `window` up to a query, and the first `globals`. */
const windowed = (window: string, globals: number) =>
  `(lambda i, j: (i >= j) & ((i - j < ${window}) | (j < ${globals})))(jnp.arange(n)[:, None], jnp.arange(n))`;
/** Attention and its gradients. In zigzag the inputs are as they would lie, and JAX brings them into order and its results out of it. */
function attentionCase({ mesh, context, seq, blockSize, options, mask, attend = PLAIN, ...v }: Variant): DeviceCase {
  const q = { batch: 2, seq, kvHeads: 2, group: 2, headDim: 4 };
  const k = { batch: 2, key: seq, kvHeads: 2, headDim: 4 };
  const layout = (m: Mesh) => {
    const plain = new Layout(m, {}, false, undefined, context);
    return v.zigzag ? plain.balanced() : plain;
  };
  const order = v.zigzag ? zigzag(seq, mesh.context!) : Array.from({ length: seq }, (_, i) => i);
  const places = order.map((_, i) => order.indexOf(i));
  return {
    mesh,
    layout,
    inputs: [q, k, k, { batch: 2, seq, key: seq }],
    run: (...[q, k, value, random]: Tensor[]) => {
      const attend = (xs: Tensor[]) => attention(xs[0]!, xs[1]!, xs[2]!, { ...options(random!, xs[0]!), blockSize });
      const weighted = (xs: Tensor[]) => {
        const y = attend(xs);
        return y.mul(q!).sin().sum(y.names) as unknown as Tensor<never>;
      };
      const all = [q!, k!, value!];
      const gradients = grad(weighted)(all);
      return [attend(all).ordered(q!.names), ...gradients.map((g, i) => g.ordered(all[i]!.names))];
    },
    jax: `(lambda n, order, places: (lambda attend: (lambda f: lambda *a: [f(*a), *jax.grad(lambda *a: jnp.sin(f(*a) * jax.lax.stop_gradient(a[0])).sum(), argnums=(0, 1, 2))(*a)])(lambda q, k, v, x: attend(q[:, places], k[:, places], v[:, places], x)[:, order]))(lambda q, k, v, x: (lambda m: (${attend})(q.reshape(2, n, 4, 4), k, v, m).reshape(q.shape) * m.any(-1).swapaxes(1, 2).reshape(2, n, 2, 2, 1))(jnp.broadcast_to(${mask}, (2, 4, n, n)))))(${seq}, np.array([${order}]), np.array([${places}]))`,
  };
}

const causal = { options: () => ({ causal: true }), mask: CAUSAL };
/** Some queries see no key. Rows and columns of the random numbers are as the sequence lies. */
const masked = {
  options: (x: Tensor) => ({
    causal: true,
    mask: x.gt(0).and((x as Tensor).slice("key", 0, 1).at("key", 0).gt(-0.5)) as Tensor,
  }),
  mask: `((x > 0) & (x[:, :, :1] > -0.5))[:, places][:, :, places][:, None] & ${CAUSAL}`,
};

const variants: Readonly<Record<string, Variant>> = {
  "ring, causal, in order": { mesh: { context: 8 }, seq: 32, blockSize: 2, ...causal },
  "ring, causal, zigzag": { mesh: { context: 8 }, seq: 32, blockSize: 64, zigzag: true, ...causal },
  "ring, blocks that do not fit, batch and heads split too": {
    mesh: { data: 2, context: 2, tensor: 2 },
    seq: 20,
    blockSize: 3,
    zigzag: true,
    ...causal,
  },
  "ring, all see all": {
    mesh: { data: 2, context: 4 },
    seq: 24,
    blockSize: 4,
    options: () => ({}),
    mask: "jnp.ones((n, n), bool)",
  },
  "ring, a mask, zigzag": { mesh: { context: 4 }, seq: 24, blockSize: 2, zigzag: true, ...masked },
  "ring, a window and capped scores, zigzag": {
    mesh: { context: 4 },
    seq: 24,
    blockSize: 2,
    zigzag: true,
    options: () => ({ causal: true, window: 7, softCap: 0.3 }),
    mask: `${CAUSAL} & ~jnp.tril(jnp.ones((n, n), bool), -7)`,
    attend: CAPPED,
  },
  "ring, a window and global tokens, zigzag": {
    mesh: { context: 4 },
    seq: 24,
    blockSize: 2,
    zigzag: true,
    options: () => ({ causal: true, window: 7, globals: 4 }),
    mask: windowed("7", 4),
  },
  "neighbours, a window, capped scores": {
    mesh: { context: 4 },
    seq: 24,
    blockSize: 2,
    options: () => ({ causal: true, window: 5, softCap: 0.3 }),
    mask: windowed("5", 0),
    attend: CAPPED,
  },
  "neighbours, a window, blocks that do not fit": {
    mesh: { context: 2 },
    seq: 36,
    blockSize: 4,
    options: () => ({ causal: true, window: 4 }),
    mask: windowed("4", 0),
  },
  "neighbours, windows in turn and global tokens, batch and heads split too": {
    mesh: { data: 2, context: 2, tensor: 2 },
    seq: 24,
    blockSize: 5,
    options: () => ({ causal: true, window: { kvHeads: [4, 9] }, globals: 3 }),
    mask: windowed("np.array([4, 4, 9, 9])[:, None, None]", 3),
  },
  "neighbours, global tokens, packed rows, sinks": {
    mesh: { data: 2, context: 4 },
    seq: 24,
    blockSize: 4,
    options: (x, q) => ({
      ...{ causal: true, window: 6, globals: 5, segments: segments(x) },
      sinks: q.mean(["seq", "headDim"]) as Tensor,
    }),
    mask: `${PACKED} & ${windowed("6", 5)}`,
    attend: WITH_SINKS,
  },
  "ring, packed rows, sinks, zigzag": {
    mesh: { data: 2, context: 4 },
    seq: 24,
    blockSize: 2,
    zigzag: true,
    options: (x, q) => ({ causal: true, segments: segments(x), sinks: q.mean(["seq", "headDim"]) as Tensor }),
    mask: `${PACKED} & ${CAUSAL}`,
    attend: WITH_SINKS,
  },
  "gathered, keys of other segments": {
    mesh: { context: 4 },
    context: { attention: "allgather" },
    seq: 24,
    blockSize: 4,
    options: (x) => ({
      segments: segments(x),
      keySegments: segments(x).minimum(1).rename("seq", "key") as Tensor,
    }),
    mask: `(lambda s: (s[:, :, None] == jnp.minimum(s, 1)[:, None])[:, None])((x[:, :, 0] > -0.3).astype(int) + (x[:, :, 0] > 0.3))`,
  },
  "ring, a mask of keys": {
    mesh: { context: 4 },
    seq: 16,
    blockSize: 3,
    options: (x) => ({ mask: (x as Tensor).at("seq", 0).gt(0) as Tensor }),
    mask: "(x[:, :1] > 0)[:, None]",
  },
  "ring, positions given": {
    mesh: { context: 4 },
    seq: 16,
    blockSize: 2,
    options: () => ({ causal: true, positions: (iota({ seq: 16 }) as Tensor).sub(3) as Tensor }),
    mask: "jnp.arange(n) <= jnp.arange(n)[:, None] - 3",
  },
  "gathered, causal, zigzag": {
    mesh: { data: 2, context: 4 },
    context: { attention: "allgather" },
    seq: 24,
    blockSize: 2,
    zigzag: true,
    ...causal,
  },
  "by heads, causal": {
    mesh: { data: 2, context: 2 },
    context: { attention: "alltoall" },
    seq: 24,
    blockSize: 4,
    ...causal,
  },
  "by heads, which are split already, a mask": {
    mesh: { tensor: 2, context: 2 },
    context: { attention: "alltoall" },
    seq: 24,
    blockSize: 5,
    ...masked,
  },
  "by heads, packed rows, sinks": {
    mesh: { data: 2, context: 2 },
    context: { attention: "alltoall" },
    seq: 24,
    blockSize: 4,
    options: (x, q) => ({ causal: true, segments: segments(x), sinks: q.mean(["seq", "headDim"]) as Tensor }),
    mask: `${PACKED} & ${CAUSAL}`,
    attend: WITH_SINKS,
  },
  "by heads, a window, capped scores, positions given": {
    mesh: { context: 2 },
    context: { attention: "alltoall" },
    seq: 24,
    blockSize: 4,
    options: () => ({ causal: true, window: 7, softCap: 0.3, positions: iota({ seq: 24 }) as Tensor }),
    mask: windowed("7", 0),
    attend: CAPPED,
  },
  "gathered, a mask": { mesh: { context: 8 }, context: { attention: "allgather" }, seq: 24, blockSize: 2, ...masked },
};

test("attention across devices is attention, with its gradients", async () => {
  const runs = await runOnDevices(folder, Object.values(variants).map(attentionCase));
  const found = Object.keys(variants).map((name, i) => [name, difference(runs[i]!)] as const);
  expect(found.filter(([, d]) => !(d < 1e-5))).toEqual([]);
}, 240_000);

/** Hierarchical attention and its gradients, of values of the run that let every path see something. */
const hierarchy = (mesh: Readonly<Record<string, number>>, blockSize: number, activations: Rules = {}): DeviceCase => {
  const [seq, options] = [24, { sinks: 2, maxGlobals: 4, unit: 2, blockSize }];
  const keys = { batch: 2, key: seq, kvHeads: 2, headDim: 4 };
  const reach = { window: 6, dilation: 2, globals: 3, chunk: 4 };
  const f = `lambda q, k, v, b, s: reference("hierarchical").attention(q, k, v, b, s, {**{n: jnp.full(2, x) for n, x in ${JSON.stringify(reach)}.items()}, "sparsity": jnp.full(2, 1.0)}, dict(sinks=2, maxGlobals=4, unit=2, block=${blockSize}))`;
  return {
    mesh,
    layout: (mesh) => new Layout(mesh, { activations }),
    inputs: [
      { batch: 2, seq, kvHeads: 2, group: 2, headDim: 4 },
      keys,
      keys,
      { batch: 2, seq, path: PATHS.length },
      { batch: 2, key: seq },
    ],
    run: (...given: Tensor[]) => {
      const number = (n: number, dtype: "i32" | "f32" = "i32") => scalar(n, dtype) as unknown as Tensor;
      const [window, dilation, globals, chunk] = Object.values(reach).map((n) => number(n));
      const all = { window, dilation, globals, chunk, sparsity: number(1, "f32") } as Reach;
      const attend = ([q, k, v, bias, selection]: Tensor[]) =>
        hierarchical(q!, k!, v!, all, bias!, selection!, options);
      const gradients = grad((xs: Tensor[]) => attend(xs).sin().sum(given[0]!.names) as unknown as Scalar)(given);
      return [
        attend(given).ordered(given[0]!.names),
        ...gradients.map((g, i) => g.ordered(given[i]!.names)),
      ] as Tensor[];
    },
    jax: `(lambda f: lambda *a: [f(*a), *jax.grad(lambda *a: jnp.sin(f(*a)).sum(), argnums=(0, 1, 2, 3, 4))(*a)])(${f})`,
  };
};

test("hierarchical attention across devices is what it is on one, with its gradients", async () => {
  // With blocks of 3 there are 8, which devices that have the same heads share; seq over two axes: the heads lie over the first.
  const runs = await runOnDevices(folder, [
    hierarchy({ data: 2, context: 2, tensor: 2 }, 4),
    hierarchy({ context: 2 }, 4),
    hierarchy({ context: 8 }, 4),
    hierarchy({ data: 1 }, 3),
    hierarchy({ context: 8 }, 3),
    hierarchy({ fsdp: 4, context: 2 }, 3, { batch: [], seq: ["context", "fsdp"] }),
  ]);
  expect(runs.map(difference).filter((d) => !(d < 1e-5))).toEqual([]);
  const [alone, ...shared] = runs.slice(3).map(({ hlo }) => totalCost(parseOptimizedHlo(hlo)).flops);
  for (const each of shared) expect(each).toBeLessThan(alone! / 5);
}, 240_000);

/** A recurrent state and its gradients, on a mesh over which it may not divide. */
const recurrence = (mesh: Readonly<Record<string, number>>): DeviceCase => {
  const sizes = { embed: 3, state: 6 };
  const inputs = [{ batch: 2, seq: 24, embed: sizes.embed }, sizes, { state: sizes.state }, sizes];
  return {
    mesh,
    inputs,
    run: (...given: Tensor[]) => {
      const states = ([x, gate, bias, update]: Tensor[]) => {
        const weights: Readonly<Record<string, Tensor>> = {
          "gate/weight": gate!,
          "gate/bias": bias!,
          "update/weight": update!,
        };
        const layer = mapLeaves(new RecurrentState(sizes, { blockSize: 4 }), (_, path) => weights[path]!);
        return layer.call(x!).states as Tensor;
      };
      const gradients = grad((xs: Tensor[]) => states(xs).sin().sum(["batch", "seq", "state"]) as unknown as Scalar)(
        given,
      );
      return [states(given), ...gradients.map((g, i) => g.ordered(Object.keys(inputs[i]!)))];
    },
    jax: "(lambda f: lambda *a: [f(*a), *jax.grad(lambda *a: jnp.sin(f(*a)).sum(), argnums=(0, 1, 2, 3))(*a)])(lambda x, g, b, u: lax.scan(lambda s, x: (lambda k: (lambda s: (s, s))(k * s + (1 - k) * jnp.tanh(x @ u)))(jax.nn.sigmoid(x @ g + b)), jnp.zeros((2, 6)), x.swapaxes(0, 1))[1].swapaxes(0, 1))",
  };
};

test("a recurrent state goes along a sequence across devices as on one, and they exchange nothing on its way", async () => {
  const meshes = [{ context: 2 }, { data: 2, context: 4 }];
  const runs = await runOnDevices(folder, meshes.map(recurrence));
  expect(runs.map(difference).filter((d) => !(d < 1e-5))).toEqual([]);
  const inLoops = runs.map(({ hlo }, i) =>
    collectives(parseOptimizedHlo(hlo), makeMesh(meshes[i]!)).filter(({ runs }) => runs > 1),
  );
  expect(inLoops).toEqual([[], []]);
}, 240_000);

/** Without biases: the gradient of a key's bias is zero but for rounding, which has no relative size. */
const model = { layers: 2, heads: 4, embed: 32, context: 32, bias: false };
const train = { batch: 8, warmup: 2, steps: 10 };

const MESHES: Readonly<Record<string, object>> = {
  ring: { mesh: { context: 8 } },
  "ring, in order": { mesh: { context: 8 }, sharding: { balance: false } },
  gathered: { mesh: { context: 8 }, sharding: { context: "allgather" } },
  "by heads": { mesh: { data: 2, context: 4 }, sharding: { context: "alltoall" } },
  "with data, FSDP and tensor": { mesh: { data: 1, fsdp: 2, context: 2, tensor: 2 } },
  "with data and sequence parallelism": { mesh: { data: 2, context: 2, tensor: 2 }, sharding: { sequence: true } },
  "with weights stored by the axes of batch and sequence": {
    mesh: { fsdp: 2, context: 2, tensor: 2 },
    sharding: { sequence: true, context: "alltoall", parameters: { embed: ["fsdp", "context"] } },
  },
  "with weights stored by the sequence's axis": {
    mesh: { data: 2, context: 2, tensor: 2 },
    sharding: { sequence: true, parameters: { embed: ["context"] } },
  },
};

test("a split sequence is trained on as a whole one is", async () => {
  const configs = [{}, ...Object.values(MESHES)].map((c) => ({ model, train, ...c }));
  const [one, ...runs] = await trainAll(folder, charTransformer, configs);
  const wrong = Object.keys(MESHES).map((name, i) => [name, differing(runs[i]!, one!, 1e-5)]);
  expect(wrong).toEqual(Object.keys(MESHES).map((name) => [name, []]));

  const moduleOf = (name: string) => parseOptimizedHlo(runs[Object.keys(MESHES).indexOf(name)]!.hlo);
  // Weights are gathered, and not the sequence.
  const [stored, whole] = ["with weights stored by the sequence's axis", "with data and sequence parallelism"].map(
    (name) => totalCost(moduleOf(name)).flops,
  );
  expect(stored).toBe(whole);

  const communication = (name: string) => {
    const list = collectives(moduleOf(name), makeMesh({ context: 8 }));
    // Tokens, targets and positions are put where they belong: never more than all of them.
    const [integers, floats] = [true, false].map((is) => list.filter(({ dtype }) => (dtype === "s32") === is));
    expect(integers!.reduce((n, { bytes, runs }) => n + bytes * runs, 0)).toBeLessThan(8 * 33 * 4);
    return Object.fromEntries(
      collectiveTable(floats!).map(({ kind, axes, count, bytes }) => [`${kind} ${axes}`, { count, bytes }]),
    );
  };
  // What a device has of keys, in bytes; of values as much.
  const [layers, devices, part] = [2, 8, (8 * 4 * 32 * 8 * 4) / 8];
  // Gradients of weights are summed over the devices, layer by layer, and those beside the layers with the loss.
  const weights = {
    "all-reduce context": {
      count: layers + 1,
      bytes: 4 * (2 * 32 * 256 + 32) + 4 + layers * 4 * (12 * 32 * 32 + 2 * 32),
    },
  };
  // Forward keys and values go round, back these and their gradients, which come home in one step more.
  const permutes = layers * (3 * 2 * (devices - 1) + 2);
  const ring = { ...weights, "collective-permute context": { count: permutes, bytes: permutes * part } };
  expect(communication("ring, in order")).toEqual(ring);
  expect(communication("ring")).toEqual(ring);
  expect(communication("gathered")).toEqual({
    ...weights,
    "all-gather context": { count: layers * 4, bytes: layers * 4 * part * devices },
    "reduce-scatter context": { count: layers * 2, bytes: layers * 2 * part * devices },
  });
}, 240_000);

test("in zigzag order, by hand", async () => {
  const x = await evaluate(
    (x) => inZigzag<"batch">(x, 2),
    tensor({ batch: 1, seq: 8 }, [0, 1, 2, 3, 4, 5, 6, 7], "i32"),
  );
  expect(x.toArray()).toEqual([[0, 1, 6, 7, 2, 3, 4, 5]]);
});

/** Ignores the positions that it is given. */
class Careless extends LanguageModel {
  readonly tokens = new Embedding({ vocab: 256 }, { embed: 8 });
  run(tokens: Tensor<"batch" | "seq">): Hidden {
    return { hidden: this.tokens.call(tokens), cache: {} };
  }
  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return dot(hidden as Tensor, this.tokens.weight, "embed") as Tensor;
  }
}
const careless = defineModel({
  name: "careless",
  config: z.strictObject({ context: z.int().default(16) }),
  build: () => new Careless(),
});

test.each<[what: string, definition: Compilable<any>, config: object]>([
  ["a model that does not ask for positions", careless, { mesh: { context: 2 } }],
  [
    "heads that cannot be split",
    charTransformer,
    { model: { context: 24 }, mesh: { context: 8 }, sharding: { context: "alltoall" } },
  ],
  ["a length that cannot be balanced", charTransformer, { model: { context: 24 }, mesh: { context: 8 } }],
])("%s is said", async (_, definition, config) => {
  const compiled = compile(definition, config, { only: ["train_step"] });
  await expect(compiled).rejects.toThrowErrorMatchingSnapshot();
});
