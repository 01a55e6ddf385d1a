/** `compile --target`: the TPU compiler's verdict, as a newcomer asks for it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folder, root, SLOW, xenarc } from "./command.js";

const SIZES = { context: 256, layers: 2, heads: 4, kvHeads: 2, embed: 256, mlp: 512, vocab: 512 };
const words = Object.entries(SIZES).map(([key, value]) => `model.${key}=${value}`);
const compile = (cwd: string, ...args: string[]) =>
  xenarc({ cwd }, "compile", join(root, "models/llama.ts"), ...words, "train.batch=8", "-o", "a", ...args);

test(
  "MFU counts what the model needs, however often the program computes it, and whatever else is compiled",
  async () => {
    // Of a token, forward: two for each weight of a product; scores and what they weigh, of all positions.
    const { context, layers, embed, mlp, vocab } = SIZES;
    const weights = layers * (2 * embed * embed + 2 * embed * (embed / 2) + 3 * embed * mlp) + embed * vocab;
    const forward = 2 * weights + layers * 4 * context * embed;
    const needed = 3 * forward * 8 * context;
    const BF16 = 197e12;
    for (const remat of ["everything", "nothing"]) {
      const cwd = folder();
      const args = ["--only", "train_step", "--target", "tpu:v5e:2x2", "mesh.fsdp=4", "--dump-hlo", "--json"];
      const { code, out } = await compile(cwd, `model.remat=${remat}`, ...args);
      expect(code).toBe(0);
      const { verdict, hlo } = JSON.parse(out);
      const { mfu, step } = verdict[0].verdict.roofline;
      // Norms, softmax and the optimizer's like are the rest.
      const counted = (mfu * step * 4 * BF16) / needed;
      expect([remat, counted > 1 && counted < 1.1, counted]).toEqual([remat, true, expect.any(Number)]);
      expect(readdirSync(join(cwd, hlo))).toEqual(["train_step.hlo.txt"]);
      expect(readFileSync(join(cwd, hlo, "train_step.hlo.txt"), "utf8")).toMatch(/^HloModule/);
      expect(readdirSync(cwd).sort()).toEqual(["a", "a-hlo"]);
    }
  },
  SLOW,
);

test(
  "micro-batches whose gradients of the embedding meet in bf16 compile for a TPU",
  async () => {
    const settings = ["mesh.fsdp=4", "train.accumulation=4", "model.dtype=bf16", "model.remat=nothing"];
    const { code, out } = await compile(folder(), "--only", "train_step", "--target", "tpu:v6e:2x2", ...settings);
    expect([code, out]).toEqual([0, expect.stringMatching(/train_step {2}fits/)]);
  },
  SLOW,
);

test.each([
  ["gpu:h100:8", [], "there is no compiler for GPUs without one."],
  ["tpu:v5e:2x2", ["--no-ahead"], "it is made ahead of time."],
])("HLO for %s %j cannot be written", async (target, more, why) => {
  const cwd = folder();
  const { code, err } = await compile(cwd, "--target", target, "--dump-hlo", ...more);
  expect([code, err]).toEqual([2, expect.stringContaining(`XLA's HLO for ${target} cannot be written: ${why}`)]);
  expect(existsSync(join(cwd, "a"))).toBe(false);
});

test(
  "what does not fit is said with the largest buffers, by the author's names",
  async () => {
    const { code, out } = await compile(
      folder(),
      "--only",
      "train_step",
      "--target",
      "tpu:v5e:2x2",
      "train.batch=65536",
    );
    expect(code).toBe(0);
    expect(out).toMatch(
      /train_step {2}does not fit: it needs \d[\d.]+ GiB a device, \d[\d.]+ GiB more than the 15\.75 GiB/,
    );
    expect(out).toMatch(/\n +[\d.]+ GiB {2}f32 layers 2, batch 65536, seq 256, mlp 512 +blocks\/mlp\//);
    expect(out).toMatch(/What fits: xenarc plan --target tpu:v5e:2x2/);
  },
  SLOW,
);

test(
  "the costliest operations have the lines of the author's file",
  async () => {
    const model = join(root, "examples/llama/model.ts");
    const { code, out } = await xenarc({ cwd: folder() }, "compile", model, "--target", "cpu:2", "--only", "prefill");
    expect(code).toBe(0);
    const source = readFileSync(model, "utf8").split("\n");
    const at = (operation: string) =>
      new RegExp(`  blocks/${operation} +\\S*examples/llama/model\\.ts:(\\d+)\n`).exec(out)?.[1];
    expect(source[Number(at("mlp/down/dot_general")) - 1]).toContain("this.mlp.call(");
    expect(source[Number(at("attention/query/dot_general")) - 1]).toContain("this.attention.call");
  },
  SLOW,
);

test("of GPUs there is an estimate", async () => {
  const { context, layers, embed, mlp, vocab } = SIZES;
  const layer = 2 * embed * embed + 2 * embed * (embed / 2) + 3 * embed * mlp + 2 * embed;
  const parameters = 4 * (layers * layer + 2 * vocab * embed + embed);
  const args = ["--only", "train_step", "--target", "gpu:h100:4", "mesh.fsdp=4"] as const;
  const { out } = await compile(folder(), ...args, "--json");
  const [{ estimate, buffers }] = JSON.parse(out).verdict;
  expect(estimate.memory.parameters).toBe(parameters / 4);
  expect(estimate.memory.optimizer).toBe(parameters / 2);
  // Of a token, forward and backward: two operations for each weight of a product. Attention comes on top.
  const weights = layers * (layer - 2 * embed) + vocab * embed;
  const products = (3 * 2 * weights * 8 * context) / 4;
  expect(estimate.flops / products).toBeGreaterThan(1);
  expect(estimate.flops / products).toBeLessThan(1.5);
  expect(estimate.step).toBe(Math.max(estimate.compute, estimate.traffic, estimate.network));
  expect(buffers).toContainEqual(
    expect.objectContaining({ name: "blocks/mlp/multiply", bytes: layers * 8 * context * mlp }),
  );
  const text = await compile(folder(), ...args);
  expect(text.out).toMatch(/train_step {2}an estimate: .*\n {2}fits: [\d.]+ MiB of 74\.51 GiB a device\n/);
});
