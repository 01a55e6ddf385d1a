/** `xenarc export`, and `train --from` what it wrote. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { project, SLOW, SMALL, TEXT, xenarc } from "./command.js";

let cwd: string;
beforeAll(async () => {
  cwd = project({ "text.txt": TEXT });
  const trained = await xenarc({ cwd }, "train", "-d", "text.txt", ...SMALL, "--run", "first");
  expect(trained).toMatchObject({ code: 0 });
}, SLOW);

test(
  "exports under xenarc's names what transformers does not know, and trains on from it",
  async () => {
    const exported = await xenarc({ cwd }, "export", "first", "-o", "weights", "--shard-size", "5KB");
    expect(exported).toMatchObject({ code: 0, err: "" });
    expect(exported.out).toMatch(/^step 6: \d+ tensors in f32, [\d.]+ kB, under xenarc's names\n/);
    const config = JSON.parse(readFileSync(join(cwd, "weights/config.json"), "utf8"));
    expect(config).toMatchObject({ model_type: "xenarc", name: "char-transformer", model: { layers: 1, embed: 8 } });
    const files = readdirSync(join(cwd, "weights")).filter((name) => name.endsWith(".safetensors"));
    for (const file of files) expect(exported.out).toContain(`weights/${file}`);

    // Without a step of any length the loss is that of the weights: the one that the first run ended with.
    const settings = [...SMALL, "train.steps=1", "train.learningRate=0", "train.minLearningRate=0"];
    const from = async (source: string, run: string) => {
      const outcome = await xenarc(
        { cwd },
        "train",
        "-d",
        "text.txt",
        ...settings,
        "--from",
        source,
        "--run",
        run,
        "--json",
      );
      expect(outcome).toMatchObject({ code: 0 });
      const events = outcome.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      return events.find(({ event }) => event === "eval").loss;
    };
    const last = readFileSync(join(cwd, "first/metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const loss = last.filter(({ step, validation_loss }) => step === 6 && validation_loss !== undefined)[0]
      .validation_loss;
    expect(await from("weights", "second")).toBe(loss);
  },
  SLOW,
);
