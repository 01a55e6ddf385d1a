/** `xenarc prune-experts`: what it writes is opened by the other commands; what it cannot do it says. */
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folder, project, root, SLOW, SMALL, TEXT, xenarc } from "./command.js";

const settings = [
  ...SMALL,
  "model.heads=2",
  "model.kvHeads=1",
  "model.mlp=6",
  "model.experts=4",
  "data.validation=0.2",
];
let cwd: string;
beforeAll(async () => {
  cwd = folder({ "text.txt": TEXT });
  cpSync(join(root, "examples/mixtral/model.ts"), join(cwd, "model.ts"));
  const trained = await xenarc(
    { cwd },
    "train",
    "-d",
    "text.txt",
    ...settings,
    "data.path=text.txt",
    "train.ema.decay=0.5",
  );
  expect(trained).toMatchObject({ code: 0 });
}, SLOW);

test(
  "a run that eval, generate and train --from open",
  async () => {
    const pruned = await xenarc({ cwd }, "prune-experts", "--keep", "2");
    expect(pruned).toMatchObject({ code: 0, err: "" });
    const run = "runs/mixtral-2-experts";
    expect(pruned.out.replaceAll(/\d+\.\d+/g, "N")).toMatchInlineSnapshot(`
"  experts      2 of 4 kept in each mixture; the others, with N % of the choices, are gone
  loss before  N nats a token
  loss after   N nats a token
  measured on  343 tokens of text.txt
  run          runs/mixtral-2-experts, step 6; pruning.json has the experts by layer

Train on from it with: xenarc train -c runs/mixtral-2-experts/config.yaml --from runs/mixtral-2-experts --run runs/mixtral-2-experts-trained
"
`);
    const [, before, after] = /before +([\d.]+)[\s\S]*after +([\d.]+)/.exec(pruned.out)!;
    const evaluated = async (of: string) => JSON.parse((await xenarc({ cwd }, "eval", of, "--json")).out).loss;
    expect((await evaluated("runs/mixtral")).toFixed(4)).toBe(before);
    expect((await evaluated(run)).toFixed(4)).toBe(after);
    expect(readFileSync(join(cwd, run, "config.yaml"), "utf8")).toMatch(/^ {2}experts: 2$/m);
    const written = await xenarc({ cwd }, "generate", "--run", run, "--prompt", "To be", "-n", "5");
    expect(written).toMatchObject({ code: 0 });
    const config = ["-c", join(run, "config.yaml"), "train.steps=1", "-d", "text.txt"];
    const on = await xenarc({ cwd }, "train", ...config, "--from", run, "--run", "runs/on");
    expect(on).toMatchObject({ code: 0, err: "" });
    // It has no optimizer's state to go on with, and nothing is left in its folder by the attempt.
    const inside = readdirSync(join(cwd, run)).sort();
    for (const words of [
      [run, "--resume"],
      [...settings, "model.experts=2", "--run", run, "--resume"],
    ]) {
      const { code, err } = await xenarc({ cwd }, "train", ...words);
      expect([code, err]).toEqual([2, expect.stringContaining(`${run} cannot be resumed`)]);
      expect(err).toContain(`--from ${run} --run DIR`);
    }
    expect(readdirSync(join(cwd, run)).sort()).toEqual(inside);

    const merged = await xenarc(
      { cwd },
      "prune-experts",
      "runs/mixtral",
      "--keep",
      "1",
      "--merge",
      "-o",
      "m",
      "--json",
    );
    expect(merged).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(merged.out)).toMatchObject({ path: "m", step: 6, experts: 4, kept: 1, merged: true });
    expect(readFileSync(join(cwd, "m/config.yaml"), "utf8")).toMatch(/^ {2}perToken: 1$/m);
  },
  SLOW,
);

test(
  "what cannot be done",
  async () => {
    const refused = async (where: string, ...args: string[]) => {
      const { code, err } = await xenarc({ cwd: where }, "prune-experts", ...args);
      return `\nexit ${code}\n${err}`.replaceAll(where, "FOLDER");
    };
    expect(await refused(cwd, "runs/mixtral", "--keep", "4")).toMatchInlineSnapshot(`
"
exit 2
error: Each mixture of runs/mixtral has 4 experts: --keep 4 leaves none to be pruned.

Expected: from 1 to 3
"
`);
    expect(await refused(cwd, "runs/mixtral", "--keep", "2", "-o", "runs/mixtral")).toMatchInlineSnapshot(`
"
exit 2
error: runs/mixtral is there already.

Name a new folder with --out DIR.
"
`);
    expect(
      await refused(cwd, "runs/mixtral", "--keep", "2", "-o", "x", "--model", "nowhere.ts"),
    ).toMatchInlineSnapshot(`
"
exit 2
error: There is no file nowhere.ts.

Give the path of a model, such as model.ts.
"
`);
    expect(
      await refused(cwd, "runs/mixtral", "--keep", "2", "-o", "x", "--data", "nothing.txt"),
    ).toMatchInlineSnapshot(`
"
exit 1
error: There is no file or folder nothing.txt.

Name a UTF-8 file, a folder, a glob such as data/*.jsonl, or a URL.
"
`);
    expect(existsSync(join(cwd, "x"))).toBe(false);
    const dense = project({ "text.txt": TEXT });
    expect((await xenarc({ cwd: dense }, "train", "-d", "text.txt", ...SMALL)).code).toBe(0);
    expect(await refused(dense, "--keep", "2")).toMatchInlineSnapshot(`
"
exit 2
error: char-transformer, the model of runs/char-transformer, has no mixture of experts.
"
`);
  },
  SLOW,
);
