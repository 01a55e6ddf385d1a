/** Layers in stages on several CPU devices, held against one device; the schedule against a simulation; layers on stages against JAX's vmap. */
import fc from "fast-check";
import { z } from "zod";
import { idle } from "../../cli/commands/compile.js";
import type { XenarcError } from "../../compiler/errors.js";
import { makeMesh } from "../../compiler/mesh.js";
import { bubble, type Pipeline, period, ticks } from "../../compiler/pipeline.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { render } from "../../compiler/source/render.js";
import { mapLeaves } from "../../compiler/tree.js";
import { type Compilable, compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { defineModel } from "../../models/define.js";
import { type Hidden, LanguageModel, type RunOptions } from "../../models/language_model.js";
import { Block, Dropout, Embedding, GatedMlp, LayerNorm, Linear, RmsNorm } from "../../models/layers/index.js";
import { pipelineOf } from "../../models/layout.js";
import { llama } from "../../models/llama.js";
import { mixtral } from "../../models/mixtral.js";
import { iota } from "../../ops/functions.js";
import { type Module, Stack } from "../../ops/module.js";
import { key, split } from "../../ops/random.js";
import { report } from "../../ops/report.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { agrees, f32, i32 } from "../language/harness.js";
import { temporaryFolder } from "../runtime/support.js";
import { differing, type Run, serveAll, trainAll } from "./support.js";

const folder = temporaryFolder();

/** Without biases: the gradient of a key's bias is zero but for rounding, which has no relative size. */
const model = { layers: 8, heads: 4, embed: 32, context: 16, bias: false, dropout: 0.2 };
const train = { batch: 16, warmup: 2, steps: 10 };

/** Bytes of a step's communication, by kind and mesh axes. */
function communication(
  run: Run,
  mesh: Readonly<Record<string, number>>,
): Record<string, { count: number; bytes: number }> {
  const rows = collectiveTable(collectives(parseOptimizedHlo(run.hlo), makeMesh(mesh)));
  return Object.fromEntries(
    rows.map(({ kind, axes, count, bytes }) => [`${kind} ${axes.join("+")}`, { count, bytes }]),
  );
}

const PIPELINES: Readonly<Record<string, { mesh: Record<string, number>; pipeline?: object; ticks: number }>> = {
  "GPipe, as many micro-batches as stages": { mesh: { stage: 4 }, ticks: 7 },
  "GPipe, more micro-batches": { mesh: { stage: 4 }, pipeline: { microBatches: 8 }, ticks: 11 },
  "two repeats": { mesh: { stage: 4 }, pipeline: { repeats: 2 }, ticks: 11 },
  "two repeats, micro-batches that wait for their next": {
    mesh: { stage: 4 },
    pipeline: { repeats: 2, microBatches: 8 },
    ticks: 19,
  },
  "fewer micro-batches than stages": { mesh: { stage: 4 }, pipeline: { repeats: 2, microBatches: 2 }, ticks: 9 },
  "and data": { mesh: { data: 2, stage: 4 }, ticks: 7 },
  "and data, more micro-batches": { mesh: { data: 2, stage: 2 }, pipeline: { microBatches: 8, repeats: 2 }, ticks: 17 },
};

/** Parameters by hand: the embedding, the head and the last norm; of a layer two norms, four matrices of attention, two of the MLP. */
const OUTER = 256 * 32 + 32 * 256 + 32;
const LAYER = 2 * 32 + 4 * 32 * 32 + 2 * 32 * 128;
/** The residual stream of the whole batch, f32. */
const STREAM = 16 * 16 * 32 * 4;
/** Room for sums over the mesh of single numbers: losses, norms. */
const SMALL = 1024;

test("stages train as one device does, and send what they have to", async () => {
  const cases = Object.entries(PIPELINES);
  const configs = cases.map(([, { mesh, pipeline }]) => ({ model, mesh, train: { ...train, pipeline } }));
  const [one, ...runs] = await trainAll(folder, charTransformer, [{ model, train }, ...configs]);
  for (const [i, run] of runs.entries()) {
    const [name, { mesh, pipeline, ticks }] = cases[i]!;
    expect({ name, wrong: differing(run, one!, 1e-5) }).toEqual({ name, wrong: [] });

    const { data = 1, stage = 1 } = mesh;
    const { microBatches = stage } = (pipeline ?? {}) as Partial<Pipeline>;
    const found = communication(run, mesh);
    // In every tick each stage hands on the stream of a micro-batch, and in the backward pass its derivative.
    const handed = { count: 2 * ticks, bytes: (2 * ticks * STREAM) / (microBatches * data) };
    expect({ name, handed: found["collective-permute stage"] }).toEqual({ name, handed });
    // Once the result goes from one stage to all, and the derivative of the input.
    const shared = found["all-reduce stage"]!.bytes - (2 * STREAM) / data;
    expect([name, shared, shared >= 0 && shared < SMALL]).toEqual([name, shared, true]);
    if (data > 1) {
      // A stage's gradients are summed up over the groups of data once, not in every tick.
      const gradients = 4 * (OUTER + (LAYER * model.layers) / stage);
      const more = found["all-reduce data"]!.bytes - gradients;
      expect([name, more, more >= 0 && more < SMALL]).toEqual([name, more, true]);
    }
    // Norms and the like, over all devices.
    const rest = Object.entries(found).filter(([what, { bytes }]) => bytes >= SMALL && !/ (stage|data)$/.test(what));
    expect({ name, rest, kinds: kinds(found) }).toEqual({
      name,
      rest: [],
      kinds: ["all-reduce", "collective-permute"],
    });
  }
}, 600_000);

const kinds = (found: object): string[] => [...new Set(Object.keys(found).map((what) => what.split(" ")[0]!))].sort();

/** Rotary positions, RmsNorm, gated MLPs and shared heads in the layers. */
class Rotary extends LanguageModel {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm = new RmsNorm({ embed: 32 });
  readonly head = new Linear({ embed: 32 }, { vocab: 256 }, { bias: false });
  constructor(readonly config: z.infer<typeof rotaryConfig>) {
    super();
    const { layers, remat } = config;
    this.tokens = new Embedding({ vocab: 256 }, { embed: 32 });
    const sizes = { embed: 32, heads: 4, kvHeads: 2, mlp: 64 };
    this.blocks = new Stack(
      { layers },
      () => new Block({ ...sizes, norm: "rms", feedForward: "swiglu", bias: false, rotary: 10000 }),
      { remat },
    );
  }
  run(tokens: Tensor<"batch" | "seq">, { positions, cache }: RunOptions = {}): Hidden {
    const shared = (positions ?? iota({ seq: tokens.size("seq") })) as Tensor;
    const { positions: kind } = this.config;
    const own = kind === "shared" ? shared : (shared.broadcast({ batch: tokens.size("batch") }) as Tensor);
    const [{ h }, stacked] = this.blocks.scanWith(
      { h: this.tokens.call(tokens), at: kind === "carried" ? own : undefined },
      { cache: cache?.blocks },
      (block, { h, at }, layer) => {
        const [out, seen] = block.call(h, { positions: at ?? own, cache: layer.cache });
        report.metric("mean", out.mean(this.config.mixed ? (out.names as "batch"[]) : ["batch", "seq", "embed"]));
        report.loss("size", out.square().mean(["batch", "seq", "embed"]) as Scalar, 0.01);
        return [{ h: out, at }, seen];
      },
    );
    return { hidden: this.norm.call(h), cache: { blocks: stacked } };
  }
  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }
}
const rotaryConfig = z.strictObject({
  context: z.int().default(16),
  layers: z.int().default(4),
  remat: z.union([z.enum(["everything", "nothing"]), z.array(z.string())]).default("everything"),
  /** Positions of the sequence for all examples; or with an axis `batch`, read from outside of the layers or carried along. */
  positions: z.enum(["shared", "read", "carried"]).default("shared"),
  /** A figure of all stages at once. */
  mixed: z.boolean().default(false),
});
const rotary = defineModel({ name: "rotary", config: rotaryConfig, build: (c) => new Rotary(c) });

