/** What an evaluation says is what anybody else computes from the same weights and the same text; of a damaged checkpoint it says nothing. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { evaluateRun, type RuntimeEvent, train } from "../../runtime-bridge/bridge.js";
import { problem, python, temporaryFolder } from "./support.js";

const CONTEXT = 16;
const folder = temporaryFolder();
const [artifact, run, text] = ["artifact", "run", "text.txt"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const last: { loss?: number | null } = {};
beforeAll(async () => {
  const words = "the horse is not to be, or that is the question: a king of houses, noble and leading".split(" ");
  const drawn = Array.from({ length: 900 }, (_, i) => words[(i * i * 7 + (i >> 3)) % words.length]);
  writeFileSync(text, drawn.join(" "));
  const config = {
    model: { layers: 1, heads: 2, embed: 16, context: CONTEXT, vocab: 1024, dropout: 0.5 },
    train: { batch: 4, steps: 20, warmup: 2, learningRate: 0.01 },
    data: { path: text, tokenizer: "test/fixtures/tokenizers/mistral-style", validation: 0.1 },
    eval: { every: 10 },
    checkpoint: { every: 10 },
    log: { tensorboard: false },
  };
  await (await compile(charTransformer, config, { locations: false })).write(artifact);
  await train({ artifact, run }, (event) => {
    if (event.event === "eval") last.loss = event.loss;
  });
}, 240_000);

test("the loss while training, that of `eval` and one computed by hand are the same; so are bits a byte", async () => {
  const found = await evaluateRun({ artifact, run });
  expect(found.step).toBe(20);
  expect(found.loss).toBe(last.loss);
  const said = await python("evaluated.py", artifact, run, text, `${CONTEXT}`);
  const expected = JSON.parse(said.split("\n").at(-1)!);
  expect(found.tokens).toBe(expected.tokens);
  expect(Math.abs(found.loss! / expected.loss - 1)).toBeLessThan(1e-5);
  expect(found.loss).toBeLessThan(Math.log(1024) - 0.5);
  expect(found.perplexity).toBeCloseTo(Math.exp(expected.loss), 1);

  // Every token but the first, which is "▁the▁", is a target, and the text is ASCII: a byte a character.
  const whole = await evaluateRun({ artifact, run, data: text });
  const bytes = readFileSync(text).length - "the ".length;
  expect(whole.bytes).toBe(bytes);
  expect(whole.bits_per_byte).toBeCloseTo((whole.loss! * whole.tokens) / Math.LN2 / bytes, 10);
}, 120_000);

test("a checkpoint in which a bit has turned is not evaluated", async () => {
  const turn = (step: number) => {
    const items = join(run, "checkpoints", `${step}`, "params");
    const name = readdirSync(items, { recursive: true, encoding: "utf8" }).find((file) => /(^|\/)d\/\w+$/.test(file))!;
    const bytes = readFileSync(join(items, name));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(items, name), bytes);
  };
  const before = await evaluateRun({ artifact, run, step: 10 });
  turn(20);
  const events: RuntimeEvent[] = [];
  expect(await evaluateRun({ artifact, run }, (event) => events.push(event))).toEqual(before);
  const warned = events.flatMap((event) => (event.event === "log" ? [`${event.level}: ${event.message}`] : []));
  expect(warned).toEqual([
    expect.stringMatching(
      /^warning: .*20 is damaged: params\/.* is not what was written: .* Going on with .* step 10\.$/,
    ),
  ]);
  expect(await problem(() => evaluateRun({ artifact, run, step: 20 }))).toMatch(/20 is damaged: params\//);
  turn(10);
  expect(await problem(() => evaluateRun({ artifact, run }))).toMatch(/No checkpoint of .* is sound\./);
}, 120_000);
