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

test.each([
  ["gpu:h100:8", [], "there is no compiler for GPUs without one."],
  ["tpu:v5e:2x2", ["--no-ahead"], "it is made ahead of time."],
])("HLO for %s %j cannot be written", async (target, more, why) => {
  const cwd = folder();
  const { code, err } = await compile(cwd, "--target", target, "--dump-hlo", ...more);
  expect([code, err]).toEqual([2, expect.stringContaining(`XLA's HLO for ${target} cannot be written: ${why}`)]);
  expect(existsSync(join(cwd, "a"))).toBe(false);
});
