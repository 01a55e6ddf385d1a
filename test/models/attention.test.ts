/** Attention against jax.nn.dot_product_attention: at once and block-wise, grouped, masked, with positions, with a cache. */

import fc from "fast-check";
import type { RematPolicy } from "../../compiler/passes/remat.js";
import { traceProgram } from "../../compiler/trace.js";
import { leaves, mapLeaves } from "../../compiler/tree.js";
import { meanVisited } from "../../models/layers/attention/block.js";
import { Attention, type AttentionOptions, attention, Block, type KvCache } from "../../models/layers/index.js";
import { initialize } from "../../models/train/initialize.js";
import { tensor } from "../../ops/array.js";
import { grad, scan } from "../../ops/control.js";
import { full, iota, zeros } from "../../ops/functions.js";
import { type Module, Stack, spec } from "../../ops/module.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate, programText } from "../../runtime-bridge/evaluate.js";
import { agrees, type Case, f32, i1, i32, inOrder } from "../language/harness.js";
import { expectAllClose, jaxEval, numbers } from "../oracle/oracle.js";

// Attention itself -------------------------------------------------------------------------------------------------------------

/** Of a query `batch seq kvHeads group headDim`, in JAX `batch seq heads headDim`; `mask` in terms of m: `batch heads seq key`. */
const inJax = (mask = "jnp.ones((1, 1, q.shape[1], k.shape[1]), bool)"): string =>
  `lambda q, k, v, *a: (lambda m: (jax.nn.dot_product_attention(q.reshape(*q.shape[:2], -1, q.shape[-1]), k, v, mask=m) * m.any(-1).swapaxes(1, 2)[..., None]).reshape(*q.shape[:-1], v.shape[-1]))(${mask})`;
const CAUSAL = "jnp.tril(jnp.ones((q.shape[1], k.shape[1]), bool))[None, None]";
const WINDOW = `(${CAUSAL} & ~jnp.tril(jnp.ones((q.shape[1], k.shape[1]), bool), -3)[None, None])`;
/** Besides a window of 3 the first five keys; and of six heads, each with its group, windows of 2, 2, 5, 2, 2, 5 besides the first key. */
const GLOBALS = `(${WINDOW} | (${CAUSAL} & (jnp.arange(k.shape[1]) < 5)))`;
const IN_TURN =
  "(lambda w, i, j: ((i >= j) & ((i - j < w) | (j < 1)))[None])(jnp.repeat(jnp.tile(jnp.array([2, 2, 5]), 2), q.shape[3])[:, None, None], jnp.arange(q.shape[1])[:, None], jnp.arange(k.shape[1]))";
/** A window of 3, scores between -0.7 and 0.7, and sinks: the softmax has one more column. */
const CAPPED = `lambda q, k, v, s: (lambda z: jnp.einsum("bkgst,btkd->bskgd", jax.nn.softmax(jnp.concatenate([jnp.where(${WINDOW}[0, 0], 0.7 * jnp.tanh(z / 0.7), -jnp.inf), jnp.broadcast_to(s[..., None, None], (*z.shape[:-1], 1))], -1), -1)[..., :-1], v))(jnp.einsum("bskgd,btkd->bkgst", q, k) * q.shape[-1] ** -0.5)`;
/** Segments of queries and, where given, of keys. */
const PACKED = (keys = "a[0]") => `(a[0][:, :, None] == ${keys}[:, None, :])[:, None]`;
const UP_TO = "(jnp.arange(k.shape[1]) <= a[0][:, :, None])[:, None]";

/** The same case at once and with blocks that fit the lengths or do not. */
const inBlocks = (
  name: string,
  options: (...more: Tensor[]) => AttentionOptions,
  c: Omit<Case, "run" | "out">,
  sizes: readonly number[] = [4, 64],
): Record<string, Case> =>
  Object.fromEntries(
    sizes.map((blockSize) => [
      `${name}, ${blockSize === 64 ? "at once" : `in blocks of ${blockSize}`}`,
      {
        ...c,
        run: (q: Tensor, k: Tensor, v: Tensor, ...more: Tensor[]) =>
          attention(q, k, v, { ...options(...more), blockSize }),
        out: "batch seq kvHeads group headDim",
        tolerance: { rtol: 1e-4, atol: 1e-4 },
        derivatives: blockSize === 64 && name === "causal" ? 2 : 1,
      } satisfies Case,
    ]),
  );

