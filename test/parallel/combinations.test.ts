/** Kinds of parallelism together on 8 CPU devices, held against one device; what they send, against sums by hand. */
import { makeMesh } from "../../compiler/mesh.js";
import { ticks } from "../../compiler/pipeline.js";
import { type CollectiveRow, collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import type { Compilable } from "../../emit/compile.js";
import { charTransformer, llama, mixtral } from "../../models/index.js";
import { temporaryFolder } from "../runtime/support.js";
import { differing, type Run, trainAll } from "./support.js";

const folder = temporaryFolder();

/** What a run's steps send of floats: integers are positions and tokens, a few. */
function sent(run: Run, mesh: Mesh): CollectiveRow[] {
  const list = collectives(parseOptimizedHlo(run.hlo), makeMesh({ ...mesh }));
  return collectiveTable(list.filter(({ dtype }) => dtype === "f32"));
}

type Mesh = Readonly<Record<string, number>>;

const [BATCH, SEQ, EMBED, VOCAB, LAYERS, F32] = [16, 16, 32, 256, 4, 4];
/** Without biases: the gradient of a key's bias is zero but for rounding, which has no relative size. */
const model = { layers: LAYERS, heads: 4, embed: EMBED, context: SEQ, bias: false, dropout: 0.2 };
/** With the usual epsilon, AdamW's first steps make of a gradient that is rounding alone a step as large as any. */
const train = { batch: BATCH, warmup: 2, steps: 10, epsilon: 1e-6 };
/** Bytes of a layer's matrices (four of attention, two of the MLP) and of its two norms; of the embedding, which the head is as large as. */
const MATRICES = (4 * EMBED * EMBED + 2 * EMBED * 4 * EMBED) * F32;
const NORMS = 2 * EMBED * F32;
const TABLE = VOCAB * EMBED * F32;
const NORM = EMBED * F32;
/** Room for sums over the mesh of single numbers (losses, norms) and of a few numbers for each position. */
const SMALL = 2048;

/** What is sent by kind and axes: bytes, and how often where nothing is sent together with something else. */
type Sums = Readonly<Record<string, readonly [bytes: number, count?: number]>>;

/** Of a mesh: how often a device runs a layer in a step, and the residual stream that it has of the batch, and of what runs through its layers at a time. */
function sizes({ data = 1, fsdp = 1, context = 1, stage = 1 }: Mesh) {
  const steps = stage > 1 ? ticks({ stages: stage, repeats: 1, microBatches: stage }) : 1;
  const stream = (BATCH * SEQ * EMBED * F32) / (data * fsdp * context);
  return { steps, runs: (LAYERS / stage) * steps, stream, part: stream / stage };
}

/** Keys and values go round the ring of two forward, back these and their gradients, which come home in one step more. */
const RING = 3 * 2 + 2;

const COMBINED: readonly { readonly mesh: Mesh; readonly sums: (s: ReturnType<typeof sizes>) => Sums }[] = [
  {
    mesh: { data: 2, context: 2, stage: 2 },
    sums: ({ steps, runs, stream, part }) => ({
      "collective-permute stage": [2 * steps * part, 2 * steps],
      "collective-permute context": [RING * runs * part, RING * runs],
      // Every run of a layer sums up what its part of the sequence gives the weights.
      "all-reduce context": [runs * (MATRICES + NORMS) + TABLE + NORM],
      // The parts of the batch do once.
      "all-reduce data": [(LAYERS / 2) * (MATRICES + NORMS) + TABLE + NORM],
      "all-reduce data+context": [TABLE],
      "all-reduce stage": [2 * stream],
    }),
  },
  {
    mesh: { context: 2, stage: 2, tensor: 2 },
    sums: ({ steps, runs, stream, part }) => ({
      "collective-permute stage": [2 * steps * part, 2 * steps],
      "collective-permute context": [(RING * runs * part) / 2, RING * runs],
      "all-reduce context": [runs * (MATRICES / 2 + NORMS) + (2 * TABLE) / 2 + NORM],
      // Forward the sums of attention and MLP, backward the inputs of query, key, value and MLP; the embedding, and the input of the head.
      "all-reduce tensor": [runs * 6 * part + 2 * stream],
      "all-reduce stage": [2 * stream],
    }),
  },
  {
    mesh: { fsdp: 2, context: 2, tensor: 2 },
    sums: ({ runs, stream, part }) => ({
      "collective-permute context": [(RING * runs * part) / 2, RING * runs],
      // A layer's weights for the forward pass and again for the backward pass, the embedding once, the head for either.
      "all-gather fsdp": [2 * runs * (MATRICES / 2 + NORMS) + (3 * TABLE) / 2 + NORM],
      "all-reduce fsdp": [runs * (MATRICES / 2 + NORMS) + TABLE / 2 + NORM],
      // The embedding's gradient is scattered over what keeps it; what is left meets with that of the other part of the sequence.
      "reduce-scatter fsdp": [TABLE / 2, 1],
      "all-reduce context": [runs * (MATRICES / 4 + NORMS) + (2 * TABLE) / 4 + NORM],
      "all-reduce tensor": [runs * 6 * part + 2 * stream],
    }),
  },
];

test("context with stages, tensor and FSDP: dropout and all, and what is sent by hand", async () => {
  const configs = [{ model, train }, ...COMBINED.map(({ mesh }) => ({ model, train, mesh }))];
  const [one, ...runs] = await trainAll(folder, charTransformer, configs);
  for (const [i, { mesh, sums }] of COMBINED.entries()) {
    expect({ mesh, wrong: differing(runs[i]!, one!, 1e-5) }).toEqual({ mesh, wrong: [] });
    const rows = new Map(sent(runs[i]!, mesh).map((row) => [`${row.kind} ${row.axes.join("+")}`, row]));
    const expected = sums(sizes(mesh));
    expect({ mesh, kinds: [...rows.keys()].sort() }).toEqual({ mesh, kinds: Object.keys(expected).sort() });
    for (const [kind, [bytes, count]] of Object.entries(expected)) {
      const row = rows.get(kind)!;
      const more = row.bytes - bytes;
      expect({ mesh, kind, more, close: more >= 0 && more < SMALL }).toEqual({ mesh, kind, more, close: true });
      expect({ mesh, kind, count: row.count }).toEqual({ mesh, kind, count: count ?? row.count });
    }
  }
}, 400_000);

const small = { layers: 4, heads: 4, kvHeads: 2, embed: 32, mlp: 24, context: 16 };
/** The loss that balances is a product of means: of micro-batches it is another. */
const experts = { ...small, experts: 4, loadBalance: 0, zLoss: 0.01, jitter: 0.2 };

test.each<[what: string, definition: Compilable<any>, model: object, meshes: readonly Mesh[]]>([
  [
    "Llama: context with stages and data or tensor",
    llama,
    small,
    [
      { data: 2, context: 2, stage: 2 },
      { context: 2, stage: 2, tensor: 2 },
    ],
  ],
  [
    "experts without a capacity, with stages and context",
    mixtral,
    experts,
    [
      { data: 2, expert: 2, stage: 2 },
      { context: 2, expert: 2, stage: 2 },
      { context: 4, expert: 2 },
    ],
  ],
  [
    "experts with a capacity, choices dropped, with stages, FSDP and tensor",
    mixtral,
    { ...experts, capacity: 1 },
    [
      { data: 2, stage: 4 },
      { fsdp: 2, expert: 2, stage: 2 },
      { expert: 2, stage: 2, tensor: 2 },
    ],
  ],
  [
    // Which choices are dropped depends on the order of the sequence, which is another when it is balanced.
    "experts with a capacity, nothing dropped, with context",
    mixtral,
    { ...experts, capacity: 2 },
    [
      { context: 2, expert: 2, stage: 2 },
      { context: 4, expert: 2 },
    ],
  ],
])(
  "%s",
  async (_, definition, model, meshes) => {
    const configs = [{ model, train }, ...meshes.map((mesh) => ({ model, train, mesh }))];
    const [one, ...runs] = await trainAll(folder, definition, configs);
    for (const [i, mesh] of meshes.entries()) {
      expect({ mesh, wrong: differing(runs[i]!, one!, 1e-5) }).toEqual({ mesh, wrong: [] });
      // Choices with a capacity go to the devices of their experts.
      if (!("capacity" in model) || !("expert" in mesh)) continue;
      const exchanged = sent(runs[i]!, mesh).filter(
        ({ kind, axes }) => kind === "all-to-all" && axes.join() === "expert",
      );
      expect({ mesh, exchanged: exchanged.length }).toEqual({ mesh, exchanged: 1 });
    }
  },
  400_000,
);
