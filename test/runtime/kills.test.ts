/** Resuming is exact: runs that are killed and resumed end with the bits of the run that was not. test/full has more of them. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeArtifact } from "../../emit/artifact.js";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { type RuntimeEvent, train } from "../../runtime-bridge/bridge.js";
import { drawing, type Kill, trainKilled } from "./kills.js";
import { metrics, referenceArtifact, referenceSource, stateOf, temporaryFolder, writeText } from "./support.js";

const SLOW = 240_000;
const STEPS = 400; // a checkpoint every 20
const folder = temporaryFolder();
const data = writeText(folder);

test(
  "killed at drawn moments, also in the middle of a save, and told to stop by SIGTERM, a run ends with the same bits",
  async () => {
    const artifact = await referenceArtifact(folder, 16, STEPS);
    const whole = join(folder, "whole");
    await trainKilled({ artifact, run: whole, data });
    const seed = Math.floor(Math.random() * 2 ** 32);
    const draw = drawing(seed);
    const kills: Kill[] = [
      { after: "progress", step: 60 + Math.floor(60 * draw()), milliseconds: 50 * draw() },
      { after: "checkpoint", step: 140 + Math.floor(40 * draw()), milliseconds: 60 * draw() },
      { after: "progress", step: 240 + Math.floor(40 * draw()), milliseconds: 50 * draw(), signal: "SIGTERM" },
    ];
    const run = join(folder, "killed");
    const starts: (number | undefined)[] = [];
    for (const kill of [...kills, undefined]) {
      const { events, exitCode, killed } = await trainKilled({ artifact, run, data }, kill);
      const said = events.map(({ event, message }) => message ?? event);
      expect([seed, kill, killed, said.filter((words) => /damaged|error/.test(words))]).toEqual([
        seed,
        kill,
        kill !== undefined,
        [],
      ]);
      if (kill?.signal === "SIGTERM") {
        const { step } = events.findLast(({ event }) => event === "done")!;
        expect([exitCode, readdirSync(join(run, "checkpoints"))]).toEqual([0, expect.arrayContaining([`${step}`])]);
      }
      starts.push(events.find(({ event }) => event === "start")?.step);
    }
    expect([seed, ...starts]).toEqual([seed, ...[...starts].sort((a, b) => a! - b!)]);
    expect([seed, metrics(run)]).toEqual([seed, metrics(whole)]);
    expect([seed, (await stateOf(folder, artifact, run)).equals(await stateOf(folder, artifact, whole))]).toEqual([
      seed,
      true,
    ]);
    const { seconds } = JSON.parse(readFileSync(join(run, "goodput.json"), "utf8"));
    expect(seconds.steps).toBeGreaterThan(0);
    expect(seconds.startup).toBeGreaterThan(0);
  },
  SLOW,
);

test(
  "processes that read end with the training: SIGTERM saves first, and a kill leaves none behind",
  async () => {
    const lines = join(folder, "lines.jsonl");
    writeFileSync(
      lines,
      Array.from({ length: 200 }, (_, line) => `{"text": "${line}: ${"to be ".repeat(line % 11)}"}`).join("\n"),
    );
    const source = await referenceSource(16, 100_000);
    const artifact = join(folder, "reading");
    const data = { ...(source.config.data as object), workers: 2 };
    await writeArtifact(artifact, { ...source, config: { ...source.config, data } });
    const run = join(folder, "reading-run");
    const kills: Kill[] = [
      { after: "progress", step: 10, milliseconds: 0, signal: "SIGTERM" },
      { after: "progress", milliseconds: 0 },
    ];
    for (const kill of kills) {
      const { events, exitCode, started, left } = await trainKilled({ artifact, run, data: lines }, kill);
      expect([kill, started >= 2, left]).toEqual([kill, true, 0]);
      if (kill.signal === undefined) continue;
      const { event, step } = events.at(-1)!;
      const checkpoints = readdirSync(join(run, "checkpoints"));
      expect([exitCode, event, checkpoints]).toEqual([0, "done", expect.arrayContaining([`${step}`])]);
    }
  },
  SLOW,
);

test(
  "a run goes on in another number of processes: from two to one and from one to two",
  async () => {
    const artifact = join(folder, "sharded");
    const config = {
      model: { layers: 1, heads: 2, embed: 16, context: 16 },
      mesh: { fsdp: 2 },
      train: { batch: 4, warmup: 2, steps: 60 },
      eval: { every: 0 },
      checkpoint: { every: 8 },
      log: { every: 2 },
    };
    await (await compile(charTransformer, config, { locations: false })).write(artifact);
    const whole = join(folder, "whole-sharded");
    await trainKilled({ artifact, run: whole, data });
    const run = join(folder, "other-processes");
    const stages: [processes: number, kill: Kill | undefined][] = [
      [2, { after: "progress", step: 14, milliseconds: 0, rank: 1 }],
      [1, { after: "progress", step: 34, milliseconds: 0 }],
      [2, undefined],
    ];
    for (const [processes, kill] of stages) {
      const { events, exitCode } = await trainKilled({ artifact, run, data, processes }, kill);
      expect([processes, kill, exitCode === 0]).toEqual([processes, kill, kill === undefined]);
      const start = events.find(({ event }) => event === "start");
      expect([processes, start]).toEqual([processes, expect.objectContaining({ processes, devices: 2 })]);
      const before = kill === undefined ? 24 : processes === 1 ? 8 : 0;
      expect(start!.step).toBeGreaterThanOrEqual(before);
    }
    expect(metrics(run)).toEqual(metrics(whole));
    expect((await stateOf(folder, artifact, run)).equals(await stateOf(folder, artifact, whole))).toBe(true);
  },
  SLOW,
);

test(
  "a run goes on on another mesh, with the losses that it would have had, up to rounding",
  async () => {
    const meshed = async (mesh: object): Promise<string> => {
      const artifact = join(folder, `on-${Object.keys(mesh).join("-")}`);
      const config = {
        model: { layers: 1, heads: 2, embed: 16, context: 16 },
        mesh,
        train: { batch: 4, warmup: 2, steps: 12 },
        eval: { every: 6 },
        checkpoint: { every: 6 },
        log: { every: 1 },
      };
      await (await compile(charTransformer, config, { locations: false })).write(artifact);
      return artifact;
    };
    const whole = join(folder, "whole-mesh");
    await train({ artifact: await meshed({ fsdp: 2 }), run: whole, data });
    for (const mesh of [{ data: 2 }, { tensor: 2 }, {}]) {
      const run = join(folder, `whole-mesh-${Object.keys(mesh)}`);
      cpSync(whole, run, { recursive: true });
      rmSync(join(run, "checkpoints/12"), { recursive: true });
      const starts: RuntimeEvent[] = [];
      await train({ artifact: await meshed(mesh), run, data, existing: "resume" }, (event) => {
        if (event.event === "start") starts.push(event);
      });
      expect([mesh, starts]).toMatchObject([
        mesh,
        [{ step: 6, resumed: true, devices: "data" in mesh || "tensor" in mesh ? 2 : 1 }],
      ]);
      const [found, expected] = [metrics(run), metrics(whole)];
      expect(found.map(({ step }) => step)).toEqual(expected.map(({ step }) => step));
      for (const [i, { step, ...entry }] of found.entries()) {
        for (const [name, value] of Object.entries(entry)) {
          const there = expected[i]![name]!;
          const off = Math.abs(value - there) / Math.max(Math.abs(there), 1e-30);
          // What was before the checkpoint is what was written.
          expect([mesh, step, name, off]).toEqual([mesh, step, name, step! > 6 ? expect.closeTo(0, 5) : 0]);
        }
      }
    }
  },
  SLOW,
);
