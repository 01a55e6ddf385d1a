/** A controller at work: in a run that is trained, in one that goes on from a checkpoint, and while text is written. */
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systems } from "../../bench/systems.js";
import { compile } from "../../emit/compile.js";
import { METRICS } from "../../models/control/assessment.js";
import { exportWeights, generate, train } from "../../runtime-bridge/bridge.js";
import { metrics, temporaryFolder, tensorsOf } from "./support.js";

const { definition, tiny } = systems.xenarcai_i2!;
const STEPS = 12;
const SLOW = 900_000;
const folder = temporaryFolder();
const data = join(folder, "questions.jsonl");
const kinds = ["sum", "word"];
const records = Array.from({ length: 200 }, (_, i) =>
  i % 2
    ? { kind: "sum", text: `${i} and ${i + 1} is ${2 * i + 1}.` }
    : { kind: "word", text: "the quick brown fox jumps." },
);
writeFileSync(data, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
const run = join(folder, "run");
let artifact: string;

async function compiled(name: string, control: object | undefined, steps = STEPS): Promise<string> {
  const path = join(folder, name);
  const config = {
    model: { ...tiny, vocab: 256, sparsity: 0.5 },
    train: { steps, batch: 2, warmup: 2 },
    log: { every: 1, tensorboard: false },
    checkpoint: { every: 6 },
    eval: { every: STEPS },
    data: { types: { field: "kind", values: kinds }, field: "text" },
    ...(control && { control: { rollout: 4, hidden: 8, ...control } }),
  };
  await (await compile(definition, config, { locations: false })).write(path);
  return path;
}

/** The bytes of the values of the run at a step, by their names in the file that is exported. */
async function valuesAt(run: string, step: number, artifact: string): Promise<[string, string][]> {
  cpSync(artifact, join(run, "artifact"), { recursive: true });
  const out = join(run, `weights-${step}`);
  await exportWeights({ checkpoint: join(run, "checkpoints", `${step}`), out });
  return [...tensorsOf(join(out, "model.safetensors"))]
    .filter(([name]) => name.startsWith("blocks/values/"))
    .map(([name, { bytes }]) => [name, bytes.toString("hex")]);
}

beforeAll(async () => {
  artifact = await compiled("artifact", {});
  await train({ artifact, run, data });
}, SLOW);

test("each step is assessed, and is taken with values of its own within their bounds", () => {
  const steps = metrics(run).filter((entry) => entry["control/reward"] !== undefined) as unknown as Record<
    string,
    number[]
  >[];
  expect(steps.length).toBe(STEPS);
  for (const step of steps) {
    for (const name of METRICS) expect(Number.isFinite(step[`assessment/${name}`])).toBe(true);
    const [window, dilation] = [step["control/values/window"]!, step["control/values/dilation"]!];
    expect(window[0]! >= 5 && window[0]! <= 10 && window[1]! >= 3 && window[1]! <= 6).toBe(true);
    expect(dilation[0]! >= 1 && dilation[0]! <= 2 && dilation[1]! >= 2 && dilation[1]! <= 4).toBe(true);
  }
  const balance = steps.map((step) => step["assessment/question_type_balance"] as unknown as number);
  expect(balance.every((x) => x > 0 && x <= 1) && balance.some((x) => x < 0.99)).toBe(true);
  const weights = steps.map((step) => JSON.stringify(step["control/values/weights"]));
  expect(new Set(weights).size).toBe(STEPS);
  const attended = steps.map((step) => JSON.stringify(step["blocks/attended"]));
  expect(new Set(attended).size).toBeGreaterThan(3);
});

test(
  "a run that goes on from a checkpoint takes the same actions, bit for bit",
  async () => {
    const again = join(folder, "again");
    cpSync(run, again, { recursive: true });
    rmSync(join(again, "checkpoints", `${STEPS}`), { recursive: true });
    await train({ artifact, run: again, data, existing: "resume" });
    expect(metrics(again)).toEqual(metrics(run));
  },
  SLOW,
);

test(
  "a run that goes on without a controller says so, and keeps the values that were set last",
  async () => {
    const alone = join(folder, "alone");
    cpSync(run, alone, { recursive: true });
    const said: string[] = [];
    const without = await compiled("without", undefined, STEPS + 4);
    await train(
      { artifact: without, run: alone, data, existing: "resume" },
      (event) => event.event === "log" && said.push(event.message),
    );
    expect(said).toContainEqual(
      expect.stringMatching(/^Resuming with other settings: control is left out now; train\.steps/),
    );
    const steps = metrics(alone).filter(({ step, loss }) => step! > STEPS && loss !== undefined);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4].map((n) => STEPS + n));
    for (const step of steps) expect(Object.keys(step).filter((name) => name.startsWith("control/"))).toEqual([]);
    const kept = await valuesAt(run, STEPS, artifact);
    expect(kept.length).toBe(8);
    expect(await valuesAt(alone, STEPS + 4, without)).toEqual(kept);
  },
  SLOW,
);

test(
  "what is written follows from the values that are set behind the prompt",
  async () => {
    // The same weights under another controller, which leaves hardly anything of any path, and of the recurrent state nothing.
    const other = await compiled("other", { bounds: { weights: [0, 1e-6] } });
    const written = async (artifact: string) => {
      let text = "";
      await generate({ artifact, run, prompt: "the qui", maxTokens: 40, temperature: 1, seed: 3 }, (event) => {
        if (event.event === "text") text += event.text;
      });
      return text;
    };
    const [own, same, changed] = [await written(artifact), await written(artifact), await written(other)];
    expect(same).toBe(own);
    expect(changed).not.toBe(own);
  },
  SLOW,
);
