/** The train step against the same model in plain JAX and optax, and generation against the model's own full forward pass. */

import { z } from "zod";
import { compile } from "../../emit/compile.js";
import charTransformer from "../../models/char_transformer.js";
import { defineModel, type ModelDefinition } from "../../models/define.js";
import { LanguageModel, type RunOptions } from "../../models/language_model.js";
import { Embedding, Linear } from "../../models/layers/index.js";
import { scan } from "../../ops/control.js";
import { iota, where, zeros } from "../../ops/functions.js";
import type { Tensor as Axes } from "../../ops/tensor.js";
import {
  canonical,
  tokens as drawTokens,
  execute,
  expectClose,
  numbers,
  relativeError,
  tensor,
  trainNanogpt,
  verify,
} from "../oracle/oracle.js";

type Tensor = ReturnType<typeof tensor>;

const model = { layers: 2, heads: 2, embed: 32, context: 24, bias: false };
const train = { steps: 100, batch: 6, warmup: 10, learningRate: 1e-2, minLearningRate: 1e-3 };
const ENTRY_POINTS = ["init", "train_step", "eval_step", "forward", "prefill", "decode_step"];

/** Runs an entry point on inputs by name; results by name. */
async function entryOf(
  definition: ModelDefinition,
  config: object,
  name: string,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const { text, program } = (await compile(definition, config, { only: [name], locations: false })).program(name);
  const out = await execute(
    text,
    program.inputs.map((p) => {
      const given = inputs[p.name];
      if (!given) throw new Error(`no input ${p.name}`);
      return given;
    }),
  );
  return Object.fromEntries(program.outputs.map((p, i) => [p.name, out[i] as Tensor]));
}

const entry = (config: object, name: string, inputs: Readonly<Record<string, Tensor>>) =>
  entryOf(charTransformer, config, name, inputs);

const key = tensor("ui32", [2], [0, 42]);
const scalar = (dtype: string, value: number) => tensor(dtype, [], [value]);

test("every entry point is verified by MLIR, and its canonical text is what jaxlib prints", async () => {
  const author = await compile(charTransformer, { model });
  const plain = await compile(charTransformer, { model }, { names: "canonical", locations: false });
  expect(author.programs.map((p) => p.name)).toEqual(ENTRY_POINTS);
  for (const { name, text } of author.programs) expect([name, await verify(text)]).toEqual([name, undefined]);
  for (const { text } of plain.programs) expect(await canonical(text)).toBe(text);
});

test.each([
  ["one batch", {}, {}],
  ["accumulated over micro-batches", { batch: 2, accumulation: 3 }, {}],
  ["its loss in chunks of the sequence", { lossChunk: 8 }, {}],
  ["rematerialized", {}, { remat: "nothing" }],
  ["keeping named values", {}, { remat: ["attn_out"] }],
  ["with its layers unrolled", {}, { unroll: true }],
])(
  "100 steps are those of JAX and optax: %s",
  async (_, trainMore, modelMore) => {
    const config = { model: { ...model, ...modelMore }, train: { ...train, ...trainMore } };
    let state = await entry(config, "init", { key });
    const { text, program } = (await compile(charTransformer, config, { only: ["train_step"] })).program("train_step");
    const weights = Object.fromEntries(
      Object.entries(state).flatMap(([name, t]) =>
        name.startsWith("params/") ? [[name.slice(7).replaceAll("/", "."), t]] : [],
      ),
    );
    const [steps, batch, seq] = [train.steps, train.batch, model.context];
    const all = drawTokens([steps, batch, seq + 1], 64, 7);
    const ids = numbers(all) as number[];
    const rows = (from: number, to: number) =>
      Array.from({ length: steps * batch }, (_, r) => ids.slice(r * (seq + 1) + from, r * (seq + 1) + to)).flat();
    const inputs = tensor("i32", [steps, batch, seq], rows(0, seq));
    const targets = tensor("i32", [steps, batch, seq], rows(1, seq + 1));
    const expected = await trainNanogpt(weights, inputs, targets, {
      layers: model.layers,
      heads: model.heads,
      embed: model.embed,
      mlp: 4 * model.embed,
      block: seq,
      batch,
      steps,
      warmup: train.warmup,
      rate: train.learningRate,
      final_rate: train.minLearningRate,
    });

    const tokensPort = program.inputs.find((p) => p.name === "tokens")!;
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const size = batch * (seq + 1);
      const tokens = tensor("i32", tokensPort.shape, ids.slice(step * size, (step + 1) * size));
      const out = await execute(
        text,
        program.inputs.map((p) => (p.name === "tokens" ? tokens : state[p.name]!)),
      );
      state = Object.fromEntries(program.outputs.map((p, i) => [p.name, out[i] as Tensor]));
      losses.push((numbers(state.loss!) as number[])[0]!);
    }
    expectClose(tensor("f32", [steps], losses), tensor("f32", [steps], expected.losses), { rtol: 1e-5, atol: 0 });
    for (const [name, w] of Object.entries(expected.weights)) {
      const ours = state[`params/${name.replaceAll(".", "/")}`]!;
      expect([name, relativeError(ours, w) < 1e-3]).toEqual([name, true]);
    }
  },
  120_000,
);

