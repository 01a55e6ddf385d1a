/** What the character transformer compiles to, at a size that can be read. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadModule } from "../../compiler/source/load.js";
import { compile } from "../../emit/compile.js";
import charTransformer from "../../models/char_transformer.js";
import type { ModelDefinition } from "../../models/define.js";

const small = { model: { layers: 2, heads: 2, embed: 16, context: 8 }, train: { batch: 2 } };
const readable = { locations: false };
const EXAMPLE = new URL("../../examples/char-transformer/model.ts", import.meta.url);

test.each(["forward", "train_step", "decode_step"])("%s", async (entry) => {
  const { text } = (await compile(charTransformer, small, { ...readable, only: [entry] })).program(entry);
  expect(text).toMatchGolden(entry);
});

test("a layer's gradient needs few transposes", async () => {
  const { text } = (await compile(charTransformer, small, readable)).program("train_step");
  // Attention brings three tensors from one order to another in the backward pass of a layer; plain JAX has 12 in this step.
  expect(text.split("stablehlo.transpose").length - 1).toBeLessThanOrEqual(5);
});

test("depth changes digits only", async () => {
  const text = async (layers: number) =>
    (
      await compile(charTransformer, { ...small, model: { ...small.model, layers } }, { only: ["train_step"] })
    ).text.replace(/\d+/g, "");
  expect(await text(96)).toBe(await text(3));
});

test("the example that projects begin with is the library's model", async () => {
  const example = (await loadModule(fileURLToPath(EXAMPLE))).default as ModelDefinition;
  const plain = { ...readable, names: "canonical" } as const;
  expect((await compile(example, small, plain)).text).toBe((await compile(charTransformer, small, plain)).text);
});

test("the same source and configuration give the same bytes, wherever the project lies", async () => {
  const source = readFileSync(EXAMPLE, "utf8");
  const texts = [];
  for (let i = 0; i < 2; i++) {
    const folder = mkdtempSync(join(tmpdir(), "xenarc-place-"));
    writeFileSync(join(folder, "package.json"), '{ "name": "place", "type": "module" }');
    writeFileSync(join(folder, "model.ts"), source);
    const model = (await loadModule(join(folder, "model.ts"))).default as ModelDefinition;
    texts.push((await compile(model, small)).text);
    rmSync(folder, { recursive: true });
  }
  expect(texts[0]).toContain('"model.ts":');
  expect(texts[1]).toBe(texts[0]);
});