const one = { min: -1, max: 1 };
const query = (seq: number) => f32(`batch seq:${seq} kvHeads group headDim`, one);
const keys = (key: number) => f32(`batch key:${key} kvHeads headDim`, one);

agrees("attention", {
  ...inBlocks("all see all", () => ({}), { inputs: [query(12), keys(12), keys(12)], jax: inJax() }),
  ...inBlocks("causal", () => ({ causal: true }), { inputs: [query(12), keys(12), keys(12)], jax: inJax(CAUSAL) }),
  ...inBlocks(
    "causal, a length that is no multiple",
    () => ({ causal: true }),
    { inputs: [query(11), keys(11), keys(11)], jax: inJax(CAUSAL) },
    [4],
  ),
  ...inBlocks("fewer queries than keys", () => ({}), { inputs: [query(5), keys(11), keys(11)], jax: inJax() }, [4]),
  ...inBlocks("causal, more queries than keys", () => ({ causal: true }), {
    inputs: [query(11), keys(7), keys(7)],
    jax: inJax(CAUSAL),
  }),
  ...inBlocks("queries at their positions, some before all keys", (positions) => ({ causal: true, positions }), {
    inputs: [query(6), keys(11), keys(11), i32("batch seq:6", { min: -1, max: 12 })],
    jax: inJax(UP_TO),
  }),
  ...inBlocks(
    "a mask of queries and keys, some rows empty",
    (mask) => ({ mask: mask!.and(mask!.slice("key", 0, 1).at("key", 0)) as Tensor }),
    { inputs: [query(6), keys(7), keys(7), i1("batch seq:6 key:7")], jax: inJax("(a[0] & a[0][..., :1])[:, None]") },
  ),
  ...inBlocks("a mask of keys and a causal one", (mask) => ({ mask, causal: true }), {
    inputs: [query(9), keys(9), keys(9), i1("batch key:9")],
    jax: inJax(`a[0][:, None, None] & ${CAUSAL}`),
  }),
  ...inBlocks("a window", () => ({ causal: true, window: 3 }), {
    inputs: [query(12), keys(12), keys(12)],
    jax: inJax(WINDOW),
  }),
  ...inBlocks(
    "a window and global tokens",
    () => ({ causal: true, window: 3, globals: 5 }),
    { inputs: [query(15), keys(15), keys(15)], jax: inJax(GLOBALS) },
    [2, 4, 64],
  ),
  ...inBlocks(
    "windows in turn and a global token",
    () => ({ causal: true, window: { kvHeads: [2, 2, 5] }, globals: 1 }),
    {
      inputs: ["seq", "key", "key"].map((axis) =>
        f32(`batch ${axis}:12 kvHeads:6 ${axis === "seq" ? "group " : ""}headDim`, one),
      ),
      jax: inJax(IN_TURN),
    },
  ),
  ...inBlocks("a window, capped scores, sinks", (sinks) => ({ causal: true, window: 3, softCap: 0.7, sinks }), {
    inputs: [query(11), keys(11), keys(11), f32("kvHeads group", one)],
    jax: CAPPED,
  }),
  ...inBlocks("packed rows, causal", (segments) => ({ causal: true, segments }), {
    inputs: [query(11), keys(11), keys(11), i32("batch seq:11", { min: 0, max: 3 })],
    jax: inJax(`${PACKED()} & ${CAUSAL}`),
  }),
  ...inBlocks(
    "keys of other segments, of which some queries have none",
    (segments, keySegments) => ({ segments, keySegments }),
    {
      inputs: [
        query(6),
        keys(9),
        keys(9),
        i32("batch seq:6", { min: 0, max: 4 }),
        i32("batch key:9", { min: 0, max: 3 }),
      ],
      jax: inJax(PACKED("a[1]")),
    },
  ),
  ...inBlocks(
    "a window, capped scores, sinks, packed rows by head",
    (sinks, segments) => ({ causal: true, window: 3, softCap: 0.7, sinks, segments }),
    {
      inputs: [
        query(11),
        keys(11),
        keys(11),
        f32("kvHeads group", one),
        i32("batch kvHeads seq:11", { min: 0, max: 2 }),
      ],
      jax: CAPPED.replace("v, s:", "v, s, a:").replace(
        `${WINDOW}[0, 0]`,
        `(a[:, :, None, :, None] == a[:, :, None, None, :]) & ${WINDOW}[0, 0]`,
      ),
    },
  ),
  "in bfloat16, at once and in blocks": {
    inputs: [f32("batch seq:8 kvHeads group headDim", one), keys(8), keys(8)],
    run: (q, k, v) => [4, 8].map((blockSize) => attention(q, k, v, { causal: true, blockSize })),
    jax: `lambda q, k, v: (lambda y: [y, y])((${inJax(CAUSAL)})(q, k, v))`,
    out: ["batch seq kvHeads group headDim", "batch seq kvHeads group headDim"],
    also: ["bf16"],
    derivatives: 1,
    tolerance: { rtol: 5e-2, atol: 5e-2 },
  },
  "values of another width, a scale, no axes besides": {
    inputs: [f32("seq headDim:3", one), f32("key:5 headDim:3", one), f32("key:5 headDim:2", one)],
    run: (q, k, v) => attention(q, k, v, { scale: 2 }),
    jax: "lambda q, k, v: jax.nn.softmax(2 * q @ k.T) @ v",
    out: "seq headDim:2",
  },
});

