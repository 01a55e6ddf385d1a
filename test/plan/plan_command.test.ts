import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jest } from "@jest/globals";
import { planCommand } from "../../cli/commands/plan.js";

const LLAMA =
  "model.context=2048 model.vocab=32768 model.embed=4096 model.heads=32 model.kvHeads=8 model.mlp=11264 model.layers=32 model.dtype=bf16";
const options = { mode: "train", confirm: 0, show: 5, json: true } as const;

/** What the command prints as JSON. */
async function plan(settings: string, more: Partial<Parameters<typeof planCommand>[1]>) {
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await planCommand(["models/llama.ts", ...settings.split(" ")], { ...options, ...more });
  } finally {
    spy.mockRestore();
  }
  return JSON.parse(written.join(""));
}

test("512 chips are planned in 10 seconds, with days, dollars and a page", async () => {
  const html = join(await mkdtemp(join(tmpdir(), "xenarc-")), "plan.html");
  const found = await plan(`${LLAMA} train.batch=512`, { target: "tpu:v5p:8x8x8", tokens: 1e13, price: 4.2, html });
  expect(found.seconds).toBeLessThan(10);
  const [best] = found.rows;
  expect(best.fits).toBe(true);
  expect(Object.values(best.mesh as Record<string, number>).reduce((a, b) => a * b, 1)).toBe(512);
  expect(best.tokensPerSecond).toBeCloseTo((512 * 2048) / best.estimate.step, 3);
  expect(best.mfu).toBeLessThanOrEqual(1);
  expect(found.run.days).toBeCloseTo(1e13 / best.tokensPerSecond / 86_400, 9);
  expect(found.run.dollars).toBeCloseTo(found.run.days * 24 * 512 * 4.2, 3);
  expect(await readFile(html, "utf8")).toContain("<svg");
});

test("what does not fit is said, with what would", async () => {
  const found = await plan(`${LLAMA} train.batch=16`, { target: "tpu:v5e:2x2" });
  expect(found.rows[0].fits).toBe(false);
  expect(found.instead[0]).toMatch(/^a larger pod: --target tpu:v5e:\d+x\d+$/);
});

test("decoding: the largest batches that fit", async () => {
  const found = await plan(LLAMA, { target: "tpu:v5e:4x4", mode: "decode" });
  const [best] = found.rows;
  expect(best.fits).toBe(true);
  expect(best.tokensPerSecond).toBeCloseTo(best.batch / best.estimate.step, 6);
});

test("efficiency against chips: of the first line's tokens a chip", async () => {
  const found = await plan(`${LLAMA} train.batch=256`, { target: "tpu:v5p:4x4x4", scaling: [64, 128], show: 1 });
  const [first, second] = found.scaling;
  expect(first).toMatchObject({ chips: 64, efficiency: 1 });
  expect(second.efficiency).toBeCloseTo(second.tokensPerSecond / 128 / (first.tokensPerSecond / 64), 9);
});
