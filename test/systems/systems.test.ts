/** The systems in models/: equal to their references, causal, the same token by token, and on several devices as on one. */
import { fileURLToPath } from "node:url";
import { type System, systems } from "../../bench/systems.js";
import { leavesWithPaths } from "../../compiler/tree.js";
import { compile } from "../../emit/compile.js";
import { resolveConfig } from "../../emit/config.js";
import type { LanguageModel } from "../../models/language_model.js";
import { type Batch, examplesOf } from "../../models/train/batch.js";
import { firstState } from "../../models/train/state.js";
import { trainStep } from "../../models/train/train_step.js";
import { tensor as given } from "../../ops/array.js";
import { grad, scan } from "../../ops/control.js";
import { full } from "../../ops/functions.js";
import { type Parameter, parameters } from "../../ops/module.js";
import { key } from "../../ops/random.js";
import { collect } from "../../ops/report.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import type { WireTensor } from "../../runtime-bridge/worker.js";
import { inOrder } from "../language/harness.js";
import { drawn, tokensOf } from "../models/drawn.js";
import { expectClose, numbers, referenceOf, relativeError, tensor } from "../oracle/oracle.js";
import { gradientDifference, lossDifference, trainAll, weightDifference } from "../parallel/support.js";
import { temporaryFolder } from "../runtime/support.js";

const table = Object.entries(systems);
const folder = temporaryFolder();
const SLOW = 900_000;

/**
 * The reference has sines and cosines of positions in turns where the model has them in halves: the same model, with the width in another
 * order.
 */
function asInReference(name: string, x: Tensor): WireTensor {
  const axis = name === "xenarcai_char" ? x.names.indexOf("embed") : -1;
  const wire = inOrder(x, x.names);
  if (axis < 0) return wire;
  const size = wire.shape[axis]!;
  const inner = wire.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const from = numbers(wire) as number[];
  const place = (i: number) => (i % 2) * (size / 2) + Math.floor(i / 2);
  return tensor(
    wire.dtype,
    wire.shape,
    from.map((_, k) => {
      const [outer, i, rest] = [Math.floor(k / (size * inner)), Math.floor(k / inner) % size, k % inner];
      return from[(outer * size + place(i)) * inner + rest]!;
    }),
  );
}

/** Whether a gradient is there; of layers, in each. */
function isLearnt(gradient: Tensor): boolean {
  const layers = gradient.has("layers") ? gradient.size("layers") : 1;
  const names = [...gradient.names].sort((a, b) => Number(b === "layers") - Number(a === "layers"));
  const all = numbers(inOrder(gradient, names)) as number[];
  const size = all.length / layers;
  return Array.from({ length: layers }, (_, i) => all.slice(i * size, (i + 1) * size)).every((of) =>
    of.some((x) => x !== 0),
  );
}

