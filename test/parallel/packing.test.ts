/** Packed rows on meshes of 8 devices, held against one device. (One device is held against JAX in test/models/families.test.ts.) */
import { charTransformer } from "../../models/char_transformer.js";
import { llama } from "../../models/llama.js";
import { temporaryFolder } from "../runtime/support.js";
import { gradientDifference, lossDifference, trainAll } from "./support.js";

const folder = temporaryFolder();
const train = { batch: 8, warmup: 2, steps: 4 };
const data = { packing: true, format: "chat" };

const MESHES: Readonly<Record<string, object>> = {
  "a split sequence, in zigzag order": { mesh: { context: 8 } },
  "a split sequence, gathered, in order": {
    mesh: { fsdp: 2, context: 4 },
    sharding: { balance: false, context: "allgather" },
  },
  "tensor and sequence parallelism": { mesh: { fsdp: 2, tensor: 4 }, sharding: { sequence: true } },
  "stages, tensor": { mesh: { stage: 2, data: 2, tensor: 2 } },
};

test.each([
  ["Llama", llama, { layers: 2, heads: 4, kvHeads: 4, embed: 32, mlp: 48, context: 32 }],
  ["the character-level transformer", charTransformer, { layers: 2, heads: 4, embed: 32, context: 32, bias: false }],
])(
  "%s trains on packed rows as one device does",
  async (_, definition, model) => {
    const meshes = Object.entries(MESHES).filter(([name]) => definition === llama || name.startsWith("stages"));
    const configs = [{}, ...meshes.map(([, mesh]) => mesh)].map((c) => ({ model, train, data, ...c }));
    const [one, ...runs] = await trainAll(folder, definition as typeof llama, configs, train.steps);
    const found = meshes.flatMap(([name], i) => {
      const run = runs[i]!;
      // Not the weights: of a token that no target depends on, Adam makes much of a gradient that is zero but for rounding.
      const all = [["loss", lossDifference(run, one!)], gradientDifference(run)] as const;
      return all.map(([what, by]) => [name, what, by] as const);
    });
    expect(found.filter(([, , by]) => !(by < 1e-5))).toEqual([]);
  },
  240_000,
);
