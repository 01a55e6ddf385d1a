/** The loss in chunks of the sequence: what it takes of memory, and that it is the same on every mesh. */
import { join } from "node:path";
import { parseTarget } from "../../compiler/plan/target.js";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { compileAhead } from "../../runtime-bridge/bridge.js";
import { gradientDifference, lossDifference, trainAll } from "../parallel/support.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();
const MiB = 2 ** 20;

/** XLA's temporaries of a train step of one narrow layer, in MiB. */
async function temporaries(name: string, context: number, vocab: number, lossChunk?: number): Promise<number> {
  const model = { layers: 1, heads: 1, embed: 16, mlp: 16, context, vocab, remat: "nothing" };
  const config = { model, train: { batch: 2, ...(lossChunk !== undefined && { lossChunk }) } };
  const artifact = join(folder, name);
  await (await compile(charTransformer, config, { only: ["train_step"], locations: false })).write(artifact);
  const event = await compileAhead({
    artifact,
    entry: "train_step",
    target: parseTarget("cpu"),
    out: `${artifact}-out`,
  });
  if (event.event !== "ahead") throw new Error(event.message);
  return event.memory.temporaries! / MiB;
}

test("memory does not grow with all scores", async () => {
  // Two sequences of 1,024 positions with 16,384 scores each: 128 MiB in float32.
  const scores = (2 * 1024 * 16384 * 4) / MiB;
  const all = await temporaries("all", 1024, 16384);
  const chunked = await temporaries("chunked", 1024, 16384, 16);
  expect(all).toBeGreaterThan(scores);
  expect(chunked).toBeLessThan(scores / 4);
  // By itself where they would take more than 256 MiB: here 1 GiB.
  expect(await temporaries("by itself", 4096, 32768)).toBeLessThan(900);
}, 120_000);

const model = { layers: 1, heads: 4, embed: 32, context: 16, bias: false };
const train = { batch: 8, warmup: 2, steps: 3 };

test.each<[mesh: string, config: object, train: object]>([
  ["one device", {}, train],
  ["data, FSDP and tensor", { mesh: { data: 2, fsdp: 2, tensor: 2 } }, train],
  ["sequence parallelism", { mesh: { fsdp: 4, tensor: 2 }, sharding: { sequence: true } }, train],
  [
    "a split sequence, accumulated",
    { mesh: { data: 2, context: 2, tensor: 2 } },
    { ...train, batch: 4, accumulation: 2 },
  ],
])(
  "in chunks it trains as one device does without: %s",
  async (_, config, train) => {
    const configs = [
      { model, train },
      { model, train: { ...train, lossChunk: 2 }, ...config },
    ];
    const [one, run] = await trainAll(folder, charTransformer, configs, 3);
    expect(lossDifference(run!, one!)).toBeLessThan(1e-5);
    expect(gradientDifference(run!)[1]).toBeLessThan(1e-5);
  },
  120_000,
);