/** One layer whose state is carried along the sequence. */
class Recurrent extends LanguageModel<{ state: Axes<"batch" | "embed"> }> {
  readonly tokens = new Embedding({ vocab: 256 }, { embed: 32 });
  readonly mix = new Linear({ embed: 32 }, { next: 32 });
  readonly head = new Linear({ embed: 32 }, { vocab: 256 });

  run(tokens: Axes<"batch" | "seq">, { cache, length }: RunOptions<{ state: Axes<"batch" | "embed"> }> = {}) {
    const u = this.tokens.call(tokens);
    const start = cache?.state ?? zeros({ batch: tokens.size("batch"), embed: 32 });
    const at = iota({ seq: tokens.size("seq") });
    const [state, hidden] = scan("seq", start, { u, at }, (h, { u, at }) => {
      const next = u.add(this.mix.call(h).rename("next", "embed")).tanh();
      return [length ? where(at.lt(length), next, h) : next, next];
    });
    return { hidden, cache: { state } };
  }

  logits<A extends string>(hidden: Axes<A | "embed">) {
    return this.head.call<A>(hidden);
  }
}
const context = z.int().default(model.context);
const recurrent = defineModel({ name: "recurrent", config: z.strictObject({ context }), build: () => new Recurrent() });

test.each([
  ["keys and values", charTransformer, { ...model, bias: true }],
  ["a state", recurrent, {}],
])(
  "decoding with a cache gives the tokens of the full forward pass: %s",
  async (_, definition, settings) => {
    const config = { model: settings, generate: { batch: 2 } };
    const entry = (name: string, inputs: Readonly<Record<string, Tensor>>) => entryOf(definition, config, name, inputs);
    const state = await entry("init", { key });
    const { context } = model;
    const greedy = { key, temperature: scalar("f32", 0), top_k: scalar("i32", 0), top_p: scalar("f32", 1) };
    const lengths = [5, 9];
    const rows = lengths.map((n, r) =>
      Array.from({ length: context }, (_, i) => (i < n ? 65 + ((7 * i + 3 * r) % 26) : 0)),
    );

    let out = await entry("prefill", {
      ...state,
      ...greedy,
      tokens: tensor("i32", [2, context], rows.flat()),
      length: tensor("i32", [2], lengths),
    });
    for (let n = 0; n < 6; n++) {
      const next = numbers(out.next_token!) as number[];
      const logits = await entry("forward", { ...state, tokens: tensor("i32", [2, context], rows.flat()) });
      const scores = numbers(logits.logits!) as number[];
      const vocab = 256;
      lengths.forEach((length, r) => {
        const row = scores.slice((r * context + length - 1) * vocab, (r * context + length) * vocab);
        expect(next[r]).toBe(row.indexOf(Math.max(...row)));
      });
      next.forEach((token, r) => {
        rows[r]![lengths[r]!] = token;
      });
      const position = tensor("i32", [2], lengths);
      lengths.forEach((_, r) => {
        lengths[r]! += 1;
      });
      out = await entry("decode_step", {
        ...state,
        ...out,
        ...greedy,
        token: tensor("i32", [2], next),
        position,
      });
    }
  },
  60_000,
);

test("a target of -1 counts for nothing", async () => {
  const config = { model, train: { batch: 2 } };
  const state = await entry(config, "init", { key });
  const ids = numbers(drawTokens([2, model.context + 1], 64, 3)) as number[];
  const cut = ids.map((t, i) => (i % (model.context + 1) > 10 ? -1 : t));
  const whole = await entry(config, "eval_step", { ...state, tokens: tensor("i32", [2, model.context + 1], ids) });
  const part = await entry(config, "eval_step", { ...state, tokens: tensor("i32", [2, model.context + 1], cut) });
  expect(numbers(whole.count!)).toEqual([2 * model.context]);
  expect(numbers(part.count!)).toEqual([20]);
  expect((numbers(part.loss_sum!) as number[])[0]).toBeLessThan((numbers(whole.loss_sum!) as number[])[0]!);
});