// The layer --------------------------------------------------------------------------------------------------------------------

/** A module with the given parameters (in the order of its fields). */
const withWeights = <M extends Module>(module: M, weights: readonly Tensor[]): M => {
  let i = 0;
  return mapLeaves(module, () => weights[i++]!);
};

/** Runs a sequence position by position, each putting its keys and values into a cache of the whole length. */
function decoded(
  call: (x: Tensor, at: Tensor, cache: KvCache, segments?: Tensor) => [Tensor, KvCache],
  x: Tensor,
  entry: Record<string, number>,
  segments?: Tensor,
): Tensor {
  const sizes = { batch: x.size("batch"), key: x.size("seq"), ...entry };
  const { batch, key } = sizes;
  const empty = {
    key: full(sizes, 7),
    value: zeros(sizes),
    ...(segments && { segments: full({ batch, key }, 0, "i32") }),
  };
  const xs = { x, at: iota({ seq: x.size("seq") }), segments };
  const [, ys] = scan("seq", empty as KvCache, xs, (cache, step) => {
    const at = (step.at as Scalar).broadcast({ batch: x.size("batch"), seq: 1 }) as Tensor;
    const own = (step.segments as Tensor | undefined)?.broadcast({ seq: 1 }) as Tensor | undefined;
    const [y, next] = call((step.x as Tensor).broadcast({ seq: 1 }) as Tensor, at, cache, own);
    return [next, y.at("seq", 0)];
  });
  return ys as Tensor;
}

const shapes = { embed: 6, heads: 4, headDim: 4 };
const projections = (kv: number) => [
  f32("embed:6 heads:4 headDim:4", one),
  f32(`embed:6 kvHeads:${kv} headDim:4`, one),
  f32(`embed:6 kvHeads:${kv} headDim:4`, one),
  f32("heads:4 headDim:4 embed:6", one),
];
const layer = (turned: string): string =>
  `lambda x, q, k, v, o: jnp.einsum('bshd,hde->bse', jax.nn.dot_product_attention(*[${turned} for w in (q, k)], jnp.einsum('bse,ehd->bshd', x, v), is_causal=True), o)`;
const project = "jnp.einsum('bse,ehd->bshd', x, w)";
const rotated = `(lambda t, a: jnp.concatenate([t[..., :2] * jnp.cos(a) - t[..., 2:] * jnp.sin(a), t[..., 2:] * jnp.cos(a) + t[..., :2] * jnp.sin(a)], -1))(${project}, jnp.arange(x.shape[1])[:, None, None] * 100.0 ** -jnp.array([0, 0.5]))`;

const decoding =
  (kvHeads: number, rotary: number | undefined): Case["run"] =>
  (x: Tensor, ...weights: Tensor[]) => {
    const m = withWeights(new Attention({ ...shapes, kvHeads }, { bias: false, rotary }), weights);
    const [y] = m.call(x, { positions: iota({ seq: x.size("seq") }) as Tensor });
    const stepwise = decoded((x, positions, cache) => m.call(x, { positions, cache }) as [Tensor, KvCache], x, {
      kvHeads,
      headDim: 4,
    });
    return [y, stepwise];
  };
const twice = (f: string) => `lambda *a: (lambda y: [y, y])((${f})(*a))`;
const out = ["batch seq:6 embed", "batch seq:6 embed"];