const COMBINED = {
  "data, stage and tensor": { mesh: { data: 2, stage: 2, tensor: 2 } },
  "fsdp, stage and tensor, two repeats": {
    mesh: { fsdp: 2, stage: 2, tensor: 2 },
    train: { pipeline: { repeats: 2, microBatches: 4 } },
  },
  "data and fsdp, ticks computed again, positions of each example": {
    mesh: { data: 2, fsdp: 2, stage: 2 },
    model: { remat: "nothing", positions: "carried" },
  },
  "two repeats, some values kept": {
    mesh: { stage: 2 },
    model: { remat: ["attn_out", "mlp_up"] },
    train: { pipeline: { repeats: 2 } },
  },
};

test("combined with other axes, accumulation and remat", async () => {
  const accumulated = { ...train, accumulation: 2 };
  const configs = [{}, ...Object.values(COMBINED)].map((c) => ({
    ...c,
    train: { ...accumulated, ...("train" in c ? (c.train as object) : {}) },
  }));
  const [one, ...runs] = await trainAll(folder, rotary, configs);
  for (const [i, run] of runs.entries()) {
    const [name, config] = Object.entries(COMBINED)[i]!;
    expect({ name, wrong: differing(run, one!, 1e-5) }).toEqual({ name, wrong: [] });
    const mesh: Readonly<Record<string, number>> = config.mesh;
    const p = pipelineOf(rotary.schema.parse(configs[i + 1]))!;
    for (const metric of ["blocks/mean", "blocks/size"]) {
      const [there, here] = [one!, run].map(({ metrics }) => metrics.flatMap((m) => m[metric] as unknown as number[]));
      expect(here).toHaveLength(train.steps * 4);
      here!.forEach((value, k) => expect(value / there![k]!).toBeCloseTo(1, 4));
    }
    const found = communication(run, mesh);
    // In each tick of both accumulated batches the stream, its derivative, and the positions if they are carried (i32).
    const { data = 1, fsdp = 1 } = mesh;
    const positions = "model" in config && "positions" in config.model ? 16 * 16 * 4 : 0;
    const handed = (2 * ticks(p) * (2 * STREAM + positions)) / (p.microBatches * data * fsdp);
    expect({ name, handed: found["collective-permute stage"]!.bytes }).toEqual({ name, handed });
    // Figures that layers report come in the order of layers.
    const large = Object.entries(found).filter(([, { bytes }]) => bytes >= SMALL);
    const known = ["all-gather", "all-reduce", "collective-permute", ...(fsdp > 1 ? ["reduce-scatter"] : [])];
    const unexpected = kinds(Object.fromEntries(large)).filter((kind) => !known.includes(kind));
    expect({ name, unexpected }).toEqual({ name, unexpected: [] });
  }
}, 600_000);

