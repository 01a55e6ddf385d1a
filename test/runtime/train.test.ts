import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa, execaNode } from "execa";
import { ensurePython, exportWeights, type RuntimeEvent, train } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { here, metrics, problem, python, referenceArtifact, stateOf, temporaryFolder, writeText } from "./support.js";

const CONTEXT = 16;
const STEPS = 400; // of 2 ms each: long enough for a signal to arrive in between
const folder = temporaryFolder();
const text = writeText(folder);
let artifact: string;
let state: Buffer;
beforeAll(async () => {
  artifact = await referenceArtifact(folder, CONTEXT, STEPS);
});

const dumpState = (run: string): Promise<Buffer> => stateOf(folder, artifact, run);

test("a run computes what JAX computes from the same batches, and leaves checkpoints, metrics and a picture", async () => {
  const run = join(folder, "whole");
  const events: RuntimeEvent[] = [];
  const done = await train({ artifact, run, data: text }, (event) => events.push(event));
  expect(done).toMatchObject({ step: STEPS, interrupted: false });
  expect(events.find((event) => event.event === "start")).toMatchObject({ step: 0, resumed: false, parameters: 8192 });

  const batches = join(folder, "batches.npz");
  await python("dump_run.py", "batches", text, `${CONTEXT}`, `${STEPS}`, "7", batches);
  const expected = JSON.parse(await python("reference_model.py", "train", `${CONTEXT}`, `${STEPS}`, batches));
  const logged = metrics(run).filter((entry) => entry.loss !== undefined);
  expect(logged.map((entry) => entry.step)).toEqual([1, ...Array.from({ length: STEPS / 5 }, (_, i) => 5 * (i + 1))]);
  for (const { step, loss } of logged as { step: number; loss: number }[]) {
    expect(Math.abs(loss / expected.losses[step - 1] - 1)).toBeLessThan(1e-5);
  }
  expect(Math.abs((done.validation_loss as number) / expected.validation - 1)).toBeLessThan(1e-5);
  expect(done.validation_loss).toBeLessThan(3.5);

  expect(readdirSync(join(run, "checkpoints")).sort()).toEqual(["380", "400"]);
  expect(readFileSync(join(run, "loss.png")).subarray(1, 4).toString()).toBe("PNG");
  state = await dumpState(run);
});

test("interrupted by Ctrl-C and resumed, a run ends with the same bits", async () => {
  const run = join(folder, "interrupted");
  // The signal goes to the Node process alone, which passes it on.
  const child = execaNode(here("train_and_print.ts"), [artifact, run, text], {
    nodeOptions: ["--import", "tsx"],
    env: { XENARC_WORKER: "" },
    reject: false,
  });
  let seen = "";
  for await (const line of child.iterable()) {
    seen += `${line}\n`;
    if (line.startsWith("progress 25")) child.kill("SIGINT");
  }
  const result = await child;
  expect([result.exitCode, result.stderr]).toEqual([0, ""]);
  const step = Number(/done (\d+) interrupted/.exec(seen)?.[1]);
  expect(step).toBeGreaterThanOrEqual(25);
  expect(step).toBeLessThan(STEPS);
  expect(existsSync(join(run, "checkpoints", `${step}`))).toBe(true);

  expect(await problem(() => train({ artifact, run, data: text }))).toMatch(/has checkpoints already.*--resume/s);
  const events: RuntimeEvent[] = [];
  await train({ artifact, run, data: text, existing: "resume" }, (event) => events.push(event));
  expect(events.find((event) => event.event === "start")).toMatchObject({ step, resumed: true });
  expect(events.filter((event) => event.event === "log")).toEqual([]);
  expect((await dumpState(run)).equals(state)).toBe(true);
  expect(metrics(run)).toEqual(metrics(join(folder, "whole")));
});

