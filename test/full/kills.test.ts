/** Thirty kills at drawn moments, of one process and of two: whenever they come, the run ends with the bits of the run that was not killed. */
import { join } from "node:path";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { drawing, type Kill, trainKilled } from "../runtime/kills.js";
import { metrics, stateOf, temporaryFolder, writeText } from "../runtime/support.js";

const KILLS = 30;
const STEPS = 3000;
const folder = temporaryFolder();
const data = writeText(folder);

test.each([1, 2])(
  "%i processes",
  async (processes) => {
    const artifact = join(folder, `artifact-${processes}`);
    const config = {
      model: { layers: 1, heads: 2, embed: 16, context: 16 },
      mesh: processes > 1 ? { fsdp: processes } : {},
      train: { batch: 4, warmup: 2, steps: STEPS },
      eval: { every: 500 },
      checkpoint: { every: 15 },
      log: { every: 5, tensorboard: false },
    };
    await (await compile(charTransformer, config, { locations: false })).write(artifact);
    const whole = join(folder, `whole-${processes}`);
    await trainKilled({ artifact, run: whole, data, processes });
    const run = join(folder, `killed-${processes}`);
    const seed = Math.floor(Math.random() * 2 ** 32);
    const draw = drawing(seed);
    for (let number = 0; number < KILLS; number++) {
      // From the first moment of a start on, anywhere in the steps, and within a save.
      const after = (["start", "progress", "checkpoint"] as const)[number % 3]!;
      const step = Math.floor(((number + draw()) * 0.9 * STEPS) / KILLS);
      const kill: Kill = {
        after,
        milliseconds: 150 * draw(),
        rank: Math.floor(processes * draw()),
        ...(after !== "start" && { step }),
      };
      const { events } = await trainKilled({ artifact, run, data, processes }, kill);
      const damaged = events.filter(({ message }) => message?.includes("damaged"));
      expect([seed, number, kill, damaged]).toEqual([seed, number, kill, []]);
    }
    const { exitCode } = await trainKilled({ artifact, run, data, processes });
    expect([seed, exitCode]).toEqual([seed, 0]);
    expect([seed, metrics(run)]).toEqual([seed, metrics(whole)]);
    expect([seed, (await stateOf(folder, artifact, run)).equals(await stateOf(folder, artifact, whole))]).toEqual([
      seed,
      true,
    ]);
  },
  1_800_000,
);