const small = { layers: 2, heads: 4, kvHeads: 2, embed: 32, mlp: 48, context: 16 };

test("Llama in stages trains as one device does", async () => {
  const [one, run] = await trainAll(folder, llama, [
    { model: small, train },
    { model: small, train, mesh: { stage: 2 } },
  ]);
  expect(differing(run!, one!, 1e-5)).toEqual([]);
}, 300_000);

// The loss that balances is a product of means, which of micro-batches is another than of the batch.
test.each([
  ["Mixtral", {}],
  ["Mixtral with a capacity, choices dropped", { capacity: 1 }],
])(
  "%s in stages trains as one device does, jitter and all",
  async (_, more) => {
    const experts = { ...small, mlp: 24, experts: 4, loadBalance: 0, zLoss: 0.01, jitter: 0.2, ...more };
    const [one, run] = await trainAll(folder, mixtral, [
      { model: experts, train },
      { model: experts, train, mesh: { stage: 2 } },
    ]);
    expect(differing(run!, one!, 1e-5)).toEqual([]);
  },
  300_000,
);

/** Experts report four figures more to an evaluation. */
test.each<[what: string, definition: Compilable<any>, model: object, results: number]>([
  ["with sinusoidal positions", charTransformer, model, 18],
  ["with rotary positions and grouped heads", llama, { ...small, layers: 4 }, 18],
  ["with experts", mixtral, { ...small, layers: 4, mlp: 24, experts: 4 }, 22],
])(
  "evaluation, the forward pass, prefill and decoding in stages give what one device gives: %s",
  async (_, definition, model, results) => {
    const meshes = [
      {},
      { mesh: { stage: 4 } },
      { mesh: { data: 2, stage: 2, tensor: 2 }, train: { pipeline: { repeats: 2 } } },
    ];
    const configs = meshes.map((c) => ({
      ...c,
      model,
      train: { batch: 8, ...("train" in c ? (c.train as object) : {}) },
      generate: { batch: 4 },
    }));
    const only = ["init", "eval_step", "forward", "prefill", "decode_step"];
    for (const { differences } of await serveAll(folder, definition, configs, { only })) {
      expect(Object.keys(differences)).toHaveLength(results);
      // A product of two means over tokens, in stages those of a micro-batch.
      const { "eval_step blocks/mlp/router/load_balance": _, ...same } = differences;
      expect(Object.entries(same).filter(([, d]) => !(d < 1e-5))).toEqual([]);
    }
  },
  300_000,
);

