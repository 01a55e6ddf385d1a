import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { llama, type ModelDefinition, mixtral } from "../../models/index.js";
import { here, python, temporaryFolder, writeText } from "./support.js";

const folder = temporaryFolder();
const fixture = (name: string): string => here(`hugging_face/${name}`);

/** The sizes of the fixtures, which transformers made. */
const sizes = { context: 48, layers: 2, heads: 4, kvHeads: 2, embed: 32, vocab: 160 };

test.each([
  ["llama", llama, { ...sizes, mlp: 80 }],
  ["mixtral", mixtral, { ...sizes, mlp: 48, experts: 8 }],
] as const)(
  "%s: weights of transformers give its logits, and come out again bit for bit",
  async (name, model, config) => {
    const artifact = join(folder, `${name}-artifact`);
    mkdirSync(join(folder, name));
    const only = ["forward"];
    const settings = { model: config, generate: { batch: 2 } };
    await (await compile(model as ModelDefinition, settings, { only, locations: false })).write(artifact);
    expect(await python("weights.py", "hugging_face", artifact, fixture(name), join(folder, name))).toMatch(/equal$/);
  },
);

test("says what does not fit of weights that are another model's", async () => {
  mkdirSync(join(folder, "refused"));
  const said = await python(
    "weights.py",
    "refused",
    join(folder, "llama-artifact"),
    fixture("llama"),
    join(folder, "refused"),
  );
  expect(said.replaceAll(join(folder, "refused/"), "").split("\n")).toMatchSnapshot();
});

test("refuses safetensors files and indexes that lie", async () => {
  mkdirSync(join(folder, "damaged"));
  const said = await python("weights.py", "damaged", fixture("llama"), join(folder, "damaged"));
  expect(said.split("\n")).toMatchSnapshot();
});

test("adapters alone are trained; exported by themselves and merged they are the same model", async () => {
  const artifact = join(folder, "adapted-artifact");
  const settings = {
    model: { ...sizes, mlp: 80 },
    train: { steps: 30, batch: 4, learningRate: 0.03, warmup: 5 },
    eval: { every: 0 },
    log: { every: 1 },
    generate: { batch: 2 },
    checkpoint: { every: 15 },
    lora: { rank: 4, alpha: 8, dropout: 0.1 },
  };
  const only = ["init", "train_step", "forward"];
  await (await compile(llama as ModelDefinition, settings, { only, locations: false })).write(artifact);
  const into = join(folder, "adapted");
  mkdirSync(into);
  const text = join(folder, "text.txt");
  writeFileSync(text, "the quick brown fox jumps over the lazy dog. ".repeat(60));
  const said = await python(
    "weights.py",
    ...["adapted", join(folder, "llama-artifact"), artifact, fixture("llama"), text, into],
  );
  const lines = said.split("\n").filter((line) => !line.startsWith("{"));
  expect(lines.map((line) => line.replaceAll(`${into}/`, ""))).toMatchInlineSnapshot(`
[
  "base gone: run/checkpoints/15 holds adapters alone, and the weights that they stand beside, at base, are no longer there. Bring them back there; a link to where they are now will do.",
  "base changed: run/checkpoints/15 holds adapters alone, and the weights that they stand beside, at base, are not those with which the run began: files there have changed. Bring them back there; a link to where they are now will do.",
  "base changed, export: run/checkpoints/15 holds adapters alone, and the weights that they stand beside, at base, are not those with which the run began: files there have changed. Bring them back there; a link to where they are now will do.",
  "equal",
]
`);
});

test("weights are written every so many steps, and again where a run ended before", async () => {
  const artifact = join(folder, "periodic-artifact");
  const settings = {
    model: { layers: 2, heads: 2, embed: 32, context: 16 },
    train: { steps: 30, batch: 4, warmup: 5 },
    eval: { every: 0 },
    log: { tensorboard: false },
    checkpoint: { every: 10, weights: { every: 10, shardSize: "20KB", dtype: "bf16" } },
  };
  await (await compile(charTransformer, settings, { only: ["init", "train_step"], locations: false })).write(artifact);
  const into = join(folder, "periodic");
  mkdirSync(into);
  const said = await python("weights.py", "periodic", artifact, writeText(folder), into);
  expect(said).toMatch(/equal$/);
  const events = said.split("\n").filter((line) => line.startsWith('{"event": "weights"'));
  expect(events.map((line) => JSON.parse(line).step)).toEqual([10, 20, 30, 30]);
});

test("refuses adapters that lie, or are not the model's", async () => {
  const into = join(folder, "peft");
  mkdirSync(into);
  const said = await python(
    "weights.py",
    "peft",
    join(folder, "adapted-artifact"),
    join(folder, "llama-artifact"),
    into,
  );
  expect(said.replaceAll(`${into}/`, "").split("\n")).toMatchSnapshot();
});