test.each(table)(
  "%s: scores, gradients and 20 steps of training are the plain-JAX reference's",
  async (name, { definition, tiny, values }) => {
    const [steps, batch] = [20, 2];
    const { context, vocab } = tiny as Record<"context" | "vocab", number>;
    // An expert that is full drops in the order of the document.
    const config = { ...tiny, ...("capacity" in tiny && { priority: "choice" }) };
    const settings = { steps, batch, warmup: 3, learningRate: 3e-3, minLearningRate: 3e-4 };
    const resolved = definition.schema.parse({ model: config, train: settings });
    const declared = definition.build(resolved) as LanguageModel;
    const model = drawn(definition, config, values);
    const window = context + 1;
    const { data } = tokensOf(5, steps * batch, window, vocab);
    const ids = given({ step: steps, accumulation: 1, batch, window }, data, "i32") as Tensor;
    const { loadBalance = 0, zLoss = 0, skipLoss = 0 } = config as Record<string, number>;

    const [scores, gradients, losses, end] = await evaluate(
      (params: LanguageModel, tokens: Tensor) => {
        const first = examplesOf({ tokens: tokens.at("step", 0).at("accumulation", 0) as Tensor } as Batch<"batch">);
        const loss = (p: LanguageModel): Scalar => {
          const [{ sum, count }, { losses }] = collect(() => p.loss(first.inputs, first.targets));
          return losses.reduce((a, b) => a.add(b), sum.div(count));
        };
        const begin = firstState(declared, params, key(0), resolved.train);
        const [end, totals] = scan("step", begin, { tokens }, (state, { tokens }) => {
          const next = trainStep(declared, state, { tokens } as Batch<"accumulation" | "batch">, resolved.train);
          const reported = (figure: string, weight: number): Scalar[] =>
            Object.entries(next.metrics)
              .filter(([path]) => weight > 0 && path.endsWith(figure))
              .map(([, x]) => (x as Tensor).sum("layers").mul(weight) as unknown as Scalar);
          const all = [
            ...reported("/load_balance", loadBalance),
            ...reported("/router_z", zLoss),
            ...reported("/skip", skipLoss),
          ];
          return [next.state, all.reduce((a, b) => a.add(b), next.metrics.loss)] as const;
        });
        return [params.call(first.inputs), grad(loss)(params), totals, end.params] as const;
      },
      model,
      ids,
    );

    const weights = leavesWithPaths(model) as [string, Tensor][];
    const rows = Array.from({ length: steps * batch }, (_, i) => data.slice(i * window, (i + 1) * window));
    const cut = (from: number) =>
      tensor(
        "i32",
        [steps, batch, context],
        rows.flatMap((row) => row.slice(from, from + context)),
      );
    const expected = await referenceOf(
      name,
      Object.fromEntries(weights.map(([path, w]) => [path, asInReference(name, w)])),
      [cut(0), cut(1)],
      { config, settings },
    );
    expectClose(inOrder(scores, ["batch", "seq", "vocab"]), expected.scores, { rtol: 1e-4, atol: 1e-4 });
    const same = (tree: unknown, wanted: readonly WireTensor[], what: string, tolerance: number) =>
      (leavesWithPaths(tree) as [string, Tensor][]).forEach(([path, x], i) => {
        // What all keys have in common is nothing to the softmax: the gradient is 0 but for rounding, which AdamW makes large.
        if (path === "blocks/attention/key/bias") return;
        const difference = relativeError(asInReference(name, x.ordered(weights[i]![1].names) as Tensor), wanted[i]!);
        if (!(difference < tolerance)) throw new Error(`${what} of ${path}: ${difference}`);
      });
    same(gradients, expected.gradients, "gradient", 1e-4);
    const trained = (parameters(declared) as [string, Parameter][]).filter(([, { freeze }]) => !freeze);
    const learnt = new Map(leavesWithPaths(gradients) as [string, Tensor][]);
    expect(trained.filter(([path]) => !isLearnt(learnt.get(path)!)).map(([path]) => path)).toEqual([]);
    expectClose(inOrder(losses as Tensor, ["step"]), tensor("f32", [steps], expected.losses), {
      rtol: 1e-4,
      atol: 1e-5,
    });
    same(end, expected.weights, "weights after 20 steps", 2e-3);
  },
  SLOW,
);

/** The systems, and what of them `tiny` does not show: global tokens at fixed places, a memory that keeps what was written first. */
const { xenarcai_i2, xenith_mini } = systems as Readonly<Record<string, System>>;
const memory = xenith_mini!.tiny.memory as object;
const paths: [string, System][] = [
  ...table,
  ["xenarcai_i2, without a selector", { ...xenarcai_i2!, tiny: { ...xenarcai_i2!.tiny, selector: 0 } }],
  [
    "xenith_mini, without the newest chunk",
    { ...xenith_mini!, tiny: { ...xenith_mini!.tiny, memory: { ...memory, evict: "newest" } } },
  ],
];

test.each(paths)(
  "%s: what a token is given does not depend on those behind it, whichever is another",
  async (_, { definition, tiny, values }) => {
    const { context, vocab } = tiny as Record<"context" | "vocab", number>;
    const texts = 4;
    const { data } = tokensOf(11, texts, context, vocab);
    const by = tokensOf(12, texts, context, vocab - 1).data;
    // Each text as it is, then with the token of every place in turn another.
    const rows = Array.from({ length: texts }, (_, text) => {
      const own = data.slice(text * context, (text + 1) * context);
      const other = (at: number) => (own[at]! + 1 + by[text * context + at]!) % vocab;
      return [own, ...own.map((_, at) => own.map((id, i) => (i === at ? other(at) : id)))];
    });
    const batch = rows.flat().length;
    const scores = await evaluate(
      (m: LanguageModel, x: Tensor<"batch" | "seq">) => m.call(x),
      drawn(definition, tiny, values),
      given({ batch, seq: context }, rows.flat(2), "i32"),
    );
    const all = numbers(inOrder(scores, ["batch", "seq", "vocab"])) as number[];
    const part = (row: number, from: number, to: number) =>
      all.slice((row * context + from) * vocab, (row * context + to) * vocab);
    for (const [text, ofText] of rows.entries())
      for (let at = 0; at < context; at++) {
        const [own, changed] = [text * ofText.length, text * ofText.length + 1 + at];
        const before = (row: number) => tensor("f32", [at, vocab], part(row, 0, at));
        expectClose(before(changed), before(own), { rtol: 1e-5, atol: 1e-5 });
        expect(part(changed, at, at + 1)).not.toEqual(part(own, at, at + 1));
      }
  },
  SLOW,
);

