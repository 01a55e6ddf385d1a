/** transformers and PEFT open what is exported. Their packages are an environment of their own, made here. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../emit/compile.js";
import { llama, type ModelDefinition, mixtral } from "../../models/index.js";
import { temporaryFolder } from "../runtime/support.js";
import { pythonWithPackages } from "./support.js";

const folder = temporaryFolder();
const python = pythonWithPackages();

const sizes = { context: 32, vocab: 256, layers: 2, heads: 4, kvHeads: 2, embed: 32 };

test.each([
  ["llama", llama, { ...sizes, mlp: 80, theta: 500, epsilon: 1e-4 }],
  ["mixtral", mixtral, { ...sizes, mlp: 48, experts: 4 }],
] as const)("%s: transformers and PEFT compute what xenarc computes", async (name, model, config) => {
  const train = { steps: 30, batch: 4, learningRate: 0.02, warmup: 5 };
  const settings = { model: config, train, eval: { every: 0 }, generate: { batch: 2 } };
  const only = ["init", "train_step", "forward"];
  const written = async (kind: string, more: object) => {
    const artifact = join(folder, `${name}-${kind}`);
    await (await compile(model as ModelDefinition, { ...settings, ...more }, { only, locations: false })).write(
      artifact,
    );
    return artifact;
  };
  const [base, adapted] = [await written("base", {}), await written("adapted", { lora: { rank: 4, alpha: 8 } })];
  const text = join(folder, "text.txt");
  writeFileSync(text, "the quick brown fox jumps over the lazy dog. ".repeat(100));
  const into = join(folder, name);
  mkdirSync(into);
  expect(await python("exports.py", base, adapted, text, into)).toMatch(/equal$/);
});
