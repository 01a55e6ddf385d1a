/** Experts on several CPU devices, held against one device. */
import { makeMesh } from "../../compiler/mesh.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { type MixtralConfig, mixtral, mixtralPresets } from "../../models/index.js";
import { temporaryFolder } from "../runtime/support.js";
import { gradientDifference, lossDifference, trainAll, weightDifference } from "./support.js";

const folder = temporaryFolder();
const MESHES = [
  { data: 2, expert: 4 },
  { fsdp: 2, expert: 2, tensor: 2 },
];

const { layers, embed, context, experts, mlp } = mixtralPresets.tiny;
const [BATCH, CHOICES, F32] = [8, 2, 4];

/** With a capacity of 1: each device's sequences have rows for every expert, as many together as there are choices. */
const exchanged = ({ data = 1, fsdp = 1, expert }: Record<string, number>) => {
  const rows = (BATCH / (data * fsdp * expert!)) * context * CHOICES;
  // To the experts and back; both again for the backward pass, which is given what lay before it was sent; derivatives there and back.
  const count = 6 * layers;
  return [{ axes: ["expert"], count, bytes: count * rows * embed * F32 }];
};

/**
 * Without: all tokens are gathered where the experts are, whose sums are scattered, as are the derivatives of tokens and of their weights;
 * and those of the experts' matrices where these lie.
 */
const summed = ({ data = 1, fsdp = 1, expert, tensor = 1 }: Record<string, number>, chunk = Infinity) => {
  const tokens = (BATCH / (data * fsdp)) * context;
  const matrices = 3 * (experts / expert!) * embed * (mlp / tensor);
  const gradients = [{ axes: ["fsdp"], count: 3 * layers, bytes: layers * matrices * F32 }];
  return [
    {
      axes: ["expert"],
      count: 3 * layers * Math.max(1, Math.ceil(tokens / expert! / chunk)),
      bytes: layers * tokens * (2 * embed + CHOICES) * F32,
    },
    ...(fsdp > 1 ? gradients : []),
  ];
};

test.each([
  ["dropless", {}],
  ["with a capacity", { capacity: 1 }],
])(
  "experts' adapters train as on one device: %s",
  async (_, more) => {
    const model: Partial<MixtralConfig> = { ...mixtralPresets.tiny, ...more };
    const train = { batch: 8, warmup: 2, steps: 10, learningRate: 0.03 };
    const configs = [{}, { mesh: MESHES[1] }].map((c) => ({ model, train, lora: { rank: 3 }, ...c }));
    const [one, run] = await trainAll(folder, mixtral, configs, 3);
    expect(lossDifference(run!, one!)).toBeLessThan(1e-4);
    expect(gradientDifference(run!)[1]).toBeLessThan(1e-4);
    expect(weightDifference(run!)[1]).toBeLessThan(1e-4);
  },
  400_000,
);

test.each([
  ["dropless", {}],
  ["dropless, some tokens at a time", { expertChunk: 4 }],
  ["with a capacity", { capacity: 1 }],
])(
  "a mixture trains as on one device: %s",
  async (_, more) => {
    const model: Partial<MixtralConfig> = { ...mixtralPresets.tiny, ...more };
    const train = { batch: 8, warmup: 2, steps: 10 };
    const configs = [{}, ...MESHES.map((mesh) => ({ mesh }))].map((c) => ({ model, train, ...c }));
    const [one, ...runs] = await trainAll(folder, mixtral, configs, 3);
    for (const [i, run] of runs.entries()) {
      const [gradient, ofGradient] = gradientDifference(run);
      const [weight, ofWeight] = weightDifference(run);
      const found = { loss: lossDifference(run, one!), [gradient]: ofGradient, [weight]: ofWeight };
      const wrong = Object.entries(found).filter(([, difference]) => !(difference < 1e-4));
      expect({ mesh: MESHES[i], wrong }).toEqual({ mesh: MESHES[i], wrong: [] });
      const list = collectives(parseOptimizedHlo(run.hlo), makeMesh(MESHES[i]!));
      const rows = collectiveTable(list.filter(({ dtype }) => dtype === "f32"));
      const sent = (kind: string) =>
        rows.filter((row) => row.kind === kind).map(({ axes, count, bytes }) => ({ axes, count, bytes }));
      expect({ mesh: MESHES[i], sent: ["all-to-all", "reduce-scatter"].map(sent) }).toEqual({
        mesh: MESHES[i],
        sent: "capacity" in more ? [exchanged(MESHES[i]!), []] : [[], summed(MESHES[i]!, model.expertChunk)],
      });
    }
  },
  400_000,
);
