/** Writing text on several CPU devices, held against one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { systems } from "../../bench/systems.js";
import { makeMesh } from "../../compiler/mesh.js";
import { collectives } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { type Compilable, compile } from "../../emit/compile.js";
import type { ModelDefinition } from "../../models/define.js";
import { llama, mixtral, mixtralPresets } from "../../models/index.js";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();

/** Compiles a model for several meshes, the first of one device, and runs it on all: by mesh, how far each result is from one device's. */
async function differences<C>(
  name: string,
  model: Compilable<C>,
  configs: readonly object[],
  only: readonly string[],
  length: number,
): Promise<{ readonly found: Record<string, number>[]; readonly hlo: string[] }> {
  const folders = [];
  for (const [i, config] of configs.entries()) {
    const artifact = join(folder, `${name}-${i}`);
    await (await compile(model, config, { only: [...only], locations: false })).write(artifact);
    folders.push(artifact);
  }
  const out = join(folder, `${name}.json`);
  const script = fileURLToPath(new URL("serving.py", import.meta.url));
  const { python } = await ensurePython();
  const env = { ...pythonEnv(), JAX_PLATFORMS: "cpu" };
  await execa(python, [script, ...folders, "--out", out, "--hlo", "--length", `${length}`], { env });
  return {
    found: JSON.parse(readFileSync(out, "utf8")),
    hlo: folders.map((path) => readFileSync(join(path, "decode_step.hlo.txt"), "utf8")),
  };
}

/** Sizes of which the weights are many numbers, a token few; and how the weights that split a token's rows lie. */
const WIDE = { vocab: 256, embed: 64, context: 32 };
const OVER_ALL = { parameters: { embed: ["fsdp", "context"] } };

const sized = (system: string, sizes: object): [string, ModelDefinition, object] => {
  const { definition, tiny } = systems[system]!;
  return [system, definition, { ...tiny, ...WIDE, ...sizes }];
};

test.each<[name: string, ModelDefinition, model: object, sharding: object, within: number]>([
  ["llama", llama, { ...WIDE, layers: 2, heads: 4, kvHeads: 2, mlp: 128 }, OVER_ALL, 1e-5],
  [...sized("xenarcai_600b", { mlp: 128, heads: 4, expertWidth: 96 }), OVER_ALL, 1e-5],
  [...sized("xenith_mini", { mlp: 128, expertWidth: 96 }), OVER_ALL, 1e-5],
  [
    ...sized("xenarcai_i2", { summaryChunk: 4, maxLatent: 64, latent: 64, expertWidth: 96, experts: 4, perToken: 2 }),
    {
      context: "ring",
      parameters: { embed: ["fsdp", "context"], latent: ["context", "fsdp", "tensor"], expert: ["tensor"] },
      activations: { expert: ["tensor"], batch: [], seq: ["context", "fsdp"], key: ["context", "fsdp"] },
    },
    // The norm of its small latents raises what rounding leaves, with gathered weights as much.
    1e-3,
  ],
])(
  "a token is multiplied with weights where they are stored: %s",
  async (name, definition, model, sharding, within) => {
    const generate = { batch: 2 };
    const configs = [{}, { mesh: { fsdp: 2, context: 2, tensor: 2 }, sharding: { balance: false, ...sharding } }];
    const { found, hlo } = await differences(
      name,
      definition,
      configs.map((c) => ({ ...c, model, generate })),
      ["init", "prefill", "decode_step"],
      24,
    );
    expect(Object.keys(found[1]!).length).toBeGreaterThan(10);
    expect(Object.entries(found[1]!).filter(([, d]) => !(d < within))).toEqual([]);
    const list = collectives(parseOptimizedHlo(hlo[1]!), makeMesh(configs[1]!.mesh!));
    const sent = list.reduce((n, c) => n + c.runs * c.sent, 0);
    // Of weights a device would be sent three quarters of what it multiplies with, which lies over `fsdp` and `context`.
    const weights = definition.parameters(definition.schema.parse({ model })) * 4;
    expect(sent).toBeLessThan(((3 / 4) * weights) / 2 / 3);
  },
  300_000,
);

test("a cache that is split over the mesh by position: each device writes its own part", async () => {
  const model = { ...mixtralPresets.tiny, vocab: 256 };
  const sharding = { activations: { key: ["context"] } };
  const meshes = [
    {},
    { mesh: { context: 4, tensor: 2 }, sharding },
    { mesh: { fsdp: 2, context: 2, tensor: 2 }, sharding },
  ];
  const only = ["init", "eval_step", "forward", "prefill", "decode_step"];
  const configs = meshes.map((c) => ({ ...c, model, train: { batch: 4 }, generate: { batch: 4 } }));
  for (const config of configs.slice(1)) {
    const { program } = (await compile(mixtral, config, { only: ["decode_step"], locations: false })).program(
      "decode_step",
    );
    const caches = program.inputs.filter(({ role }) => role === "cache");
    expect(caches.length).toBeGreaterThan(0);
    for (const { axes, sharding } of caches)
      expect((sharding as readonly unknown[])[axes.indexOf("key")]).toEqual(["context"]);
  }
  const { found } = await differences("split-cache", mixtral, configs, only, 2);
  for (const each of found) expect(Object.entries(each).filter(([, d]) => !(d < 1e-5))).toEqual([]);
}, 300_000);