test("the schedule by hand", () => {
  const four = { stages: 4, repeats: 1, microBatches: 4 };
  expect([ticks(four), bubble(four)]).toEqual([7, 3 / 7]);
  const circular = { stages: 4, repeats: 2, microBatches: 8 };
  expect([ticks(circular), bubble(circular)]).toEqual([19, 3 / 19]);
  expect(ticks({ stages: 4, repeats: 3, microBatches: 1 })).toBe(12);
  expect(idle(four)).toBe("4 stages, 4 micro-batches: each stage is idle in 3 of 7 ticks (42.9 %)");
  expect(idle(circular)).toBe("4 stages, 2 repeats, 8 micro-batches: each stage is idle in 3 of 19 ticks (15.8 %)");
  const section = { ...train, pipeline: { repeats: 2, microBatches: 8 } };
  const config = charTransformer.schema.parse({ model, mesh: { stage: 4 }, train: section });
  expect(pipelineOf(config)).toEqual(circular);
  expect(pipelineOf(charTransformer.schema.parse({ model, mesh: { data: 4 } }))).toBeUndefined();
});

test("the schedule against a queue: nothing is taken before it is back, every stage has all of its work", () => {
  const size = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(size, size, size, (stages, repeats, microBatches) => {
      const p = { stages, repeats, microBatches };
      // Micro-batches queue up at the first stage in the order of their numbers, and again when they come back.
      const back = Array.from({ length: microBatches }, () => 0);
      let free = 0;
      let last = 0;
      for (let repeat = 0; repeat < repeats; repeat++) {
        for (let m = 0; m < microBatches; m++) {
          const enters = Math.max(free, back[m]!);
          expect(enters).toBeLessThanOrEqual(repeat * period(p) + m);
          free = enters + 1;
          back[m] = enters + stages;
          last = Math.max(last, back[m]!);
        }
      }
      expect(ticks(p)).toBe(last);
      expect(bubble(p)).toBeCloseTo(1 - (repeats * microBatches) / last, 12);
    }),
  );
});

const failure = async (definition: typeof charTransformer, config: object): Promise<string> => {
  try {
    await compile(definition, config, { only: ["train_step"] });
  } catch (error) {
    return render(error as XenarcError, { colour: false });
  }
  throw new Error("nothing was wrong");
};

