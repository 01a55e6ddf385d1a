/** What lies in the host's memory: the same training with less of the devices' memory, on CPU devices in value, for TPUs in bytes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { evaluationWorker } from "../../runtime-bridge/evaluate.js";
import { lossDifference, trainAll, weightDifference } from "../parallel/support.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();
const model = { layers: 3, heads: 4, embed: 32, context: 16, bias: false, remat: "nothing" };
const train = { batch: 8, warmup: 2, steps: 3 };
const offload = { optimizer: true };

const narrow = { ...model, dtype: "bf16" };

test.each<[what: string, config: object, of?: object]>([
  ["the optimizer's state", { model, train: { ...train, offload } }],
  ["the optimizer's state, sharded", { model, train: { ...train, offload }, mesh: { data: 2, fsdp: 2, tensor: 2 } }],
  ["activations", { model: { ...model, remat: { save: ["mlp_hidden"], offload: ["attn_out"] } }, train }],
  ["what goes from layer to layer", { model: { ...model, remat: { offload: ["carry"] } }, train }],
  [
    "both, over unrolled layers",
    { model: { ...model, remat: { offload: ["attn_out"] }, unroll: true }, train: { ...train, offload } },
  ],
  ["the optimizer's state, computed in bfloat16", { model: narrow, train: { ...train, offload } }, narrow],
])(
  "training is the same: %s",
  async (_, config, of = model) => {
    const [one, run] = await trainAll(folder, charTransformer, [{ model: of, train }, config], 3);
    expect(lossDifference(run!, one!)).toBeLessThan(1e-5);
    expect(weightDifference(run!)[1]).toBeLessThan(1e-5);
  },
  120_000,
);

test("the program says which memory: the moments' in and out, the layers' one by one", async () => {
  const config = { model: { ...model, remat: { offload: ["attn_out"] } }, train: { ...train, offload } };
  const compiled = await compile(charTransformer, config, { names: "canonical", locations: false });
  const worker = await evaluationWorker();
  for (const { text } of compiled.programs) {
    expect(await worker.verify(text)).toBeUndefined();
    expect(await worker.canonical(text)).toBe(text);
  }
  const { program } = compiled.program("train_step");
  for (const port of [...program.inputs, ...program.outputs]) {
    expect([port.name, port.memory]).toEqual([
      port.name,
      port.name.startsWith("optimizer/") ? "pinned_host" : undefined,
    ]);
  }
  const artifact = join(folder, "written");
  const manifest = await compiled.write(artifact);
  expect(JSON.parse(readFileSync(join(artifact, "manifest.json"), "utf8"))).toEqual(manifest);
}, 60_000);
