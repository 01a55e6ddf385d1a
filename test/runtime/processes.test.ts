/** Training in several processes: what one computes, what becomes of a group when one of them dies, hangs, or is told to stop. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { ensurePython, type RuntimeEvent, type TrainOptions, train } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { xenarc } from "../cli/command.js";
import { metrics, problem, temporaryFolder, writeText } from "./support.js";

const SLOW = 240_000;
const folder = temporaryFolder();
const text = writeText(folder);
const model = { layers: 1, heads: 2, embed: 16, context: 16 };
/** The first axis lies across the two processes: each has half of the weights and half of the batch. */
const mesh = { fsdp: 2, tensor: 2 };
const short = { batch: 4, warmup: 2, steps: 12 };

async function artifact(name: string, config: object): Promise<string> {
  const path = join(folder, name);
  await (await compile(charTransformer, { model, log: { every: 1 }, ...config }, { locations: false })).write(path);
  return path;
}

/** The processes that train in a run's folder. */
async function processesOf(run: string, rank?: number): Promise<number[]> {
  const pattern = `xenarc_runtime train .*--run ${run}( |$)${rank === undefined ? "" : `.*--process=${rank}`}`;
  const { stdout } = await execa("pgrep", ["-f", pattern], { reject: false });
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** Sends a process of a group a signal. */
const signal = (run: string, rank: number, name: NodeJS.Signals) => async (): Promise<void> => {
  for (const pid of await processesOf(run, rank)) process.kill(pid, name);
};

/** Trains in two processes and does something to them as soon as they are past a step. The error's message, if it ends with one. */
async function disturbed(
  options: TrainOptions,
  { action, after }: { action: () => void | Promise<void>; after: number },
): Promise<{ message: string | undefined; seconds: number; events: RuntimeEvent[] }> {
  const events: RuntimeEvent[] = [];
  let sent: number | undefined;
  const onEvent = (event: RuntimeEvent) => {
    events.push(event);
    if (event.event !== "progress" || event.step < after || sent !== undefined) return;
    sent = performance.now();
    void action();
  };
  let message: string | undefined;
  if (options.restarts === undefined) message = await problem(() => train({ ...options, processes: 2 }, onEvent));
  else await train({ ...options, processes: 2 }, onEvent);
  return { message, seconds: (performance.now() - sent!) / 1000, events };
}

const relative = (a: number, b: number) => Math.abs(a - b) / Math.max(Math.abs(b), 1e-30);

let sharded: string;
const endless = () => artifact("endless", { mesh, train: { ...short, steps: 100_000 } });
const whole = join(folder, "whole");

test(
  "two processes train as one device does",
  async () => {
    const checkpoint = { weights: { every: 12 } };
    sharded = await artifact("sharded", { mesh, train: short, checkpoint });
    const one = join(folder, "one");
    await train({ artifact: await artifact("alone", { train: short, checkpoint }), run: one, data: text });
    const events: RuntimeEvent[] = [];
    const done = await train({ artifact: sharded, run: whole, data: text, processes: 2 }, (event) =>
      events.push(event),
    );
    expect(done).toMatchObject({ step: 12, interrupted: false });
    expect(events.find(({ event }) => event === "start")).toMatchObject({ devices: 4, processes: 2 });
    // Only the first process speaks and writes.
    for (const kind of ["start", "eval", "checkpoint", "done"]) {
      const steps = events.filter(({ event }) => event === kind).map((event) => ("step" in event ? event.step : 0));
      expect([kind, steps]).toEqual([kind, [...new Set(steps)]]);
    }
    const [expected, found] = [metrics(one), metrics(whole)];
    expect(found.map(({ step }) => step)).toEqual(expected.map(({ step }) => step));
    for (const [i, entry] of found.entries()) {
      for (const [name, value] of Object.entries(entry))
        expect(relative(value, expected[i]![name]!)).toBeLessThan(1e-5);
    }
    expect(readdirSync(whole).sort()).toEqual(readdirSync(one).sort());
    expect(readdirSync(join(whole, "weights/12")).sort()).toEqual(["config.json", "model.safetensors"]);
  },
  SLOW,
);

test(
  "a process that is killed takes the group down, with its own end said first; resumed, the run ends with the same bits",
  async () => {
    const run = join(folder, "killed");
    const options = { artifact: sharded, run, data: text };
    const { message, seconds } = await disturbed(options, { action: signal(run, 1, "SIGKILL"), after: 7 });
    expect(message).toMatch(/^Process 1 of 2 ended early: it was killed \(SIGKILL\)/);
    expect(message).toContain("Go on from the last checkpoint with --resume.");
    expect(message).not.toMatch(/gloo|coordination|distributed service/i);
    expect(seconds).toBeLessThan(30);
    expect(await processesOf(run)).toEqual([]);
    await train({ ...options, existing: "resume", processes: 2 });
    expect(metrics(run)).toEqual(metrics(whole));
  },
  SLOW,
);

test(
  "with --restarts it goes on by itself, whichever process died",
  async () => {
    const run = join(folder, "restarted");
    const options = { artifact: sharded, run, data: text, restarts: 1 };
    const { events } = await disturbed(options, { action: signal(run, 0, "SIGKILL"), after: 7 });
    const said = events.filter((event) => event.event === "log").map(({ message }) => message);
    expect(said).toEqual([expect.stringMatching(/^Process 0 of 2 ended early: .*\(restart 1 of 1\)\.$/s)]);
    // The checkpoint of step 6 is written beside the steps: it may or may not have been whole.
    const starts = events.filter((event) => event.event === "start").map(({ step, resumed }) => `${step} ${resumed}`);
    expect(starts).toEqual(["0 false", expect.stringMatching(/^(0 false|6 true)$/)]);
    expect(metrics(run)).toEqual(metrics(whole));
  },
  SLOW,
);

test(
  "two processes roll back as one does",
  async () => {
    const steps = { ...short, steps: 45, learningRate: 0.01 };
    const config = {
      mesh: { fsdp: 2 },
      // So few deviations that some steps are bad.
      train: { ...steps, badSteps: { policy: "rollback", spike: 1.7, memory: 8, rollbacks: 50 } },
      checkpoint: { every: 5 },
      eval: { every: 0 },
    };
    const options = { artifact: await artifact("spikes", config), data: text };
    const [one, two] = [join(folder, "rolled-one"), join(folder, "rolled-two")];
    const done = await train({ ...options, run: one }, () => {});
    expect(done.rollbacks).toBeGreaterThan(1);
    expect(await train({ ...options, run: two, processes: 2 }, () => {})).toMatchObject({
      step: 45,
      rollbacks: done.rollbacks,
      loss: done.loss,
    });
    expect(metrics(two)).toEqual(metrics(one));
  },
  2 * SLOW,
);

test(
  "a process that hangs is noticed, and the stacks of all are written",
  async () => {
    const run = join(folder, "hung");
    const options = { artifact: await endless(), run, data: text, watchdog: 10 };
    // A file that no longer answers, as on a network disk that is gone.
    const hang = () => {
      rmSync(join(run, "metrics.jsonl"));
      execaSync("mkfifo", [join(run, "metrics.jsonl")]);
    };
    const { message, seconds } = await disturbed(options, { action: hang, after: 3 });
    expect(message).toMatch(
      /^Nothing has happened for 10 s since step \d+ ended\.\nWhere each process stood is in .*stacks/,
    );
    expect(seconds).toBeLessThan(30);
    expect(await processesOf(run)).toEqual([]);
    const stack = (rank: number) => readFileSync(join(run, "stacks", `process-${rank}.txt`), "utf8");
    expect(stack(0)).toMatch(/metrics\.py", line \d+ in add/);
    expect(stack(1)).toMatch(/pjrt\.py", line \d+ in execute/);
  },
  SLOW,
);

test(
  "a process that is stopped is named",
  async () => {
    const run = join(folder, "frozen");
    const options = { artifact: await endless(), run, data: text };
    const { message, seconds } = await disturbed(options, { action: signal(run, 1, "SIGSTOP"), after: 3 });
    expect(message).toMatch(/^Process 1 of 2 no longer answers: /);
    expect(seconds).toBeLessThan(30);
    expect(await processesOf(run)).toEqual([]);
  },
  SLOW,
);

test(
  "Ctrl-C ends the group with one checkpoint",
  async () => {
    let sent = false;
    const watch = (said: string, child: { kill(signal: NodeJS.Signals): boolean }) => {
      if (!sent && /^step +[\d,]+\/100,000/m.test(said)) sent = child.kill("SIGINT");
    };
    await endless();
    const args = ["train", "endless", "--processes", "2", "--data", "text.txt", "--run", "stopped"];
    const { code, out, err } = await xenarc({ cwd: folder, watch }, ...args);
    expect([code, err]).toEqual([130, ""]);
    expect(out).toContain("on 4 x cpu in 2 processes");
    const step = /Interrupted at step ([\d,]+) of 100,000; a checkpoint was saved\./.exec(out)?.[1];
    const saved = readdirSync(join(folder, "stopped/checkpoints"));
    expect(saved).toContain(step?.replaceAll(",", ""));
    expect(saved.length).toBeLessThanOrEqual(2);
    expect(await processesOf("stopped")).toEqual([]);
  },
  SLOW,
);

test(
  "processes that SLURM starts find each other, and when one has a mistake all say it",
  async () => {
    const run = join(folder, "slurm");
    const { python } = await ensurePython();
    const start = (rank: number, args: string[]) =>
      execa(python, ["-m", "xenarc_runtime", "train", sharded, "--run", run, ...args], {
        env: {
          ...pythonEnv(),
          ...{ SLURM_JOB_ID: `${process.pid}`, SLURM_STEP_NODELIST: "localhost", SLURM_NTASKS: "2" },
          ...{ SLURM_PROCID: `${rank}`, SLURM_LOCALID: "0" },
        },
        reject: false,
      });
    const events = (out: string): { event: string; message?: string; processes?: number }[] =>
      out.split("\n").map((line) => JSON.parse(line));
    const group = await Promise.all([0, 1].map((rank) => start(rank, ["--data", text])));
    expect(group.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(events(group[0]!.stdout).find(({ event }) => event === "start")).toMatchObject({ processes: 2 });
    expect(group[1]!.stdout).toBe("");
    expect(metrics(run)).toEqual(metrics(whole));
    // The second host lacks the text; the first would wait for it.
    const wrong = await Promise.all([
      start(0, ["--data", text, "--resume"]),
      start(1, ["--data", "nowhere", "--resume"]),
    ]);
    expect(wrong.map(({ exitCode }) => exitCode)).toEqual([1, 1]);
    for (const { stdout } of wrong) {
      expect(events(stdout).at(-1)).toMatchObject({ message: "There is no file or folder nowhere.", process: 1 });
    }
  },
  SLOW,
);

test("devices that the processes cannot share are said once", async () => {
  const run = join(folder, "uneven");
  const message = await problem(() => train({ artifact: sharded, run, data: text, processes: 3 }));
  expect(message).toBe(
    "The artifact is for 4 devices, which 3 processes cannot share evenly.\nGive a number of processes that divides 4.",
  );
}, 60_000);