test.each<[what: string, definition: typeof charTransformer, config: object]>([
  ["a batch that does not divide", charTransformer, { mesh: { data: 2, stage: 2 }, train: { batch: 6 } }],
  ["layers that do not divide", rotary, { mesh: { stage: 3 }, model: { layers: 4 } }],
  [
    "repeats that do not divide",
    rotary,
    { mesh: { stage: 2 }, model: { layers: 6 }, train: { pipeline: { repeats: 2 } } },
  ],
  ["what belongs to the whole batch", rotary, { mesh: { stage: 2 }, model: { positions: "read" } }],
  ["a figure that is not each stage's", rotary, { mesh: { stage: 2 }, model: { mixed: true } }],
])("%s is said", async (_, definition, config) => {
  expect(await failure(definition, config)).toMatchSnapshot();
});

/** A module with the given parameters, which may have an axis `stage`, in the order of its fields. */
const withWeights = <M extends Module>(module: M, weights: readonly Tensor[]): M => {
  let i = 0;
  return mapLeaves(module, () => weights[i++]!);
};

const rms = "lambda x, g: x * lax.rsqrt((x ** 2).mean(-1, keepdims=True) + 1e-5) * g";
agrees("layers of several stages at once", {
  Linear: {
    inputs: [f32("stage batch embed"), f32("stage embed mlp"), f32("stage mlp")],
    run: (x, ...w) => withWeights(new Linear({ embed: 1 }, { mlp: 1 }), w).call(x),
    jax: "jax.vmap(lambda x, w, b: x @ w + b)",
    out: "stage batch mlp",
  },
  LayerNorm: {
    inputs: [f32("stage:3 batch embed:8"), f32("stage:3 embed:8"), f32("stage:3 embed:8")],
    run: (x, ...w) => withWeights(new LayerNorm({ embed: 8 }), w).call(x),
    jax: "jax.vmap(lambda x, g, b: jax.nn.standardize(x, epsilon=1e-5) * g + b)",
    out: "stage batch embed",
  },
  "LayerNorm, the same for all stages": {
    inputs: [f32("stage:3 batch embed:8"), f32("embed:8"), f32("embed:8")],
    run: (x, ...w) => withWeights(new LayerNorm({ embed: 8 }), w).call(x),
    jax: "lambda x, g, b: jax.nn.standardize(x, epsilon=1e-5) * g + b",
    out: "stage batch embed",
  },
  RmsNorm: {
    inputs: [f32("stage:3 batch embed:8"), f32("stage:3 embed:8")],
    run: (x, ...w) => withWeights(new RmsNorm({ embed: 8 }), w).call(x),
    jax: `jax.vmap(${rms})`,
    out: "stage batch embed",
  },
  Embedding: {
    inputs: [f32("stage vocab:5 embed"), i32("stage batch", { min: 0, max: 4 })],
    run: (w, at) => withWeights(new Embedding({ vocab: 5 }, { embed: 1 }), [w]).call(at),
    jax: "jax.vmap(lambda w, at: w[at])",
    out: "stage batch embed",
  },
  GatedMlp: {
    inputs: [f32("stage batch embed"), f32("stage embed mlp"), f32("stage embed mlp"), f32("stage mlp embed")],
    run: (x, ...w) => withWeights(new GatedMlp({ embed: 1 }, { mlp: 1 }), w).call(x),
    jax: "jax.vmap(lambda x, g, u, d: (jax.nn.silu(x @ g) * (x @ u)) @ d)",
    out: "stage batch embed",
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
  "Dropout: each stage draws with its own key": {
    inputs: [f32("stage:3 batch:4 embed:10")],
    run: (x) => new Dropout(0.25).call(x, split(key(7), { stage: 3 }) as Tensor),
    jax: "lambda x: jnp.where(jax.vmap(lambda k: random.bernoulli(k, 0.75, x.shape[1:]))(random.split(random.key(7), 3)), x / 0.75, 0)",
    out: "stage batch embed",
  },
});
