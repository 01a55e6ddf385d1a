/** Evaluation of what was trained, and runs that end early. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, project, SLOW, SMALL, TEXT, xenarc } from "./command.js";

const events = (out: string): Record<string, any>[] =>
  out
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

test(
  "a run whose validation loss does not fall ends early, says why, and keeps its best checkpoint; eval of a whole text",
  async () => {
    const cwd = project({ "text.txt": TEXT, "held_out.txt": "The question is not to be. ".repeat(9) });
    const still = ["train.learningRate=0", "train.minLearningRate=0", "eval.every=1", "eval.patience=2"];
    const settings = [...SMALL.filter((setting) => !setting.startsWith("eval.")), ...still];
    const trained = await xenarc({ cwd }, "train", ...settings, "--data", "text.txt", "--json");
    const done = events(trained.out).find(({ event }) => event === "done")!;
    expect(trained.code).toBe(0);
    // The first of three evaluations is the best.
    expect(done).toMatchObject({ step: 3, steps: 6, interrupted: false });
    expect(done.ended_early).toMatch(/^The validation loss has not gone below \d\.\d{4} in 2 evaluations/);
    const [name] = readdirSync(join(cwd, "runs"));
    expect(readdirSync(join(cwd, "runs", name!, "checkpoints"))).toEqual(expect.arrayContaining(["1", "3"]));

    const resumed = await xenarc({ cwd }, "train", ...settings, "--data", "text.txt", "--resume", "--json");
    expect(events(resumed.out).find(({ event }) => event === "done")).toMatchObject({
      step: 3,
      ended_early: done.ended_early,
    });

    // What it kept for validation, wherever it is evaluated from.
    const { validation_loss } = events(trained.out).find(({ event }) => event === "done")!;
    for (const [there, ...run] of [[cwd], [folder(), join(cwd, "runs", name!)]] as const) {
      const { out, err } = await xenarc({ cwd: there }, "eval", ...run, "--json");
      expect(err).toBe("");
      expect(JSON.parse(out)).toMatchObject({ loss: validation_loss, tokens: TEXT.length / 10 - 1 });
    }
    writeFileSync(join(cwd, "text.txt"), `${TEXT}More.`);
    const changed = await xenarc({ cwd }, "eval");
    expect(changed.out).toMatch(/^ {2}data +text\.txt, what the run kept for validation$/m);
    expect(changed.err).toContain("not those of the run: text.txt has 1,725 bytes, and had 1,720. It may have been");
    writeFileSync(join(cwd, "text.txt"), TEXT);

    const own = JSON.parse((await xenarc({ cwd }, "eval", "--data", "text.txt", "--step", "1", "--json")).out);
    expect(own).toMatchObject({ step: 1, tokens: TEXT.length - 1, bytes: TEXT.length - 1 });
    const given = JSON.parse(
      (await xenarc({ cwd }, "eval", join("runs", name!), "--data", "held_out.txt", "--json")).out,
    );
    expect(given.tokens).toBe(27 * 9 - 1);
    expect(given.perplexity).toBeCloseTo(Math.exp(given.loss), 6);
    expect(given.bits_per_byte).toBeCloseTo(given.loss / Math.LN2, 6);

    const { code, err } = await xenarc({ cwd }, "eval", "--data", "nothing.txt");
    expect([code, err]).toEqual([1, expect.stringContaining("nothing.txt")]);
  },
  SLOW,
);

test(
  "what is better, by hand",
  async () => {
    const { python } = await (await import("../../runtime-bridge/bridge.js")).ensurePython();
    const { pythonEnv } = await import("../../runtime-bridge/process.js");
    const { execa } = await import("execa");
    const script = join(project(), "reasons.py");
    writeFileSync(
      script,
      `
from xenarc_runtime.evaluation import reason_to_stop
from xenarc_runtime.settings import EvalSettings
nan = float("nan")
for losses, patience, least in [
    ([3, 2, 2.1, 2.05], 2, 0), ([3, 2, 2.1, 1.9], 2, 0), ([3, 2.95, 2.91], 2, 0.1), ([3, 2.95, 2.89], 2, 0.1),
    ([nan, nan], 2, 0), ([], 1, 0), ([1, 2, 3], None, 0),
]:
    print(reason_to_stop(losses, EvalSettings(1, None, patience, least)) is not None)
`,
    );
    const { stdout } = await execa(python, [script], { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" } });
    expect(stdout.split("\n")).toEqual(["True", "False", "True", "False", "True", "False", "False"]);
  },
  SLOW,
);

test(
  "what goes by the validation loss is refused without validation data; a warm-up beyond the last step is said",
  async () => {
    const cwd = project({ "text.txt": TEXT });
    const train = (...args: string[]) => xenarc({ cwd }, "train", ...SMALL, "--data", "text.txt", ...args);
    for (const [settings, said] of [
      [["eval.patience=2"], "eval.patience goes by the validation loss, and there are no validation data in text.txt."],
      [["eval.patience=2", "checkpoint.best=1"], "eval.patience and checkpoint.best go by the validation loss"],
    ] as const) {
      const { code, err } = await train(...settings, "data.validation=0");
      expect([code, err]).toEqual([1, expect.stringContaining(said)]);
      expect(err).toContain("Keep a share of the data apart (data.validation=0.1)");
    }
    const { code, out } = await train("data.validation=0", "train.warmup=10");
    // The steps' rates are 0/10, 1/10, ... 5/10 of the highest.
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^warning: train\.warmup is 10 and train\.steps 6: .* 50% of/m),
    ]);
    expect(out).toMatch(/^ {2}loss +\d+\.\d{4}, after 6 steps/m);
  },
  SLOW,
);
