/** What the TPU compiler makes of a train step's tensor parallelism: activations go to where they are needed once, the table nowhere. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeMesh } from "../../compiler/mesh.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { parseTarget } from "../../compiler/plan/target.js";
import { compile } from "../../emit/compile.js";
import { llama } from "../../models/llama.js";
import { compileAhead } from "../../runtime-bridge/bridge.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();

const LAYERS = 3;
const CHUNKS = 4;
const [batch, context, embed, vocab] = [16, 1024, 1024, 8192];
const model = {
  layers: LAYERS,
  heads: 8,
  kvHeads: 8,
  embed,
  mlp: 2048,
  context,
  vocab,
  dtype: "bf16",
  remat: "nothing",
};
/** What a device of fsdp 2 has of an activation, whole along the sequence, in bfloat16. */
const STREAM = (batch / 2) * context * embed * 2;

/** The collectives of a step, by the TPU compiler. */
async function communication(sharding: object, mesh: Record<string, number> = { fsdp: 2, tensor: 4 }, rows = batch) {
  const target = "tpu:v5e:2x4";
  const train = { batch: rows, lossChunk: context / CHUNKS };
  const config = { target, mesh, sharding, model, train };
  const artifact = join(folder, `llama-${Object.keys(mesh)}-${Object.keys(sharding)}`);
  await (await compile(llama, config, { only: ["train_step"], locations: false })).write(artifact);
  const options = { artifact, entry: "train_step", target: parseTarget(target), out: `${artifact}-out` };
  const event = await compileAhead(options);
  if (event.event !== "ahead") throw new Error(event.message);
  const list = collectives(parseOptimizedHlo(readFileSync(event.hlo, "utf8")), makeMesh(mesh));
  const table = collectiveTable(list);
  const of = (kind: string, axis: string) =>
    table.find((row) => row.kind === kind && row.axes.join() === axis) ?? { count: 0, bytes: 0 };
  const elsewhere = list.filter(({ axes }) => axes.join() !== "tensor");
  return { of, largestElsewhere: Math.max(...elsewhere.map(({ bytes }) => bytes)) };
}

test("tensor and sequence", async () => {
  const { of, largestElsewhere } = await communication({ sequence: true });
  // A layer gathers the inputs of attention and MLP forward and again backward, there also the cotangents of their results; outside of
  // layers the embedding's cotangent, and the hidden states, chunk by chunk. Targets are gathered too: numbers.
  const gathered = of("all-gather", "tensor").bytes / STREAM;
  expect(gathered).toBeGreaterThanOrEqual(6 * LAYERS + 2);
  expect(gathered).toBeLessThan(6 * LAYERS + 2.01);
  // The results of both; again, of attention, backward; their inputs' gradients, in each layer one. Then the embedding's, and a chunk's.
  expect(of("reduce-scatter", "tensor").count).toBe(5 * LAYERS + 1 + CHUNKS);
  // Of the rest, what is summed up over `tensor` are numbers: no gradient is, and no result.
  expect(of("all-reduce", "tensor").bytes + of("all-reduce", "fsdp,tensor").bytes).toBeLessThan(STREAM / 20);
  // The table is gathered along what FSDP splits alone: nothing is as large as all of it.
  expect(largestElsewhere).toBeLessThan(vocab * embed * 2);
}, 600_000);

test("tensor alone", async () => {
  const { of, largestElsewhere } = await communication({});
  // The same sums, whole: of what queries, keys and values, or gate and up, give to their input's gradient there is one. The embedding's
  // gradient needs none.
  const reduced = of("all-reduce", "tensor").bytes / STREAM;
  expect(reduced).toBeGreaterThanOrEqual(5 * LAYERS + 2);
  expect(reduced).toBeLessThan(5 * LAYERS + 2.05);
  expect(of("all-gather", "tensor").bytes).toBeLessThan(STREAM / 20);
  expect(largestElsewhere).toBeLessThan(vocab * embed * 2);
}, 600_000);

test("tensor and sequence, which is split further, one a device", async () => {
  const sharding = { sequence: true, context: "alltoall", parameters: { embed: ["fsdp", "context"] } };
  const { of } = await communication(sharding, { fsdp: 2, context: 2, tensor: 2 }, 2);
  const stream = (context / 2) * embed * 2;
  // What is gathered for a layer, and scattered, is as before: no weight's gradient has it gathered again, queries, keys and values share it.
  const gathered = of("all-gather", "tensor").bytes / stream;
  expect(gathered).toBeGreaterThanOrEqual(6 * LAYERS + 2);
  expect(gathered).toBeLessThan(6 * LAYERS + 2.02);
  // XLA:TPU would sum up whole what has a dimension of 1, as one sequence has.
  expect(of("reduce-scatter", "tensor").bytes / stream).toBe(5 * LAYERS + 2);
  expect(of("all-reduce", "tensor").bytes / stream).toBeLessThan(1 / 20);
}, 600_000);
