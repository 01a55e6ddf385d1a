/** What train and evaluation steps ask of the data, by configuration. */
import { z } from "zod";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { defineModel } from "../../models/define.js";
import { type Hidden, LanguageModel, type RunOptions } from "../../models/language_model.js";
import { Embedding } from "../../models/layers/index.js";
import { examplesOf } from "../../models/train/batch.js";
import { tensor } from "../../ops/array.js";
import { dot } from "../../ops/functions.js";
import type { Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";

const model = { layers: 1, heads: 2, embed: 8, context: 16 };

/** The batch ports of every entry point that has some. */
async function ports(config: object): Promise<Record<string, Record<string, readonly number[]>>> {
  const { programs } = await compile(charTransformer, config, { locations: false });
  return Object.fromEntries(
    programs.flatMap(({ name, program }) => {
      const batch = program.inputs.filter(({ role }) => role === "batch");
      return batch.length === 0 ? [] : [[name, Object.fromEntries(batch.map((port) => [port.name, port.shape]))]];
    }),
  );
}

test("the batch has what the configuration asks for", async () => {
  const train = { batch: 3, accumulation: 2 };
  const [step, evaluation] = [
    [2, 3, 17],
    [3, 17],
  ];
  expect(await ports({ model, train })).toEqual({ train_step: { tokens: step }, eval_step: { tokens: evaluation } });
  expect(await ports({ model, train, data: { packing: true, format: "chat" } })).toEqual({
    train_step: { tokens: step, segments: step, mask: step },
    eval_step: { tokens: evaluation, segments: evaluation, mask: evaluation },
  });
  const all = { packing: false, format: "completion", answersOnly: false };
  expect(Object.keys((await ports({ model, train, data: all })).train_step!)).toEqual(["tokens"]);
});

test("buckets are train steps of their own, of about as many tokens", async () => {
  const train = { batch: 4 };
  expect(await ports({ model, train, data: { buckets: [16, 5, 8] } })).toEqual({
    train_step_5: { tokens: [1, 12, 6] },
    train_step_8: { tokens: [1, 8, 9] },
    train_step: { tokens: [1, 4, 17] },
    eval_step: { tokens: [4, 17] },
  });
  // 12 sequences in 8 parts: 8 of them.
  const { train_step_5 } = await ports({
    model,
    train: { batch: 8 },
    data: { buckets: [5] },
    mesh: { data: 8 },
  });
  expect(train_step_5).toEqual({ tokens: [1, 24, 6] });
  await expect(ports({ model, data: { buckets: [32] } })).rejects.toThrow(
    "data.buckets: 32 tokens are more than the model sees at once, 16.",
  );
  await expect(ports({ model, data: { buckets: [5], packing: true } })).rejects.toThrow(
    "documents are packed into rows or batched by length, not both",
  );
});

test("programs that write are there for each length, with caches as long, and rows of the model's context elsewhere", async () => {
  const compiled = (lengths: number[]) =>
    compile(charTransformer, { model, generate: { lengths } }, { locations: false });
  const { programs } = await compiled([16, 8, 4]);
  const written = programs.filter(({ name }) => /^(prefill|decode_step|forward)/.test(name));
  const shape = ({ program }: (typeof written)[number]) =>
    program.inputs
      .find(({ name }) => name === "tokens" || name.endsWith("/key") || name === "blocks/key")
      ?.shape.join("x");
  expect(Object.fromEntries(written.map((one) => [one.name, shape(one)]))).toMatchInlineSnapshot(`
{
  "decode_step": "1x1x16x2x4",
  "decode_step_4": "1x1x4x2x4",
  "decode_step_8": "1x1x8x2x4",
  "forward": "1x16",
  "prefill": "1x16",
  "prefill_4": "1x4",
  "prefill_8": "1x8",
}
`);
  await expect(compiled([32])).rejects.toThrow("generate.lengths: 32 tokens are more than the model sees at once, 16.");
});

test("positions begin anew with each document, and targets are of the same one: by hand", async () => {
  const rows = (data: number[]) => tensor({ batch: 1, window: 9 }, data, "i32");
  const { inputs, targets, positions } = await evaluate((batch) => examplesOf<"batch">(batch), {
    tokens: rows([10, 11, 12, 13, 14, 15, 16, -1, -1]),
    segments: rows([1, 1, 1, 2, 3, 3, 3, 0, 0]),
    mask: rows([0, 1, 1, 1, 1, 0, 1, 0, 0]),
  });
  expect(inputs.toArray()).toEqual([[10, 11, 12, 13, 14, 15, 16, 0]]);
  expect(positions!.toArray()).toEqual([[0, 1, 2, 0, 0, 1, 2, 0]]);
  expect(targets.toArray()).toEqual([[11, 12, -1, -1, -1, 16, -1, -1]]);
});

/** Uses what it is told to. */
const careless = (uses: (options: RunOptions) => Tensor<"batch" | "seq"> | undefined) => {
  class Careless extends LanguageModel {
    readonly tokens = new Embedding({ vocab: 256 }, { embed: 8 });
    run(tokens: Tensor<"batch" | "seq">, options: RunOptions = {}): Hidden {
      return { hidden: this.tokens.call(uses(options)?.add(tokens) ?? tokens), cache: {} };
    }
    logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
      return dot(hidden as Tensor, this.tokens.weight, "embed") as Tensor;
    }
  }
  return defineModel({
    name: "careless",
    config: z.strictObject({ context: z.int().default(16) }),
    build: () => new Careless(),
  });
};

test("a model that does not ask for documents, or for where its tokens stand, is not trained on packed rows", async () => {
  const compiled = (...given: Parameters<typeof careless>) =>
    compile(careless(...given), { data: { packing: true } }, { only: ["train_step"] });
  await expect(compiled(({ positions }) => positions)).rejects.toThrow("run(...) was given segments, and did not use");
  await expect(compiled(({ segments }) => segments)).rejects.toThrow("run(...) was given positions, and did not use");
});
