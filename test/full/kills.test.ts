/** Thirty kills at drawn moments, of one process and of two: whenever they come, the run ends with the bits of the run that was not killed. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { drawing, type Kill, trainKilled } from "../runtime/kills.js";
import { metrics, stateOf, temporaryFolder, writeText } from "../runtime/support.js";

const KILLS = 30;
const folder = temporaryFolder();
const data = writeText(folder);

// A start has enough steps until its kill, also where a slow machine is late with it. Steps of two processes take longer.
test.each([
  [1, 3000],
  [2, 900],
])(
  "%i process(es)",
  async (processes, steps) => {
    const artifact = join(folder, `artifact-${processes}`);
    const config = {
      model: { layers: 1, heads: 2, embed: 16, context: 16 },
      mesh: processes > 1 ? { fsdp: processes } : {},
      train: { batch: 4, warmup: 2, steps },
      eval: { every: steps / 6 },
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
      // At any moment of a start, anywhere in the steps, and within a save.
      const after = (["start", "progress", "checkpoint", "compiled", "progress", "checkpoint"] as const)[number % 6]!;
      const reached = lastStep(run);
      const share = (0.9 * steps - reached) / (KILLS - number);
      const kill: Kill = {
        after,
        milliseconds: 100 * draw(),
        rank: Math.floor(processes * draw()),
        ...((after === "progress" || after === "checkpoint") && { step: reached + Math.floor(1.5 * share * draw()) }),
      };
      const { events, killed } = await trainKilled({ artifact, run, data, processes }, kill);
      const damaged = events.filter(({ message }) => message?.includes("damaged"));
      expect([seed, number, kill, killed, damaged]).toEqual([seed, number, kill, true, []]);
    }
    expect([seed, lastStep(run) > 0]).toEqual([seed, true]);
    const { exitCode } = await trainKilled({ artifact, run, data, processes });
    expect([seed, exitCode]).toEqual([seed, 0]);
    expect([seed, metrics(run)]).toEqual([seed, metrics(whole)]);
    expect([seed, (await stateOf(folder, artifact, run)).equals(await stateOf(folder, artifact, whole))]).toEqual([
      seed,
      true,
    ]);
  },
  3_600_000,
);

/** The step of a run's last checkpoint. */
function lastStep(run: string): number {
  const checkpoints = join(run, "checkpoints");
  const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  return Math.max(0, ...names.map(Number).filter(Number.isInteger));
}
