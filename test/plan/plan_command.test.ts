import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jest } from "@jest/globals";
import { planCommand } from "../../cli/commands/plan.js";
import { render } from "../../cli/plan_text.js";
import { parseTarget } from "../../compiler/plan/target.js";

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

test("512 chips are planned, with days, dollars and a page", async () => {
  const html = join(await mkdtemp(join(tmpdir(), "xenarc-")), "plan.html");
  const found = await plan(`${LLAMA} train.batch=512`, { target: "tpu:v5p:8x8x8", tokens: 1e13, price: 4.2, html });
  const [best] = found.rows;
  expect(best.fits).toBe(true);
  expect(Object.values(best.mesh as Record<string, number>).reduce((a, b) => a * b, 1)).toBe(512);
  expect(best.tokensPerSecond).toBeCloseTo((512 * 2048) / best.estimate.step, 3);
  expect(best.mfu).toBeLessThanOrEqual(1);
  expect(found.run.days).toBeCloseTo(1e13 / best.tokensPerSecond / 86_400, 9);
  expect(found.run.dollars).toBeCloseTo(found.run.days * 24 * 512 * 4.2, 3);
  expect(found.settings).toEqual(expect.arrayContaining(["target=tpu:v5p:8x8x8", `mesh.tensor=${best.mesh.tensor}`]));
  const written = await readFile(html, "utf8");
  expect(written).toContain("Memory of a device");
  // A bar for each part of each row's memory, and no name that is not escaped.
  expect(written.match(/<title>parameters: /g)).toHaveLength(found.rows.length);
  expect(written).not.toMatch(/undefined|NaN/);
});

test("what the optimizer keeps goes to the host where nothing fits without", async () => {
  const { rows } = await plan(`${LLAMA} train.batch=16`, { target: "tpu:v5e:2x4", show: 100 });
  for (const { fits, offload, estimate } of rows) {
    if (!fits) continue;
    expect(estimate.host > 0 && estimate.memory.host > 0).toBe(offload);
  }
  expect(rows.some((row: { offload: boolean }) => row.offload)).toBe(true);
});

test("tables are as wide as they may be", () => {
  const target = parseTarget("tpu:v5e:4x4");
  const memory = {
    parameters: 1,
    optimizer: 1,
    rest: 0,
    gradients: 1,
    activations: 2 ** 30,
    code: 1,
    total: 2 ** 30 + 4,
    host: 0,
  };
  const times = { compute: 1, traffic: 0.5, network: 0.1, host: 0, step: 1, bound: "compute" } as const;
  const estimate = { memory, flops: 1, bytes: 1, sent: {}, across: 0, ...times };
  const mesh = { data: 2, stage: 1, fsdp: 2, expert: 1, context: 1, tensor: 4 };
  const choice = { mesh, remat: "nothing", accumulation: 1, offload: true } as const;
  const row = { ...choice, estimate, fits: true, batch: 64, tokensPerSecond: 1e6, mfu: 0.5 };
  const shown = {
    name: "m",
    target,
    mode: "train",
    seconds: 1,
    rows: [row],
    considered: 1,
    settings: ["xenarc", "train"],
  } as const;
  const plain = { bold: String, dim: String, red: String, green: String };
  for (const width of [80, 120]) {
    expect(Math.max(...render(shown, width, plain).map((line) => line.length))).toBeLessThanOrEqual(width);
  }
  expect(render(shown, 120, plain).slice(3, 5)).toMatchInlineSnapshot(`
[
  "  mesh                        kept                batch    memory    step  tokens/s     MFU  bound by",
  "  data 2 x fsdp 2 x tensor 4  nothing + moments  1 x 64  1.00 GiB  1.00 s    1.00 M  50.0 %  computing",
]
`);
});

test("what does not fit is said, with what would", async () => {
  const found = await plan(`${LLAMA.replace("layers=32", "layers=64")} train.batch=16`, { target: "tpu:v5e:2x2" });
  expect(found.rows[0].fits).toBe(false);
  expect(found.instead[0]).toMatch(/^a larger pod: --target tpu:v5e:\d+x\d+$/);
});

test("decoding: the largest batches that fit", async () => {
  const found = await plan(LLAMA, { target: "tpu:v5e:4x4", mode: "decode" });
  const [best] = found.rows;
  expect(best.fits).toBe(true);
  expect(best.tokensPerSecond).toBeCloseTo(best.batch / best.estimate.step, 6);
});

test("decoding: a long text's cache lies over the pod by position, and the command says so", async () => {
  const long = LLAMA.replace("context=2048", "context=1048576")
    .replace("kvHeads=8", "kvHeads=2")
    .replace("layers=32", "layers=16");
  const config = join(await mkdtemp(join(tmpdir(), "xenarc-")), "generate.yaml");
  await writeFile(config, "generate: { batch: 1 }\n");
  const found = await plan(long, { target: "tpu:v5e:4x4", mode: "decode", config, show: 100 });
  const [best] = found.rows;
  // One sequence's keys and values in bfloat16, which lie over all devices: more than one has room for, or two.
  const cache = 2 * 16 * 2 * 128 * 1048576 * 2;
  expect(best.fits && best.mesh.context > 1).toBe(true);
  expect(best.estimate.memory.rest).toBeGreaterThanOrEqual((best.batch * cache) / 16);
  expect(best.estimate.memory.rest).toBeLessThan((1.1 * best.batch * cache) / 16);
  expect(found.settings).toEqual(
    expect.arrayContaining([
      "--config",
      config,
      `mesh.context=${best.mesh.context}`,
      "'sharding.activations.key=[context]'",
    ]),
  );
  const whole = found.rows.filter(({ mesh }: { mesh: { context: number } }) => mesh.context === 1);
  expect(whole.filter(({ fits }: { fits: boolean }) => fits)).toEqual([]);
});

test("efficiency against chips: of the first line's tokens a chip", async () => {
  const found = await plan(`${LLAMA} train.batch=256`, { target: "tpu:v5p:4x4x4", scaling: [64, 128], show: 1 });
  const [first, second] = found.scaling;
  expect(first).toMatchObject({ chips: 64, efficiency: 1 });
  expect(second.efficiency).toBeCloseTo(second.tokensPerSecond / 128 / (first.tokensPerSecond / 64), 9);
});
