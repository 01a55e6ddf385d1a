/** Optimizers against optax: directions from the same gradients, and whole training with rules by parameter. */

import { matching } from "../../compiler/patterns.js";
import { compile } from "../../emit/compile.js";
import { type TrainConfig, trainSchema } from "../../models/train/config.js";
import { optimizerOf } from "../../models/train/optimizers/index.js";
import { tensor as host } from "../../ops/array.js";
import { scan } from "../../ops/control.js";
import { iota, zeros } from "../../ops/functions.js";
import { constantly } from "../../ops/initializers.js";
import { Parameter } from "../../ops/module.js";
import type { Scalar, Sizes, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { encode, expectClose, jaxEval, normal, numbers } from "../oracle/oracle.js";
import { batches, PATHS, tiny, trainByOptax, trainTiny, value } from "./tiny.js";

const STEPS = 25;
const settings = (train: object): TrainConfig => trainSchema.parse(train);

/** The directions that an optimizer gives a parameter, step by step, for random gradients and values: [step, ...]. */
async function directions(c: TrainConfig, of: Parameter, g: Tensor, p: Tensor): Promise<Float32Array> {
  const { data } = await evaluate(
    (g, p) => {
      const rule = optimizerOf(c.optimizer, c);
      const start = Object.fromEntries(Object.entries(rule.slots(of)).map(([name, sizes]) => [name, zeros(sizes)]));
      const [, out] = scan("step", start, { g, p, n: iota({ step: STEPS }) }, (kept, x) => {
        const { g, p, n } = x as unknown as { g: Tensor; p: Tensor; n: Scalar };
        const next = rule.update(n.add(1).cast("f32"))({ g, p, kept }, of);
        return [next.kept as typeof kept, next.direction.ordered(of.names)];
      });
      return out as Tensor;
    },
    g,
    p,
  );
  return data as Float32Array;
}

const adafactor = (from: number, decay = 0.8) =>
  `optax.chain(optax.scale_by_factored_rms(min_dim_size_to_factor=${from}, decay_rate=${decay})`;
// A learning rate of -1 leaves directions.
const muon = (from: string, to: string, more = "") =>
  `contrib.muon(-1.0, muon_weight_dimension_numbers=contrib.MuonDimensionNumbers(${from}, ${to}), ${more})`;

test.each<[what: string, train: object, optax: string, sizes: Sizes<string>]>([
  ["adamw", { beta2: 0.95 }, "optax.scale_by_adam(0.9, 0.95, eps=1e-8)", { embed: 5, mlp: 7 }],
  ["lion", { optimizer: "lion", beta1: 0.95, beta2: 0.98 }, "optax.scale_by_lion(0.95, 0.98)", { embed: 5, mlp: 7 }],
  ["sgd", { optimizer: "sgd", sgd: { momentum: 0 } }, "optax.identity()", { embed: 5 }],
  ["sgd with momentum", { optimizer: "sgd" }, "optax.trace(0.9)", { embed: 5 }],
  [
    "sgd by Nesterov",
    { optimizer: "sgd", sgd: { momentum: 0.8, nesterov: true } },
    "optax.trace(0.8, nesterov=True)",
    { embed: 5 },
  ],
  [
    "adafactor, of a stack's layers",
    { optimizer: "adafactor", adafactor: { factorFrom: 5 } },
    `${adafactor(5)}, optax.clip_by_block_rms(1.0), optax.scale_by_param_block_rms())`,
    { layers: 3, embed: 5, mlp: 7 },
  ],
  [
    "adafactor, three axes of which the last two are equal",
    { optimizer: "adafactor", adafactor: { factorFrom: 4, decay: 0.9, clip: 0, relative: false } },
    `${adafactor(4, 0.9)})`,
    { layers: 2, embed: 3, heads: 6, headDim: 6 },
  ],
  [
    "adafactor, too short to be factored",
    { optimizer: "adafactor" },
    `${adafactor(128)}, optax.clip_by_block_rms(1.0), optax.scale_by_param_block_rms())`,
    { embed: 5, mlp: 7 },
  ],
  ["muon, wide", { optimizer: "muon" }, muon("0", "1", "consistent_rms=0.2"), { embed: 5, heads: 9 }],
  [
    "muon, tall, of a stack's layers, scaled by the shape, without Nesterov's variant",
    { optimizer: "muon", muon: { nesterov: false, scale: "shape", momentum: 0.9, iterations: 6 } },
    muon("0", "1", "beta=0.9, nesterov=False, ns_steps=6"),
    { layers: 2, embed: 9, heads: 4 },
  ],
  [
    "muon, from one axis to two, scaled by the shape",
    { optimizer: "muon", muon: { scale: "shape" } },
    muon("0", "(1, 2)"),
    { embed: 5, heads: 2, headDim: 3 },
  ],
])("%s: 25 directions are optax's", async (_, train, optax, sizes) => {
  const stacks = "layers" in sizes ? ["layers"] : [];
  const matrix =
    (train as { optimizer?: string }).optimizer === "muon"
      ? { from: ["embed"], to: ["heads", "headDim"].filter((n) => n in sizes) }
      : undefined;
  const shape = Object.values(sizes);
  const [g, p] = [1, 2].map((seed) => normal([STEPS, ...shape], seed));
  const of = new Parameter(sizes, constantly(0), matrix ? { matrix } : {}, undefined, stacks);
  const given = [g!, p!].map((x) => host({ step: STEPS, ...sizes }, numbers(x) as number[]));
  const ours = await directions(settings(train), of, given[0]!, given[1]!);
  // Each layer of a stack is a parameter of its own.
  const one = `(lambda g, p: lax.scan(lambda s, x: (lambda u, s: (s, u))(*tx.update(x[0], s, x[1])), tx.init(p[0]), (g, p))[1])`;
  const all = stacks.length ? `jax.vmap(${one}, in_axes=1, out_axes=1)` : one;
  const [expected] = await jaxEval(`(lambda tx: ${all})(${optax})`, [g!, p!]);
  expectClose(encode("f32", [STEPS, ...shape], [...ours]), expected!, { rtol: 2e-5, atol: 1e-6 });
});

const SCHEDULE = "optax.warmup_cosine_decay_schedule(0.0, 0.01, 5, 30, 0.001)";
const base = { steps: 30, warmup: 5, learningRate: 0.01, minLearningRate: 0.001, clip: 0.5 };
const DECAYED = `{"decayed": ["blocks/up/weight", "blocks/down/weight", "head/weight"], "plain": ["tokens/weight", "blocks/up/bias"]}`;
const groups = (of: Readonly<Record<string, string>>, paths = DECAYED, before = "optax.identity()") =>
  `(lambda groups: optax.chain(${before}, optax.clip_by_global_norm(0.5), optax.multi_transform({${Object.entries(of)
    .map(([name, tx]) => `"${name}": ${tx}`)
    .join(", ")}}, {path: name for name, paths in groups.items() for path in paths})))(${paths})`;

/** A transformation to which each layer of a stack is a parameter of its own. */
const layered = (tx: string) => `(lambda split, join, tx: optax.GradientTransformation(
  lambda p: tx.init(split(p)), lambda u, s, p: (lambda u, s: (join(u), s))(*tx.update(split(u), s, split(p)))))(
    lambda t: {k: [v[0], v[1]] if "blocks" in k else v for k, v in t.items()},
    lambda t: {k: jnp.stack(v) if "blocks" in k else v for k, v in t.items()}, ${tx})`;

test.each<[what: string, train: object, optax: string]>([
  [
    "adamw",
    {},
    groups({
      decayed: `optax.adamw(${SCHEDULE}, b2=0.99, weight_decay=0.1)`,
      plain: `optax.adam(${SCHEDULE}, b2=0.99)`,
    }),
  ],
  [
    "lion",
    { optimizer: "lion", learningRate: 0.001, minLearningRate: 0.0001, decayAll: true },
    `optax.chain(optax.clip_by_global_norm(0.5),
       optax.lion(optax.warmup_cosine_decay_schedule(0.0, 0.001, 5, 30, 0.0001), 0.9, 0.99, weight_decay=0.1))`,
  ],
  [
    "sgd, accumulated",
    { optimizer: "sgd", weightDecay: 0, batch: 2, accumulation: 2 },
    `optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(${SCHEDULE}, 0.9))`,
  ],
  [
    "adafactor",
    { optimizer: "adafactor", adafactor: { factorFrom: 8 }, weightDecay: 0 },
    layered(`optax.chain(optax.clip_by_global_norm(0.5), optax.adafactor(${SCHEDULE}, 8))`),
  ],
  [
    "muon, and AdamW for embeddings, head and biases",
    { optimizer: "muon" },
    groups(
      {
        up: `contrib.muon(${SCHEDULE}, weight_decay=0.1, consistent_rms=0.2,
          muon_weight_dimension_numbers=lambda p: jax.tree.map(lambda _: contrib.MuonDimensionNumbers(1, (2, 3)), p))`,
        down: `contrib.muon(${SCHEDULE}, weight_decay=0.1, consistent_rms=0.2,
          muon_weight_dimension_numbers=lambda p: jax.tree.map(lambda _: contrib.MuonDimensionNumbers((1, 2), 3), p))`,
        head: `optax.adamw(${SCHEDULE}, b2=0.99, weight_decay=0.1)`,
        plain: `optax.adam(${SCHEDULE}, b2=0.99)`,
      },
      `{"head": ["head/weight"], "up": ["blocks/up/weight"], "down": ["blocks/down/weight"],
        "plain": ["tokens/weight", "blocks/up/bias"]}`,
    ),
  ],
  [
    "optimizers by parameter",
    {
      optimizer: "sgd",
      weightDecay: 0,
      parameters: [
        { match: "head", optimizer: "lion", learningRateScale: 0.1 },
        { match: "tokens", optimizer: "adamw" },
      ],
    },
    groups(
      {
        head: `optax.lion(lambda n: 0.1 * ${SCHEDULE}(n), 0.9, 0.99, weight_decay=0)`,
        tokens: `optax.adam(${SCHEDULE}, b2=0.99)`,
        blocks: `optax.sgd(${SCHEDULE}, 0.9)`,
      },
      `{"head": ["head/weight"], "tokens": ["tokens/weight"],
        "blocks": ["blocks/up/weight", "blocks/up/bias", "blocks/down/weight"]}`,
    ),
  ],
  [
    "rules: learning rates and decays by parameter, some frozen",
    {
      parameters: [
        { match: "**/bias", weightDecay: 0.5 },
        { match: "blocks", learningRateScale: 0.5 },
        { match: "tokens/*", freeze: true },
        { match: "blocks/down/weight", learningRateScale: 2, weightDecay: 0 },
      ],
    },
    groups(
      {
        head: `optax.adamw(${SCHEDULE}, b2=0.99, weight_decay=0.1)`,
        up: `optax.adamw(lambda n: 0.5 * ${SCHEDULE}(n), b2=0.99, weight_decay=0.1)`,
        bias: `optax.adamw(lambda n: 0.5 * ${SCHEDULE}(n), b2=0.99, weight_decay=0.5)`,
        down: `optax.adam(lambda n: 2 * ${SCHEDULE}(n), b2=0.99)`,
        frozen: "optax.set_to_zero()",
      },
      `{"head": ["head/weight"], "up": ["blocks/up/weight"], "bias": ["blocks/up/bias"], "down": ["blocks/down/weight"],
        "frozen": ["tokens/weight"]}`,
      `optax.masked(optax.set_to_zero(), {name: name == "tokens/weight" for name in ${JSON.stringify(PATHS)}})`,
    ),
  ],
])("25 steps of a model are optax's: %s", async (_, train, optax) => {
  const { accumulation = 1, batch = 4 } = train as { accumulation?: number; batch?: number };
  const given = batches(STEPS, accumulation, batch);
  const { start, steps } = await trainTiny({ ...base, ...train }, given);
  const { losses, params } = await trainByOptax(start, given, optax);
  const ours = steps.map((state) => value(state, "loss"));
  expectClose(encode("f32", [STEPS], ours), encode("f32", [STEPS], losses), { rtol: 1e-5, atol: 0 });
  for (const path of PATHS) {
    const all = steps.flatMap((state) => numbers(state[`params/${path}`]!) as number[]);
    expectClose(encode("f32", params[path]!.shape, all), params[path]!, { rtol: 1e-4, atol: 2e-6 });
  }
});

test("what is frozen stays bit for bit, has no state, and costs no gradient", async () => {
  const freeze = (...match: string[]) => ({ ...base, parameters: match.map((match) => ({ match, freeze: true })) });
  const { start, steps } = await trainTiny(freeze("blocks/**", "tokens"), batches(3));
  for (const path of ["blocks/up/weight", "blocks/up/bias", "blocks/down/weight", "tokens/weight"]) {
    expect(steps.at(-1)![`params/${path}`]).toEqual(start[`params/${path}`]);
  }
  expect(steps.at(-1)!["params/head/weight"]).not.toEqual(start["params/head/weight"]);
  expect(Object.keys(start).filter((name) => name.startsWith("optimizer/"))).toEqual([
    "optimizer/mu/head/weight",
    "optimizer/nu/head/weight",
  ]);

  const flops = async (train: object) => {
    const { program } = (await compile(tiny, { train }, { only: ["train_step"] })).program("train_step");
    return program.cost.flops;
  };
  const [all, embedding, below, above] = await Promise.all(
    [base, freeze("tokens"), freeze("tokens", "blocks"), freeze("head", "blocks/down")].map(flops),
  );
  // Forward is a third. With all frozen below the head, backward is that of the head's weight alone.
  expect(embedding!).toBeLessThan(all!);
  expect(below! / all!).toBeLessThan(0.65);
  expect(above!).toBeLessThan(all!);
});

test("a rule that matches nothing, and one that leaves nothing to train, are refused", async () => {
  const compiled = (parameters: object[]) => compile(tiny, { train: { parameters } }, { only: ["train_step"] });
  await expect(compiled([{ match: "blocks/pu/weight", freeze: true }])).rejects.toThrow(
    'train.parameters[0].match: "blocks/pu/weight" matches no parameter. Did you mean "up"?\n' +
      "Expected: a pattern for some of blocks/up/weight, blocks/down/weight, ",
  );
  await expect(compiled([{ match: "**", freeze: true }])).rejects.toThrow("nothing is left to train");
  await expect(
    compiled([
      { match: "**", freeze: true },
      { match: "head", freeze: false },
    ]),
  ).resolves.toBeDefined();
});

test.each<[pattern: string, matches: string[]]>([
  ["**", ["a/b/weight", "a/bb/weight", "a/b/c/bias", "weight"]],
  ["**/weight", ["a/b/weight", "a/bb/weight", "weight"]],
  ["a/b", ["a/b/weight", "a/b/c/bias"]],
  ["a/b*", ["a/b/weight", "a/bb/weight", "a/b/c/bias"]],
  ["a/*/weight", ["a/b/weight", "a/bb/weight"]],
  ["a/**/bias", ["a/b/c/bias"]],
  ["**/b/**", ["a/b/weight", "a/b/c/bias"]],
  ["*", ["a/b/weight", "a/bb/weight", "a/b/c/bias", "weight"]],
])("the pattern %s", (pattern, matches) => {
  expect(matching(pattern, ["a/b/weight", "a/bb/weight", "a/b/c/bias", "weight"], "x", "parameter")).toEqual(matches);
});
