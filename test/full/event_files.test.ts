/** TensorBoard's own reader opens what a run writes. Its package is in an environment of its own, made here. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/index.js";
import { train } from "../../runtime-bridge/bridge.js";
import { metrics, temporaryFolder, writeText } from "../runtime/support.js";
import { pythonWithPackages } from "./support.js";

const folder = temporaryFolder();
const python = pythonWithPackages();
const eventFiles = async (what: "read" | "write", run: string) => JSON.parse(await python("event_files.py", what, run));

test("a run that lost steps and computed them again has every step once", async () => {
  const [artifact, run, data] = [join(folder, "artifact"), join(folder, "run"), writeText(folder)];
  const config = {
    model: { layers: 1, heads: 2, embed: 16, context: 16 },
    train: { steps: 12, batch: 4, warmup: 2 },
    eval: { every: 6 },
    checkpoint: { every: 6 },
    log: { every: 1 },
  };
  await (await compile(charTransformer, config)).write(artifact);
  await train({ artifact, run, data });
  rmSync(join(run, "checkpoints", "12"), { recursive: true });
  await train({ artifact, run, data, existing: "resume" });
  const { scalars } = await eventFiles("read", run);
  const written = metrics(run);
  for (const name of ["loss", "grad_norm", "learning_rate", "validation_loss"]) {
    const expected = written.flatMap((line) => (name in line ? [[line.step, Math.fround(line[name]!)]] : []));
    expect([name, scalars[name]]).toEqual([name, expected]);
  }
  expect(scalars.loss.map(([step]: [number]) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
});

test("histograms, pictures and texts", async () => {
  const run = join(folder, "written");
  const { edges, counts } = await eventFiles("write", run);
  const found = await eventFiles("read", run);
  expect(found.histograms).toEqual({ "activations/blocks": [[3, edges, [0, ...counts]]] });
  expect(found.images).toEqual({ "attention/blocks": [[3, 4, 3]] });
  expect(found.texts).toEqual({ "samples/0/text_summary": [[3, "    # one\n    *two*"]] });
});