agrees("the attention layer, at once and token by token", {
  "multi-head": {
    inputs: [f32("batch seq:6 embed:6", one), ...projections(4)],
    run: decoding(4, undefined),
    jax: twice(layer(project)),
    out,
    derivatives: 1,
  },
  "grouped queries, rotary positions": {
    inputs: [f32("batch seq:6 embed:6", one), ...projections(2)],
    run: decoding(2, 100),
    jax: twice(layer(rotated)),
    out,
    derivatives: 1,
  },
});

/** The layer with all its options, its heads in two groups; x and segments have the batch, scores s are of all heads. */
const ALL = `lambda x, q, k, v, o, s, g: (lambda z, n: jnp.einsum("bhst,bthd,hde->bse", jax.nn.softmax(jnp.concatenate([jnp.where(jnp.tril(n) & ~jnp.tril(n, -4) & (g[:, :, None] == g[:, None])[:, None], 0.7 * jnp.tanh(z / 0.7), -jnp.inf), jnp.broadcast_to(s[:, None, None], (*z.shape[:-1], 1))], -1), -1)[..., :-1], jnp.repeat(jnp.einsum("bse,ehd->bshd", x, v), 2, 2), o))(jnp.einsum("bshd,bthd->bhst", jnp.einsum("bse,ehd->bshd", x, q), jnp.repeat(jnp.einsum("bse,ehd->bshd", x, k), 2, 2)) / 2, jnp.ones((8, 8), bool))`;

agrees("the attention layer with a window, a soft cap, sinks and segments, at once, in blocks and token by token", {
  "packed rows": {
    inputs: [
      f32("batch seq:8 embed:6", one),
      ...projections(2),
      f32("heads:4", one),
      i32("batch seq:8", { min: 1, max: 2 }),
    ],
    run: (x, ...given) => {
      const segments = given.at(-1)!;
      const options = { bias: false, window: 4, softCap: 0.7, sinks: true };
      const of = (blockSize: number) =>
        withWeights(new Attention({ ...shapes, kvHeads: 2 }, { ...options, blockSize }), given.slice(0, -1));
      const [whole, blocks] = [of(512), of(3)];
      const stepwise = decoded(
        (x, positions, cache, segments) => whole.call(x, { positions, cache, segments }) as [Tensor, KvCache],
        x,
        { kvHeads: 2, headDim: 4 },
        segments,
      );
      return [...[whole, blocks].map((m) => m.call(x, { segments })[0]), stepwise];
    },
    jax: `lambda *a: [(${ALL})(*a)] * 3`,
    out: ["batch seq:8 embed", "batch seq:8 embed", "batch seq:8 embed"],
    derivatives: 1,
  },
});

/** Windows of 2 and 4, two heads each, and two global tokens. */
const WIDE = `lambda x, q, k, v, o: (lambda w, i, j: jnp.einsum("bshd,hde->bse", jax.nn.dot_product_attention(*[jnp.einsum("bse,ehd->bshd", x, w) for w in (q, k, v)], mask=((i >= j) & ((i - j < w) | (j < 2)))[None]), o))(jnp.array([2, 2, 4, 4])[:, None, None], jnp.arange(8)[:, None], jnp.arange(8))`;

agrees("the attention layer with several windows and global tokens, at once, in blocks and token by token", {
  "grouped queries": {
    inputs: [f32("batch seq:8 embed:6", one), ...projections(2)],
    run: (x, ...weights) => {
      const of = (blockSize: number) =>
        withWeights(
          new Attention({ ...shapes, kvHeads: 2 }, { bias: false, window: [2, 4], globals: 2, blockSize }),
          weights,
        );
      const [whole, blocks] = [of(512), of(3)];
      const stepwise = decoded((x, positions, cache) => whole.call(x, { positions, cache }) as [Tensor, KvCache], x, {
        kvHeads: 2,
        headDim: 4,
      });
      return [...[whole, blocks].map((m) => m.call(x)[0]), stepwise];
    },
    jax: `lambda *a: [(${WIDE})(*a)] * 3`,
    out: ["batch seq:8 embed", "batch seq:8 embed", "batch seq:8 embed"],
    derivatives: 1,
  },
});

