/** Experts on several CPU devices, held against one device. */
import { makeMesh } from "../../compiler/mesh.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { type MixtralConfig, mixtral, mixtralPresets } from "../../models/index.js";
import { temporaryFolder } from "../runtime/support.js";
import { differing, trainAll } from "./support.js";

const folder = temporaryFolder();
const MESHES = [
  { data: 2, expert: 4 },
  { fsdp: 2, expert: 2, tensor: 2 },
];

const { layers, embed, context, experts, mlp, vocab } = mixtralPresets.tiny;
const [BATCH, CHOICES, F32] = [8, 2, 4];

/** With a capacity of 1: each device's sequences have rows for every expert, as many together as there are choices. */
const exchanged = ({ data = 1, fsdp = 1, expert }: Record<string, number>, chunks = 1): Sums => {
  const rows = (BATCH / (data * fsdp * expert!)) * context * CHOICES;
  // To the experts and back; both again for the backward pass, which is given what lay before it was sent; derivatives there and back.
  const count = 6 * layers;
  return { expert: { count: count * chunks, bytes: count * rows * embed * F32 } };
};

/** A kind's collectives, by the axes of the mesh. */
type Sums = Readonly<Record<string, { readonly count: number; readonly bytes: number }>>;

/** The gradient of a device's part of the embedding is scattered over what keeps it, one axis after the other. */
const embedding = ({ fsdp = 1, tensor = 1 }: Record<string, number>): Sums => {
  const bytes = (vocab / tensor) * embed * F32;
  const rest = { expert: { count: 1, bytes: bytes / fsdp } };
  return fsdp > 1 ? { fsdp: { count: 1, bytes }, ...rest } : rest;
};

/** The experts' matrices, whose gradients are summed where these lie. */
const matrices = ({ fsdp = 1, expert, tensor = 1 }: Record<string, number>): Sums => {
  const bytes = 3 * layers * (experts / expert!) * embed * (mlp / tensor) * F32;
  return fsdp > 1 ? { fsdp: { count: 3 * layers, bytes } } : {};
};

/** How often a device brings some of its own tokens to the experts. */
const chunksOf = ({ data = 1, fsdp = 1, expert }: Record<string, number>, chunk = Infinity) =>
  Math.max(1, Math.ceil(((BATCH / (data * fsdp)) * context) / expert! / chunk));

/** Without: all tokens are gathered where the experts are, whose sums are scattered, as are the derivatives of tokens and of their weights. */
const summed = (mesh: Record<string, number>, chunk = Infinity): Sums => {
  const { data = 1, fsdp = 1 } = mesh;
  const bytes = layers * (BATCH / (data * fsdp)) * context * (2 * embed + CHOICES) * F32;
  return { expert: { count: 3 * layers * chunksOf(mesh, chunk), bytes }, ...matrices(mesh) };
};

const together = (a: Sums, b: Sums): Sums => {
  const sum = (axes: string) => ({
    count: (a[axes]?.count ?? 0) + (b[axes]?.count ?? 0),
    bytes: (a[axes]?.bytes ?? 0) + (b[axes]?.bytes ?? 0),
  });
  return Object.fromEntries(Object.keys({ ...a, ...b }).map((axes) => [axes, sum(axes)]));
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
    expect(differing(run!, one!, 1e-4)).toEqual([]);
  },
  400_000,
);

test.each([
  ["dropless", {}],
  ["dropless, some tokens at a time", { expertChunk: 4 }],
  ["with a capacity", { capacity: 1 }],
  ["with a capacity of each chunk", { capacity: 1, expertChunk: 4 }],
])(
  "a mixture trains as on one device: %s",
  async (_, more) => {
    const model: Partial<MixtralConfig> = { ...mixtralPresets.tiny, ...more };
    const train = { batch: 8, warmup: 2, steps: 10 };
    const configs = [{}, ...MESHES.map((mesh) => ({ mesh }))].map((c) => ({ model, train, ...c }));
    const [one, ...runs] = await trainAll(folder, mixtral, configs, 3);
    for (const [i, run] of runs.entries()) {
      const wrong = differing(run, one!, 1e-4);
      expect({ mesh: MESHES[i], wrong }).toEqual({ mesh: MESHES[i], wrong: [] });
      const list = collectives(parseOptimizedHlo(run.hlo), makeMesh(MESHES[i]!));
      const rows = collectiveTable(list.filter(({ dtype }) => dtype === "f32"));
      const sent = (kind: string): Sums =>
        Object.fromEntries(
          rows.filter((row) => row.kind === kind).map(({ axes, count, bytes }) => [axes.join("+"), { count, bytes }]),
        );
      const mesh = MESHES[i]!;
      expect({ mesh, sent: ["all-to-all", "reduce-scatter"].map(sent) }).toEqual({
        mesh,
        sent: expectedOf(mesh, model),
      });
    }
  },
  400_000,
);

/** What is sent by all-to-all and by reduce-scatter. In chunks the code is each device's own, and so are the experts' gradients. */
function expectedOf(mesh: Record<string, number>, { capacity, expertChunk: chunk }: Partial<MixtralConfig>): Sums[] {
  const own = embedding(mesh);
  if (capacity === undefined) return [{}, together(summed(mesh, chunk), own)];
  return [exchanged(mesh, chunksOf(mesh, chunk)), chunk === undefined ? own : together(matrices(mesh), own)];
}

test("experts over the axis that splits widths and, with the sequence, tokens: each chunk's capacity is the same on any mesh", async () => {
  const model: Partial<MixtralConfig> = { ...mixtralPresets.tiny, kvHeads: 4, capacity: 1, expertChunk: 4 };
  const train = { batch: 8, warmup: 2, steps: 10 };
  const over = { expert: ["tensor"] };
  const sharding = { sequence: true, parameters: over, activations: over };
  const meshes = [
    { fsdp: 2, context: 2, tensor: 2 },
    { fsdp: 2, tensor: 4 },
    { context: 2, tensor: 2 },
  ];
  const configs = [{}, ...meshes.map((mesh) => ({ mesh, sharding }))].map((c) => ({ model, train, ...c }));
  const [one, ...runs] = await trainAll(folder, mixtral, configs, 3);
  for (const [i, run] of runs.entries()) {
    const wrong = differing(run, one!, 1e-4);
    expect({ mesh: meshes[i], wrong }).toEqual({ mesh: meshes[i], wrong: [] });
  }
}, 400_000);
