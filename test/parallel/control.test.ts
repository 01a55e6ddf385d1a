/** A controller on a mesh: 8 devices, of one process or of two, learn and set what one device does. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systems } from "../../bench/systems.js";
import { compile } from "../../emit/compile.js";
import { train } from "../../runtime-bridge/bridge.js";
import { metrics, temporaryFolder } from "../runtime/support.js";

const { definition, tiny } = systems.xenarcai_i2!;
const folder = temporaryFolder();
const data = join(folder, "text.txt");
writeFileSync(data, "the quick brown fox jumps over the lazy dog, 12 times a day. ".repeat(40));

/** One layer of as little as can be, with nothing that a small difference turns over. */
const bare = {
  ...{ layers: 1, context: 8, plan: 0, hyperRank: 0, skip: false, summary: 0, selector: 0, loadBalance: 0 },
  ...{ window: 5, dilation: 1, globals: 2, sparsity: 0.5, chunk: 2, latent: 8, vocab: 256 },
};

type Step = Readonly<Record<string, number | number[] | number[][]>>;

/** Trains, and gives what each step came to. */
async function trained(name: string, config: object, processes = 1): Promise<Step[]> {
  const [artifact, run] = [join(folder, `${name}-artifact`), join(folder, name)];
  const settings = {
    model: { ...tiny, ...bare },
    train: { steps: 9, batch: 4, warmup: 2 },
    log: { every: 1, tensorboard: false },
    data: { validation: 0 },
    control: { rollout: 4, hidden: 8 },
    ...config,
  };
  const only = ["init", "train_step", "control_step"];
  await (await compile(definition, settings, { locations: false, only })).write(artifact);
  await train({ artifact, run, data, processes });
  return metrics(run).filter((entry) => entry["control/reward"] !== undefined) as unknown as Step[];
}

/** What of the steps differs from those of another run. */
const differing = (steps: readonly Step[], others: readonly Step[]): unknown[] =>
  steps.flatMap((step, i) =>
    Object.entries(step)
      .filter(([name]) => /^(loss|grad_norm|assessment|control|blocks)/.test(name))
      .flatMap(([name, value]) => {
        const [found, wanted] = [[value].flat(2), [others[i]![name]!].flat(2)];
        const same = found.every((x, j) => Math.abs(x - wanted[j]!) <= 1e-3 * Math.max(1, Math.abs(wanted[j]!)));
        return same ? [] : [[i, name, found, wanted]];
      }),
  );

test("8 devices, of one process or of two, learn and set what one device does", async () => {
  const mesh = { mesh: { fsdp: 2, context: 2, tensor: 2 } };
  const one = await trained("one", {});
  expect(one.length).toBe(9);
  const eight = await trained("eight", mesh);
  expect(eight.length).toBe(9);
  expect(differing(eight, one)).toEqual([]);
  const two = await trained("two", mesh, 2);
  expect(two.length).toBe(9);
  expect(differing(two, one)).toEqual([]);
}, 600_000);