test("segments and their cache go together", () => {
  const entries = spec({ batch: 2, key: 4, kvHeads: 2, headDim: 4 });
  const inputs = {
    layer: new Attention({ embed: 8, heads: 2 }, { bias: false }),
    x: spec({ batch: 2, seq: 4, embed: 8 }) as Tensor,
    positions: spec({ seq: 4 }, "i32") as Tensor,
    segments: spec({ batch: 2, seq: 4 }, "i32") as Tensor,
    cache: { key: entries, value: entries } as KvCache,
  };
  const run = (f: (given: typeof inputs) => Tensor) => () =>
    traceProgram("forward", { argument: inputs }, ({ argument }) => ({ result: f(argument) }));
  expect(run(({ layer, x, ...options }) => layer.call(x, options)[0])).toThrow("Attention: segments are given.");
  expect(
    run(
      ({ layer, x, positions, cache, segments }) =>
        layer.call(x, { positions, cache: { ...cache, segments: segments.rename("seq", "key") as Tensor } })[0],
    ),
  ).toThrow("Attention: no segments are given.");
  const q = ({ x }: typeof inputs) => x.split("embed", { kvHeads: 2, headDim: 4 }) as Tensor;
  expect(
    run((given) =>
      attention(q(given), given.cache.key, given.cache.value, { segments: given.segments.cast("f32") as Tensor }),
    ),
  ).toThrow('attention: the segments along "seq" are (batch 2, seq 4) f32.');
});