test.each(table)(
  "%s: a token after another gives the scores of all at once",
  async (_, { definition, tiny, roomy, values }) => {
    const { context, vocab } = tiny as Record<"context" | "vocab", number>;
    const [from, to] = [3, 7];
    const model = drawn(definition, { ...tiny, ...roomy }, values);
    const [all, steps] = await evaluate(
      (m: LanguageModel, tokens: Tensor<"batch" | "seq">) => {
        const length = full({ batch: 2 }, from, "i32");
        let { cache } = m.run(tokens.slice("seq", 0, from).pad("seq", 0, context - from), { length });
        const steps = [];
        for (let at = from; at < to; at++) {
          const one = tokens.slice("seq", at, at + 1);
          const next = m.run(one, { positions: one.mul(0).add(at), cache });
          cache = next.cache;
          steps.push(m.logits<"batch" | "seq">(next.hidden));
        }
        return [m.call(tokens).slice("seq", from, to), steps] as const;
      },
      model,
      tokensOf(3, 2, context, vocab).ours,
    );
    const wanted = numbers(inOrder(all, ["seq", "batch", "vocab"])) as number[];
    const got = steps.flatMap((s) => numbers(inOrder(s, ["seq", "batch", "vocab"])) as number[]);
    expectClose(tensor("f32", [got.length], got), tensor("f32", [wanted.length], wanted), { rtol: 1e-4, atol: 1e-4 });
  },
  SLOW,
);

test.each(table)(
  "%s: trains on 8 devices as on one",
  async (_, { definition, tiny, roomy, sharding }) => {
    // What the router's losses are of a part of the batch is another number.
    const model = { ...tiny, ...roomy, context: 8, ...("moe" in tiny || "experts" in tiny ? { loadBalance: 0 } : {}) };
    const train = { batch: 4, warmup: 2, steps: 10 };
    const configs = [{}, { mesh: { fsdp: 2, context: 2, tensor: 2 }, ...(sharding && { sharding }) }].map((c) => ({
      model,
      train,
      ...c,
    }));
    const [one, run] = await trainAll(folder, definition, configs, 3);
    const [gradient, ofGradient] = gradientDifference(run!);
    const [weight, ofWeight] = weightDifference(run!);
    const found = { loss: lossDifference(run!, one!), [gradient]: ofGradient, [weight]: ofWeight };
    expect(Object.entries(found).filter(([, difference]) => !(difference < 1e-4))).toEqual([]);
  },
  2 * SLOW,
);

test.each([
  // Counted by hand from the documents' sizes, and by test/systems/reference.
  ["xenarcai_600b", "full.yaml", [], 136.5e9],
  ["xenarcai_600b", "full.yaml", ["model.gated=true"], 175.2e9],
  ["xenarcai_600b", "600b.yaml", [], 581e9],
  ["xenarcai_char", "full.yaml", [], 87.0e9],
  ["xenarcai_i2", "full.yaml", [], 50.4e9],
  ["xenarcai_v2", "full.yaml", [], 6.74e9],
  ["xenarcai_v2", "moe13b.yaml", [], 12.9e9],
  ["xenith_mini", "full.yaml", [], 155.2e9],
  ["xenith_mini", "full.yaml", ["model.memory=null"], 151.4e9],
  ["xenith_mini", "full.yaml", ["model.memory=null", "model.experts=8"], 49.9e9],
])("%s, %s %p: parameters as reckoned, and a train step that traces", async (system, file, overrides, parameters) => {
  const { definition } = systems[system]!;
  const yamlFile = fileURLToPath(new URL(`../../models/${system}/${file}`, import.meta.url));
  const config = resolveConfig(definition.schema, { yamlFile, overrides });
  expect(Math.abs(definition.parameters(config) / parameters - 1)).toBeLessThan(0.005);
  const { text } = await compile(definition, config, { only: ["train_step"], locations: false });
  expect(text).toContain("stablehlo.while");
});
