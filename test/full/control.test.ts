/**
 * A controller earns more reward on a small model than the values that it begins with do, left as they are. The model has been trained with values
 * that change, and then stays as it is, so that what is compared is the values alone.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systems } from "../../bench/systems.js";
import { packageRoot } from "../../compiler/source/package.js";
import { compile } from "../../emit/compile.js";
import { train } from "../../runtime-bridge/bridge.js";
import { metrics, temporaryFolder } from "../runtime/support.js";

const { definition } = systems.xenarcai_i2!;
/** Steps that the model is trained for, those that its controller then learns for, and of which of the last rewards are compared. */
const [TRAINED, CONTROLLED, LAST] = [800, 900, 200];
const folder = temporaryFolder();
const data = join(folder, "text.txt");

const values = { window: 24, dilation: 1, globals: 4, sparsity: 0.25, chunk: 8, latent: 32 };
const model = {
  ...{ context: 64, layers: 2, heads: 4, kvHeads: 2, embed: 64, expertWidth: 32, experts: 8, perToken: 4, least: 2 },
  ...{ sinks: 2, maxGlobals: 16, unit: 8, maxLatent: 64, blockSize: 64, ...values },
};
/** Bounds in which there is nothing to be set. */
const held = Object.fromEntries(
  Object.entries({ ...values, weights: 1, router: 0 }).map(([name, value]) => [name, [value, value + 1e-6]]),
);

beforeAll(() => {
  const docs = join(packageRoot, "docs");
  const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
  writeFileSync(data, pages.map((name) => readFileSync(join(docs, name), "utf8")).join("\n"));
});

/** Trains a model that `from` may be the beginning of. */
async function trained(run: string, steps: number, settings: object, control: object, from?: string): Promise<void> {
  const artifact = `${run}-artifact`;
  const config = {
    model,
    train: { steps, warmup: 50, clip: 0.5, ...settings },
    log: { every: 1, tensorboard: false },
    control,
  };
  const only = ["init", "train_step", "control_step"];
  await (await compile(definition, config, { only, locations: false })).write(artifact);
  await train({ artifact, run, data, ...(from && { from }) });
}

/** The mean reward of the last steps of a run in which the model does not learn; batches are large, since rewards differ by them, too. */
async function earned(name: string, seed: number, steps: number, control: object): Promise<number> {
  const run = join(folder, `${name}-${seed}`);
  // Of what is not frozen there has to be something; at this rate it stays, too.
  const parameters = [
    { match: "**", freeze: true },
    { match: "norm", freeze: false },
  ];
  const still = { batch: 64, seed, learningRate: 1e-9, minLearningRate: 1e-9, parameters };
  await trained(run, steps, still, control, join(folder, `model-${seed}`));
  const rewards = metrics(run).map((entry) => entry["control/reward"]!);
  expect(rewards.length).toBe(steps);
  return rewards.slice(-LAST).reduce((a, b) => a + b, 0) / LAST;
}

test.each([1, 2, 3])(
  "from seed %i",
  async (seed) => {
    const varied = { epsilon: { from: 0.5, to: 0.3, steps: TRAINED } };
    await trained(join(folder, `model-${seed}`), TRAINED, { batch: 8, learningRate: 2e-3, seed }, varied);
    const fixed = await earned("fixed", seed, LAST, { bounds: held });
    const learning = { learningRate: 3e-3, rollout: 32, epsilon: { steps: (2 / 3) * CONTROLLED } };
    const controlled = await earned("controlled", seed, CONTROLLED, learning);
    expect(controlled).toBeGreaterThan(fixed);
  },
  3_600_000,
);
