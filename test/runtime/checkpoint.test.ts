/** Checkpoints, goodput and bad steps: what the runtime's own tests hold true. */
import { join } from "node:path";
import { execa } from "execa";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { here, python, referenceArtifact, temporaryFolder, writeText } from "./support.js";

const folder = temporaryFolder();

test.each(["test_checkpoint", "test_goodput", "test_history"])(
  "%s.py",
  async (module) => {
    const { python } = await ensurePython();
    const result = await execa(python, ["-m", "unittest", "-q", module], {
      cwd: here("."),
      env: { ...pythonEnv(), PYTHONDONTWRITEBYTECODE: "1", JAX_PLATFORMS: "cpu" },
      reject: false,
    });
    expect(result.exitCode === 0 ? "" : result.stderr).toBe("");
  },
  120_000,
);

test("work that is slow is not taken for work that hangs (slow.py)", async () => {
  const artifact = await referenceArtifact(folder, 16, 2);
  const said = await python("slow.py", artifact, writeText(folder), join(folder, "slow"));
  const events = said.split("\n").map((line) => JSON.parse(line));
  expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(["sample", "profile"]));
  expect(events.at(-1)).toMatchObject({ event: "done", step: 2 });
}, 240_000);

test("a run that is rolled back is the one that is stepped by hand (rollback.py)", async () => {
  const artifact = join(folder, "artifact");
  const config = {
    model: { layers: 1, heads: 2, embed: 16, context: 16 },
    train: {
      ...{ batch: 4, warmup: 2, steps: 45, learningRate: 0.01 },
      // So few deviations that some steps are bad.
      badSteps: { policy: "rollback", spike: 1.7, memory: 8, rollbacks: 50 },
    },
    checkpoint: { every: 5 },
    eval: { every: 0 },
    log: { every: 1, tensorboard: false },
  };
  await (await compile(charTransformer, config, { locations: false })).write(artifact);
  const said = await python("rollback.py", artifact, writeText(folder), join(folder, "run"));
  expect(said).toMatch(
    /Step \d+ is bad: .* Going on from the checkpoint of step \d+, behind that batch \(rollback 1 of at most 50\)/,
  );
}, 240_000);
