/** A sweep: every combination once, a failing one recorded, the best first; the same command again repeats nothing. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nameOf, ranked, valuesOf } from "../../cli/commands/sweep.js";
import { essenceOf } from "../../emit/artifact.js";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { folder, project, SLOW, SMALL, TEXT, type Where, xenarc } from "./command.js";

test.each([
  ["a=1,2", ["a=1", "a=2"]],
  ["a=[1,2],[3]", ["a=[1,2]", "a=[3]"]],
  ['a="x,y",z', ['a="x,y"', "a=z"]],
  ["a=1", ["a=1"]],
])("the values of %s", (word, expected) => {
  expect(valuesOf(word)).toEqual(expected);
});

test("settings that a folder's name cannot hold are told apart by a hash", () => {
  expect(nameOf(["model.heads=1", "train.learningRate=1e-4"])).toBe("model.heads=1,train.learningRate=1e-4");
  expect(nameOf(["data.path=a_b"])).toBe("data.path=a_b");
  expect(nameOf(["data.path=a/b"])).toMatch(/^data\.path=a_b-[0-9a-f]{8}$/);
  expect(nameOf(["data.path=a:b"])).not.toBe(nameOf(["data.path=a/b"]));
  const long = ["x", "y"].map((last) => nameOf([`data.path=${"é".repeat(200)}${"long".repeat(200)}${last}`]));
  expect(long.map((name) => Buffer.byteLength(name) <= 255)).toEqual([true, true]);
  expect(long[0]).not.toBe(long[1]);
});

test("the best is first, by the validation loss where one was evaluated; what is not finite, none or failed is last", () => {
  const run = (name: string, loss: number | null, validation?: number | null) => ({
    ...{ run: name, settings: [], loss },
    ...(validation !== undefined && { validation }),
  });
  const failed = { run: "failed", settings: [], failed: "It did." };
  const names = (...results: Parameters<typeof ranked>[0]) => ranked(results).map(({ run }) => run);
  const runs = [failed, run("none", 0.2), run("NaN", 0.1, null), run("worse", 1, 3), run("better", 2, 2)];
  expect(names(...runs)).toEqual(["better", "worse", "NaN", "none", "failed"]);
  expect(names(failed, run("b", 2), run("NaN", null), run("a", 1))).toEqual(["a", "b", "NaN", "failed"]);
});

test(
  "a value that is wrong is said before anything is trained, wherever it stands",
  async () => {
    const cwd = project({ "text.txt": TEXT });
    const sweep = (...words: string[]) => xenarc({ cwd }, "sweep", ...SMALL, ...words, "--data", "text.txt");
    for (const [words, said] of [
      [["model.haeds=1,2"], "model.haeds=1: There is no setting `model.haeds`. Did you mean `model.heads`?"],
      [["train.learningRate=0.01,fast"], "train.learningRate=fast: `train.learningRate` must be a number"],
      [["model.heads=1,3"], "model.heads=3"],
      [["train.learningRate=0.01,0.00001"], "minLearningRate must be at most learningRate"],
    ] as const) {
      const { code, out, err } = await sweep(...words);
      expect([code, out, err]).toEqual([1, "", expect.stringContaining(said)]);
    }
    const { code, err } = await xenarc({ cwd }, "sweep");
    expect([code, err]).toEqual([2, expect.stringContaining("There is nothing to vary.")]);
    expect(existsSync(join(cwd, "runs"))).toBe(false);
  },
  SLOW,
);

test(
  "combinations are trained once each, and compared; a sweep that was killed goes on; what has changed is trained anew",
  async () => {
    const cwd = project({ "text.txt": TEXT });
    const fixed = SMALL.filter((setting) => !/^(train.steps|eval.every)/.test(setting));
    const settings = [...fixed, "train.steps=60", "checkpoint.every=10", "--data", "text.txt", "--json"];
    const sweep = async (shares: string, watch?: Where["watch"]) => {
      const { out, code } = await xenarc(
        { cwd, ...(watch && { watch }) },
        "sweep",
        ...settings,
        `data.validation=${shares}`,
      );
      const events = out.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
      const starts = events.filter(({ event }) => event === "start");
      return { code, starts, end: events.at(-1) };
    };
    const folderOf = (share: string) => join("runs/char-transformer-sweep", `data.validation=${share}`);
    const metrics = (share: string) => readFileSync(join(cwd, folderOf(share), "metrics.jsonl"), "utf8");

    let killed = false;
    const { code } = await sweep("0.1,0.999,0.2", (said, child) => {
      if (killed || !/validation=0.2\/checkpoints\/30"/.test(said)) return;
      killed = true;
      const runtime = execFileSync("pgrep", ["-P", `${child.pid}`], { encoding: "utf8" });
      child.kill("SIGKILL");
      for (const pid of runtime.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
    });
    expect([killed, code]).toEqual([true, null]);
    const first = metrics("0.1");

    // Where in the file the model is changes nothing of it.
    writeFileSync(join(cwd, "model.ts"), `\n// A comment.\n${readFileSync(join(cwd, "model.ts"), "utf8")}`);
    const second = await sweep("0.1,0.999,0.2");
    // One of the three leaves nothing to train on.
    expect([second.code, metrics("0.1")]).toEqual([1, first]);
    expect(second.starts).toMatchObject([{ run: expect.stringContaining("validation=0.2"), resumed: true }]);
    expect(second.starts[0].step).toBeGreaterThan(0);
    const { results, picture } = second.end;
    expect(results.map((result: any) => result.settings)).toEqual(
      expect.arrayContaining(["0.1", "0.2", "0.999"].map((share) => [`data.validation=${share}`])),
    );
    const [best, other, failed] = results;
    expect(best).toMatchObject({ step: 60, validation: expect.any(Number) });
    expect(other.validation).toBeGreaterThanOrEqual(best.validation);
    expect(failed).toMatchObject({ settings: ["data.validation=0.999"], failed: expect.any(String) });
    expect(existsSync(join(cwd, picture))).toBe(true);

    // What is asked of the sweep's folder is asked of one of its runs.
    for (const command of [["eval"], ["generate", "--run"]]) {
      const { code, err } = await xenarc({ cwd }, ...command, "runs/char-transformer-sweep");
      const advice = `this one has the lowest validation loss: ${best.run}\n`;
      expect([code, err]).toEqual([2, expect.stringContaining(advice)]);
      expect(err).toContain("runs/char-transformer-sweep is no run: it holds 2 of them.");
    }

    writeFileSync(join(cwd, "text.txt"), TEXT.toUpperCase());
    const third = await sweep("0.1,0.999");
    expect(third.starts).toMatchObject([{ run: expect.stringContaining("validation=0.1"), resumed: false, step: 0 }]);
    expect(metrics("0.1")).not.toBe(first);
  },
  SLOW,
);

test("what an artifact computes is told apart from where it is written", async () => {
  const essence = async (name: string, config: object, locations: boolean) => {
    const path = join(cwd, name);
    const model = { layers: 1, heads: 1, embed: 8, context: 16 };
    await (await compile(charTransformer, { model, ...config }, { locations })).write(path);
    return essenceOf(path);
  };
  const cwd = folder();
  const one = await essence("a", {}, true);
  expect(await essence("b", { log: { every: 3 }, checkpoint: { every: 7 } }, false)).toBe(one);
  expect(await essence("c", { train: { beta1: 0.8 } }, true)).not.toBe(one);
  expect(await essence("d", { data: { validation: 0.2 } }, true)).not.toBe(one);
});
