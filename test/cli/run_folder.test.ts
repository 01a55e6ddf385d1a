/** A run's folder as a training takes it: what is left alone, and what comes back where a run does not begin. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settle } from "../../cli/run_folder.js";
import { folder, project, SLOW, SMALL, TEXT, type Where, xenarc } from "./command.js";

let cwd: string;
const file = (...path: string[]): string => join(cwd, ...path);
const train = (...args: string[]) => xenarc({ cwd }, "train", ...SMALL, ...args);

/** Every file below a folder, with what is in it. */
function contents(place: string): Record<string, string> {
  const names = readdirSync(place, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => statSync(join(place, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(place, name), "base64")]));
}

beforeAll(async () => {
  cwd = project({ "text.txt": TEXT });
  const { code, err } = await train("--data", "text.txt", "--run", "kept");
  expect([code, err]).toEqual([0, ""]);
}, SLOW);

test(
  "files, and folders of others, are no runs' folders, whatever is to be done with what they hold",
  async () => {
    mkdirSync(file("notes/source"), { recursive: true });
    for (const name of ["notes/log.txt", "notes/source/mine.c"]) writeFileSync(file(name), "mine");
    const before = contents(file("notes"));
    const foreign = "notes is no run's folder: it has log.txt, source.";
    for (const [args, said] of [
      [["train", "--run", "text.txt"], "text.txt is a file.\n\nName a folder: --run DIR"],
      [["train", "--run", "text.txt/run"], "text.txt/run is in no folder:"],
      [["sweep", "train.steps=1,2", "--run", "text.txt"], "text.txt is a file."],
      [["train", "--run", "notes"], foreign],
      [["train", "--run", "notes", "--overwrite"], foreign],
      [["train", "--run", "notes", "--resume"], foreign],
      [["quickstart", "--run", "notes"], foreign],
      [["train", "--resume", "--overwrite"], "option '--resume' cannot be used with option '--overwrite'"],
      [
        ["train", "config.yaml"],
        "config.yaml is a configuration, not a model.\n\nExpected: a file such as model.ts, or its folder\nA configuration is given to a model: --config config.yaml",
      ],
      [
        ["config", "show", "--data", "text.txt"],
        "This command takes them as the configuration has them: data.path=PATH",
      ],
    ] as const) {
      const { code, err } = await xenarc({ cwd }, ...args);
      expect([code, err]).toEqual([2, expect.stringContaining(said)]);
    }
    expect(contents(file("notes"))).toEqual(before);
  },
  SLOW,
);

