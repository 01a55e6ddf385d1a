import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { execa } from "execa";
import { parse } from "yaml";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/index.js";
import { ensurePython, generate, type RuntimeEvent, train } from "../../runtime-bridge/bridge.js";
import { here, metrics, problem, python, temporaryFolder, writeText } from "./support.js";

test.each(["test_tracking", "test_meter", "test_probe", "test_trace"])(
  "what is tracked is right, and can be read by others (%s.py)",
  async (name) => {
    const { python } = await ensurePython();
    const result = await execa(python, ["-m", "unittest", "-q", name], {
      cwd: here("."),
      env: { PYTHONPATH: here("../../runtime-bridge/python"), PYTHONDONTWRITEBYTECODE: "1" },
      reject: false,
    });
    expect(result.exitCode === 0 ? "" : result.stderr).toBe("");
  },
);

const folder = temporaryFolder();
const text = writeText(folder);
const artifact = join(folder, "artifact");
const run = join(folder, "run");
const STEPS = 12;
const config = {
  model: { layers: 2, heads: 2, embed: 16, context: 16 },
  train: { steps: STEPS, batch: 4, warmup: 2 },
  eval: { every: 6 },
  log: { every: 4 },
};

/** What of a Chrome trace is read here. */
interface TraceEvent {
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly name: string;
  readonly args?: Readonly<Record<string, string>>;
}

describe("a run", () => {
  const events: RuntimeEvent[] = [];
  beforeAll(async () => {
    const compiled = await compile(charTransformer, config);
    const manifest = await compiled.write(artifact);
    // Three forward passes of an accumulation of one, as eval_step counts one.
    expect(manifest.model.flops_per_step).toBe(3 * compiled.cost("eval_step").flops);
    await train({ artifact, run, data: text, profile: "5:7" }, (event) => events.push(event));
  }, 240_000);

  test("says what it is: the resolved configuration, a table of the parameters", () => {
    const { config: resolved } = JSON.parse(readFileSync(join(artifact, "manifest.json"), "utf8"));
    expect(parse(readFileSync(join(run, "config.yaml"), "utf8"))).toEqual(resolved);
    const rows = readFileSync(join(run, "parameters.txt"), "utf8").split("\n");
    expect(rows).toContainEqual(
      expect.stringMatching(/^blocks\/mlp\/up\/weight +layers=2 embed=16 mlp=64 +f32 +2,048 +8\.19 kB$/),
    );
    const start = events.find((event) => event.event === "start");
    const total = start?.parameter_groups.reduce((sum, { parameters }) => sum + parameters, 0);
    expect(total).toBe(start?.parameters);
    expect(rows.at(-2)).toMatch(new RegExp(`^total +21 tensors +${start?.parameters.toLocaleString("en")} +\\d`));
  });

  test("writes a line every so many steps, the same to its log and to its events", () => {
    const lines = events.flatMap((event) => (event.event === "progress" && event.line ? [event.line] : []));
    const shape =
      /^step +(\d+)\/12 {2}loss \d\.\d{4} {2}grad_norm [\d.]+ {2}lr [\d.e-]+(?: {2}[\d,]+ tokens\/s\/device {2}[\d.e-]+ TFLOP\/s\/device)? {2}host \d+ MB/;
    expect(lines.map((line) => shape.exec(line)?.[1])).toEqual(["1", "4", "8", "12"]);
    const log = readFileSync(join(run, "log.txt"), "utf8");
    for (const line of lines) expect(log).toContain(`  ${line}\n`);
    expect(log).toMatch(/char-transformer with [\d,]+ parameters begins: 12 steps of 64 tokens on 1 x cpu\n/);
    expect(log).toMatch(/step 6 {2}validation \d\.\d{4}\n/);
  });

  test("puts its numbers into event files, under the names of metrics.jsonl", async () => {
    const read = JSON.parse(await python("event_files.py", join(run, "tensorboard")));
    const written = metrics(run);
    for (const name of ["loss", "grad_norm", "learning_rate", "validation_loss"]) {
      const expected = written.flatMap((line) => (name in line ? [[line.step, Math.fround(line[name]!)]] : []));
      expect([name, read[name]]).toEqual([name, expected]);
    }
    expect(read["perf/tokens_per_second_per_device"].map(([step]: [number]) => step)).toEqual([4, 8, 12]);
    expect(read["memory/host_bytes"]).toHaveLength(4);
  });

  test("profiles the steps asked for, with the modules and lines of the model", () => {
    const profiled = events.find((event) => event.event === "profile");
    expect(profiled).toMatchObject({ first: 5, last: 7 });
    const { traceEvents } = JSON.parse(gunzipSync(readFileSync(profiled!.path)).toString()) as {
      traceEvents: TraceEvent[];
    };
    expect(existsSync(profiled!.path.replace(".trace.json.gz", ".xplane.pb"))).toBe(true);
    const named = traceEvents.filter((event) => event.args?.op_name !== undefined);
    expect(new Set(named.map((event) => event.args!.hlo_module))).toEqual(new Set(["train_step"]));
    expect(new Set(named.map((event) => event.args!.run_id)).size).toBe(3);
    const mine = named.filter((event) => event.args!.op_name!.startsWith("blocks/attention/"));
    expect(mine.length).toBeGreaterThan(0);
    for (const { args } of mine) expect(args!.source).toMatch(/^xenarc\/models\/layers\/(attention|linear|norm)/);
    // The rows of scopes: attention inside blocks inside the step, as long as what runs there.
    const rows = new Set(
      traceEvents.filter((e) => e.ph === "M" && e.args?.name?.startsWith("scopes of ")).map((e) => e.tid),
    );
    const spans = traceEvents.filter((event) => event.ph === "X" && rows.has(event.tid));
    for (const span of spans.filter(({ name }) => name === "attention")) {
      const inside = (outer: TraceEvent) =>
        outer.tid === span.tid && outer.ts <= span.ts && outer.ts + outer.dur >= span.ts + span.dur;
      const around = spans.filter(inside).map(({ name }) => name);
      expect(around).toEqual(expect.arrayContaining(["train_step", "blocks", "attention"]));
    }
    expect(spans.some(({ name }) => name === "attention")).toBe(true);
  });

  test("says so when there is nothing to profile, and refuses what are no steps", async () => {
    const messages: string[] = [];
    const again = { artifact, run, data: text, existing: "resume" as const };
    await train({ ...again, profile: "5:7" }, (event) => {
      if (event.event === "log") messages.push(event.message);
    });
    expect(messages).toEqual(["Nothing was profiled: steps 5 to 7 were not among those run."]);
    expect(await problem(() => train({ ...again, profile: "7:5" }))).toMatch("`7:5` are no steps to profile.");
  });
});