agrees("a block", {
  "LayerNorm, GELU, at once and token by token": {
    inputs: [
      f32("batch seq:6 embed:6", one),
      f32("embed:6"),
      ...projections(4),
      f32("embed:6"),
      f32("embed:6 mlp:8", one),
      f32("mlp:8 embed:6", one),
    ],
    run: (x, ...weights) => {
      const m = withWeights(new Block({ ...shapes, mlp: 8, bias: false }), weights);
      const stepwise = decoded((x, positions, cache) => m.call(x, { positions, cache }) as [Tensor, KvCache], x, {
        kvHeads: 4,
        headDim: 4,
      });
      return [m.call(x)[0], stepwise];
    },
    jax: twice(
      `lambda x, g, q, k, v, o, h, u, d: (lambda x: x + jax.nn.gelu(jax.nn.standardize(x, epsilon=1e-5) * h @ u) @ d)(x + (${layer(project)})(jax.nn.standardize(x, epsilon=1e-5) * g, q, k, v, o))`,
    ),
    out,
    derivatives: 1,
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
  "RmsNorm, SwiGLU": {
    inputs: [
      f32("batch seq:6 embed:6", one),
      f32("embed:6"),
      ...projections(2),
      f32("embed:6"),
      f32("embed:6 mlp:8", one),
      f32("embed:6 mlp:8", one),
      f32("mlp:8 embed:6", one),
    ],
    run: (x, ...weights) =>
      withWeights(
        new Block({ ...shapes, kvHeads: 2, mlp: 8, bias: false, norm: "rms", feedForward: "swiglu" }),
        weights,
      ).call(x)[0],
    jax: `(lambda norm: lambda x, g, q, k, v, o, h, w, u, d: (lambda x: x + (lambda n: (jax.nn.silu(n @ w) * (n @ u)) @ d)(norm(x) * h))(x + (${layer(project)})(norm(x) * g, q, k, v, o)))(lambda x: x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5))`,
    out: "batch seq:6 embed",
    derivatives: 1,
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
});

test.each<[string, AttentionOptions]>([
  ["windows along an axis that keys have not", { causal: true, window: { group: [2, 3] } }],
  ["windows that do not come out even", { causal: true, window: { kvHeads: [2, 3, 4] } }],
  ["global tokens without a window", { causal: true, globals: 2 }],
])("%s are refused", (_, options) => {
  const [q, k] = [spec({ seq: 4, kvHeads: 4, group: 2, headDim: 2 }), spec({ key: 4, kvHeads: 4, headDim: 2 })];
  const run = () =>
    traceProgram("attention", { argument: { q, k } }, ({ argument: { q, k } }) => ({
      result: attention(q as Tensor, k as Tensor, k as Tensor, options),
    }));
  expect(run).toThrowErrorMatchingSnapshot();
});

test("block-wise, no array has all scores, forward or backward", () => {
  const [S, names] = [2048, ["seq", "headDim"] as const];
  const inputs = { q: spec({ seq: S, headDim: 8 }), k: spec({ key: S, headDim: 8 }), v: spec({ key: S, headDim: 8 }) };
  const text = (blockSize: number): string => {
    const program = traceProgram("gradient", { argument: inputs }, ({ argument }) => ({
      result: grad(({ q, k, v }: typeof inputs) =>
        attention<never, never>(q, k, v, { causal: true, blockSize }).square().sum(names),
      )(argument),
    }));
    return programText(program);
  };
  expect(text(S)).toMatch("2048x2048x");
  expect(text(512)).not.toMatch("2048x2048x");
  // Largest are the operands, and four blocks of them.
  const sizes = [...text(512).matchAll(/tensor<([\dx]+)x\w+>/g)].map((m) =>
    m[1]!.split("x").reduce((n, d) => n * +d, 1),
  );
  expect(Math.max(...sizes)).toBe(512 * 512);
});

describe("remat", () => {
  const names = ["batch", "seq", "embed"] as const;
  const stack = (remat: RematPolicy) =>
    new Stack({ layers: 2 }, () => new Block({ embed: 8, heads: 2, mlp: 8, blockSize: 4, feedForward: "swiglu" }), {
      remat,
    });
  const gradient = (blocks: Stack<Block>, x: Tensor<"batch" | "seq" | "embed">) =>
    grad((b: typeof blocks) =>
      b
        .scan(x, (block, x) => block.call(x)[0])
        .square()
        .sum(names),
    )(blocks);

  /** Loops of the gradient of two layers in a scan, the scan's own two left out. */
  const loops = (remat: RematPolicy): number => {
    const inputs = { blocks: stack(remat), x: spec({ batch: 2, seq: 16, embed: 8 }) };
    const program = traceProgram("gradient", { argument: inputs }, ({ argument: { blocks, x } }) => ({
      result: gradient(blocks, x),
    }));
    return programText(program).match(/stablehlo\.while/g)!.length - 2;
  };
  test("attention is computed again, or not where its result is kept", () => {
    // Each is a loop over blocks of queries around one over blocks of keys.
    expect(loops("everything")).toBe(2 * 2);
    expect(loops(["attn_out"])).toBe(2 * 2);
    expect(loops("nothing")).toBe(3 * 2);
  });

  test("what is kept does not change the gradient", async () => {
    const policies = ["everything", "nothing", ["attn_out", "residual", "mlp_up"], ["query", "mlp_gate"]] as const;
    const x = tensor(
      { batch: 2, seq: 10, embed: 8 },
      Array.from({ length: 160 }, (_, i) => Math.sin(i * i)),
    );
    const all = await evaluate(
      (x, k) => policies.map((remat) => gradient(initialize(stack(remat), k), x)),
      x,
      tensor({ threefry: 2 }, [0, 1], "ui32"),
    );
    const [expected, ...others] = all.map((g) => (leaves(g) as Tensor[]).map((t) => inOrder(t, t.names)));
    for (const given of others) expectAllClose(given, expected!, { rtol: 1e-4, atol: 1e-5 });
  });
});

test("the blocks of keys that a plan takes to be visited are those that have a key some query of the block sees", async () => {
  const upTo = (max: number) => fc.integer({ min: 1, max });
  const maybe = (max: number) => fc.option(upTo(max), { nil: undefined });
  const drawn = fc.record({
    causal: fc.boolean(),
    sees: fc.record({ window: maybe(40), globals: maybe(12) }),
    ...{ length: upTo(40), queries: upTo(12), size: upTo(12) },
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ causal, sees: { window, globals }, length, queries, size }) => {
      const [n, m] = [Math.ceil(length / queries), Math.ceil(length / size)];
      const [counted] = await jaxEval(
        `lambda: (lambda t, s: (lambda seen: jnp.pad(seen, ((0, ${n * queries - length}), (0, ${m * size - length}))).reshape(${n}, ${queries}, ${m}, ${size}).any((1, 3)).sum(1).mean())((${causal ? "s <= t" : "t == t"}) & ((t - s < ${window ?? length}) | (s < ${globals ?? 0}))))(jnp.arange(${length})[:, None], jnp.arange(${length})[None])`,
        [],
      );
      const visited = meanVisited({ causal, window, globals }, { size, count: m, queries, length });
      expect(visited).toBeCloseTo(numbers(counted!)[0]!, 4);
    }),
    { numRuns: 60 },
  );
}, 60_000);