test(
  "a run that does not begin leaves no folder, and a run that is there as it was",
  async () => {
    const refused = await train("--data", "nowhere.txt", "--run", "new/deep/run", "--json");
    expect([refused.code, existsSync(file("new"))]).toEqual([1, false]);
    // Said once to scripts, once to people.
    expect(refused.out.trim().split("\n")).toEqual([expect.stringMatching(/^\{"event":"error".*nowhere\.txt/)]);
    expect(refused.err.match(/nowhere\.txt/g)).toHaveLength(1);

    mkdirSync(file("empty"));
    const before = contents(file("kept"));
    for (const [args, said] of [
      [["--overwrite", "--data", "nowhere.txt"], "nowhere.txt"],
      [
        ["--overwrite", "--data", "text.txt", "--from", "empty"],
        "empty has neither checkpoints nor safetensors files.",
      ],
      [
        ["--overwrite", "--data", "text.txt", "--from", "kept"],
        "The weights to begin with are those that --overwrite deletes",
      ],
      [["--resume", "--data", "nowhere.txt", "train.learningRate=0.01"], "nowhere.txt"],
      [
        ["--resume", "--data", "text.txt", "lora.rank=2"],
        "was trained without adapters, and the configuration has some now.",
      ],
    ] as const) {
      const { code, err } = await train("--run", "kept", ...args);
      expect([code, err]).toEqual([1, expect.stringContaining(said)]);
      expect(contents(file("kept"))).toEqual(before);
    }
    // Nor is anything deleted before the weights are known to be the model's.
    const wider = await train("--data", "text.txt", "--run", "wider", "model.embed=16");
    expect(wider.code).toBe(0);
    const other = await train("--data", "text.txt", "--run", "kept", "--overwrite", "--from", "wider");
    expect([other.code, other.err]).toEqual([1, expect.stringContaining("are those of another model")]);
    expect(contents(file("kept"))).toEqual(before);
  },
  2 * SLOW,
);

test(
  "what is told of a run may change when it goes on; --overwrite takes the stacks of earlier hangs away",
  async () => {
    cpSync(file("kept"), file("longer"), { recursive: true });
    mkdirSync(file("longer/stacks"));
    writeFileSync(file("longer/stacks/process-3.txt"), "Thread");
    const go = (...args: string[]) => train("--data", "text.txt", "--run", "longer", ...args);
    const resumed = await go("--resume", "train.steps=8", "log.every=3");
    expect([resumed.code, resumed.out]).toEqual([
      0,
      expect.stringContaining("Resuming with other settings: train.steps"),
    ]);
    const told = await go("--resume", "train.steps=8", "log.every=2");
    expect([told.code, told.out]).toEqual([0, expect.not.stringContaining("Resuming")]);
    // Another program under the same settings.
    const model = readFileSync(file("model.ts"), "utf8");
    writeFileSync(
      file("model.ts"),
      model.replace("new LayerNorm({ embed }, { bias })", "new LayerNorm({ embed }, { bias, epsilon: 0.01 })"),
    );
    const changed = await go("--resume", "train.steps=8", "log.every=1");
    writeFileSync(file("model.ts"), model);
    expect(changed.out).toContain("warning: Resuming a model that was changed since, or compiled by another xenarc.");
    expect(existsSync(file("longer/stacks"))).toBe(true);
    expect((await go("--overwrite")).code).toBe(0);
    expect(existsSync(file("longer/stacks"))).toBe(false);
  },
  2 * SLOW,
);

test("a start that was killed is settled by the next: by the run's history, the new artifact stays or the old one comes back", () => {
  const run = join(folder(), "run");
  const names = () => readdirSync(run).sort();
  const manifest = (name: string) => readFileSync(join(run, name, "manifest.json"), "utf8");
  cpSync(file("kept"), run, { recursive: true });
  const [whole, old] = [names(), manifest("artifact")];
  settle(run);
  expect(names()).toEqual(whole);

  const replace = (text: string) => {
    for (const name of ["source", "artifact"]) renameSync(join(run, name), join(run, `${name}.before`));
    mkdirSync(join(run, "artifact"));
    writeFileSync(join(run, "artifact/manifest.json"), text);
  };
  replace("{}");
  settle(run);
  expect([names(), manifest("artifact")]).toEqual([whole, old]);

  // Killed between the two.
  renameSync(join(run, "source"), join(run, "source.before"));
  settle(run);
  expect(names()).toEqual(whole);

  // The history names it: the run has begun.
  replace(old);
  settle(run);
  expect([names(), manifest("artifact")]).toEqual([whole.filter((name) => name !== "source"), old]);
});

test(
  "Ctrl-C ends an evaluation, which has nothing to save",
  async () => {
    // Once the runtime is there, so that the signal has somebody to go to.
    const started: Where["started"] = (child) => {
      const timer = setInterval(() => {
        if (spawnSync("pgrep", ["-P", `${child.pid}`, "-f", "xenarc_runtime"]).status !== 0) return;
        clearInterval(timer);
        child.kill("SIGINT");
      }, 20);
    };
    const { code, out, err } = await xenarc({ cwd, started }, "eval", "kept");
    expect([code, out, err]).toEqual([130, "", "Interrupted.\n"]);
  },
  SLOW,
);