test("samples are what `generate` writes with the step's parameters", async () => {
  const samples = { every: 6, prompts: ["the ", "é"], tokens: 20, temperature: 0.7 };
  const sampling = join(folder, "sampling");
  const at = join(folder, "sampled");
  await (await compile(charTransformer, { ...config, log: { every: 4, samples } })).write(at);
  const events: RuntimeEvent[] = [];
  await train({ artifact: at, run: sampling, data: text }, (event) => events.push(event));
  const written = events.filter((event) => event.event === "sample");
  expect(written.map(({ step, prompt }) => [step, prompt])).toEqual(
    [6, 12].flatMap((step) => samples.prompts.map((p) => [step, p])),
  );
  for (const { step, prompt, text } of written.filter(({ step }) => step === STEPS)) {
    let again = "";
    const options = { artifact: at, run: sampling, step, prompt, maxTokens: 20, temperature: 0.7, seed: 1337 };
    await generate(options, (event) => {
      if (event.event === "text") again += event.text;
    });
    expect(text).toBe(again);
  }
  // The run itself is the same as without.
  const losses = (folder: string) => metrics(folder).map(({ step, loss }) => [step, loss]);
  expect(losses(sampling)).toEqual(losses(run));
  const shown = JSON.parse(await python("event_files.py", join(sampling, "tensorboard"), "texts"));
  expect(shown["samples/0/text_summary"]).toEqual(
    written.filter(({ prompt }) => prompt === "the ").map(({ step, prompt, text }) => [step, prompt + text]),
  );
  expect(readFileSync(join(sampling, "log.txt"), "utf8")).toMatch(/step 6 {2}sample\n/);
}, 240_000);

test("the manifest says what the target's devices can do, where that is known", async () => {
  const small = { ...config, model: { layers: 1, heads: 2, embed: 16, context: 16 } };
  const only = ["train_step", "eval_step"];
  const deviceOf = async (target: string) => {
    const compiled = await compile(charTransformer, { ...small, target }, { only, locations: false });
    return (await compiled.write(join(folder, "targeted"))).device;
  };
  expect(await deviceOf("cpu")).toBe(undefined);
  // docs.cloud.google.com/tpu/docs/v5p: 459 TFLOP/s in bf16.
  expect(await deviceOf("tpu:v5p:1x1x1")).toEqual({ platform: "tpu", peak_flops: 459e12 });
});
