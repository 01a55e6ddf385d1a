/** Writing text on several CPU devices, held against one. */
import { systems } from "../../bench/systems.js";
import { makeMesh } from "../../compiler/mesh.js";
import { collectives } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import type { ModelDefinition } from "../../models/define.js";
import { llama, mixtral, mixtralPresets } from "../../models/index.js";
import { temporaryFolder } from "../runtime/support.js";
import { serveAll } from "./support.js";

const folder = temporaryFolder();

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
  async (_, definition, model, sharding, within) => {
    const generate = { batch: 2 };
    const configs = [{}, { mesh: { fsdp: 2, context: 2, tensor: 2 }, sharding: { balance: false, ...sharding } }];
    const [, split] = await serveAll(
      folder,
      definition,
      configs.map((c) => ({ ...c, model, generate })),
      { only: ["init", "prefill", "decode_step"], length: 24 },
    );
    expect(Object.keys(split!.differences).length).toBeGreaterThan(10);
    expect(Object.entries(split!.differences).filter(([, d]) => !(d < within))).toEqual([]);
    const list = collectives(parseOptimizedHlo(split!.hlo), makeMesh(configs[1]!.mesh!));
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
  const [one, ...others] = await serveAll(folder, mixtral, configs, { only });
  for (const { compiled } of others) {
    const caches = compiled.program("decode_step").program.inputs.filter(({ role }) => role === "cache");
    expect(caches.length).toBeGreaterThan(0);
    for (const { axes, sharding } of caches)
      expect((sharding as readonly unknown[])[axes.indexOf("key")]).toEqual(["context"]);
  }
  for (const { differences } of [one!, ...others])
    expect(Object.entries(differences).filter(([, d]) => !(d < 1e-5))).toEqual([]);
}, 300_000);