test("Ctrl-C ends the runtime at whatever moment of its start it comes", async () => {
  const { python } = await ensurePython();
  const args = [
    "-m",
    "xenarc_runtime",
    "train",
    artifact,
    "--data",
    text,
    "--overwrite",
    "--run",
    join(folder, "early"),
  ];
  for (const after of [50, 100, 150, 200, 250, 300, 350, 400, 500, 700]) {
    const child = execa(python, args, { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" }, reject: false });
    setTimeout(() => child.kill("SIGINT"), after);
    const { exitCode, signal, stdout, stderr } = await child;
    const saved = exitCode === 0 && stdout.includes('"interrupted": true');
    // Before anything of ours runs, Python ends itself, each time in words of its own.
    const early = !stderr.includes("xenarc_runtime") && stderr.includes("KeyboardInterrupt");
    expect([after, exitCode === 130 || signal === "SIGINT" || saved || early]).toEqual([after, true]);
  }
});

test("a killed run resumes from its last whole checkpoint, with the same bits", async () => {
  const run = join(folder, "killed");
  await train({ artifact, run, data: text });
  // What a kill leaves: the newest checkpoint half-written, under Orbax's temporary name.
  rmSync(join(run, "checkpoints", "400"), { recursive: true });
  mkdirSync(join(run, "checkpoints", "400.orbax-checkpoint-tmp-1"));
  const events: RuntimeEvent[] = [];
  await train({ artifact, run, data: text, existing: "resume" }, (event) => events.push(event));
  expect(events.find((event) => event.event === "start")).toMatchObject({ step: 380 });
  expect((await dumpState(run)).equals(state)).toBe(true);
});

test("--overwrite takes all of an earlier run away, but not before the weights to begin with are found elsewhere", async () => {
  const run = join(folder, "overwritten");
  cpSync(join(folder, "whole"), run, { recursive: true });
  const old = ["probes/step_00000001.npz", "wandb/run/log", "anomalies.jsonl", "tensorboard/events"];
  for (const file of old) {
    mkdirSync(dirname(join(run, file)), { recursive: true });
    writeFileSync(join(run, file), "");
  }
  const overwrite = (from?: string) =>
    train({ artifact, run, data: text, existing: "overwrite", ...(from && { from }) });
  symlinkSync(run, join(folder, "link"));
  cpSync(artifact, join(run, "artifact"), { recursive: true });
  await exportWeights({ checkpoint: join(run, "checkpoints/380"), out: join(run, "weights/380") });
  for (const from of [run, join(run, "checkpoints/380"), join(folder, "link"), join(run, "weights/380")]) {
    expect(await problem(() => overwrite(from))).toMatch(
      /^The weights to begin with are those that --overwrite deletes: .*(checkpoints|weights)\/\d+ belongs to .*overwritten itself\.\nGive the new run another folder\.$/,
    );
  }
  expect(await problem(() => overwrite(join(folder, "mistyped")))).toMatch("There is no file or folder");
  expect(readdirSync(join(run, "checkpoints")).sort()).toEqual(["380", "400"]);
  expect(old.filter((file) => !existsSync(join(run, file)))).toEqual([]);
  await overwrite();
  expect(old.filter((file) => existsSync(join(run, file)))).toEqual([]);
  expect(metrics(run)).toEqual(metrics(join(folder, "whole")));
});

test("resuming with other text is said", async () => {
  const other = join(folder, "other.txt");
  writeFileSync(other, "another text altogether, ".repeat(100));
  const messages: string[] = [];
  const run = join(folder, "whole");
  await train({ artifact, run, data: other, existing: "resume" }, (event) => {
    if (event.event === "log") messages.push(event.message);
  });
  expect(messages).toEqual([
    expect.stringMatching(/^Resuming on other data: .*other\.txt has 2,500 bytes, and had 6,\d\d\d\.$/),
  ]);
});

test("a position among records is refused once they have changed, the files are named, and the run stays as it was", async () => {
  const records = join(folder, "records.jsonl");
  const lines = Array.from({ length: 40 }, (_, n) => `${JSON.stringify({ text: `the ${n}th of forty lines` })}\n`);
  writeFileSync(records, lines.join(""));
  const run = join(folder, "of-records");
  await train({ artifact, run, data: records });
  const history = readFileSync(join(run, "run.json"), "utf8");
  const resumed = (data: string) => problem(() => train({ artifact, run, data, existing: "resume" }));
  for (const changed of [
    ["{}\n", ...lines],
    lines.slice(0, 20),
    [lines[0]!.replace("the", "not"), ...lines.slice(1)],
  ]) {
    writeFileSync(records, changed.join(""));
    expect(await resumed(records)).toMatch(
      /^The run's position in its data is none in these: .*records\.jsonl has (\d,?\d* bytes, and had 1,\d\d\d|other bytes than it had)\./,
    );
  }
  expect(await resumed(text)).toMatch(/none in these: .*text\.txt is of the kind text, and was of the kind jsonl\./);
  expect(readFileSync(join(run, "run.json"), "utf8")).toBe(history);
  const copy = join(folder, "copy.jsonl");
  writeFileSync(copy, lines.join(""));
  await train({ artifact, run, data: copy, existing: "resume" });
});

test("another model's checkpoint is refused by name and shape", async () => {
  const source = JSON.parse(readFileSync(join(artifact, "manifest.json"), "utf8"));
  expect(source.programs.train_step.inputs[0].name).toBe("params/embed");
  const run = join(folder, "whole");
  const renamed = await referenceArtifact(folder, CONTEXT, STEPS);
  const manifest = join(renamed, "manifest.json");
  const was = readFileSync(manifest, "utf8");
  writeFileSync(manifest, was.replaceAll("params/embed", "params/embedding"));
  const message = await problem(() => train({ artifact: renamed, run, data: text, existing: "resume" }));
  writeFileSync(manifest, was);
  expect(message).toMatch(/has no `params\/embedding`, which the model has/);
});

describe("bad data", () => {
  const write = (name: string, content: string | Uint8Array): string => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  const cases: [name: string, data: () => string, expected: RegExp][] = [
    ["missing", () => join(folder, "nowhere"), /There is no file or folder .*nowhere\.\nName a UTF-8 file/],
    ["empty", () => write("empty.txt", ""), /There is no text in .*empty\.txt\./],
    [
      "not UTF-8",
      () => write("latin.txt", Buffer.from("caf\xe9 ".repeat(50), "latin1")),
      /latin\.txt is not UTF-8: byte 0xe9 at offset 3 /,
    ],
    [
      "shorter than the context",
      () => write("short.txt", "too short"),
      /has 9 bytes, 8 of them for training; the model's context of 16 needs at least 17/,
    ],
  ];
  test.each(cases)("%s", async (_, data, expected) => {
    expect(await problem(() => train({ artifact, run: join(folder, "bad"), data: data() }))).toMatch(expected);
  });
  test("not given", async () => {
    expect(await problem(() => train({ artifact, run: join(folder, "bad") }))).toMatch("There is no text to read.");
  });
});
