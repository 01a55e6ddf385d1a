/**
 * The task of recall: a key is among the first tokens of a prompt, and its last asks for it, further on than all windows together reach. The
 * data are a file like any other, and what is learnt is learnt and asked for as users do it.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { packageRoot } from "../compiler/source/package.js";
import { compile } from "../emit/compile.js";
import type { ModelDefinition } from "../models/define.js";
import { ensurePython, run, train } from "../runtime-bridge/bridge.js";
import { pythonEnv } from "../runtime-bridge/process.js";
import { EARLY, LENGTH, type Recall } from "./systems.js";

/** Unseen prompts that a trained model is asked. */
const ASKED = 512;
/** The seeds that each way is trained with. */
export const SEEDS = [1, 2, 3];
const SEED_OF_ASKED = 0;
/** The name of the way that there is none. */
export const NOTHING = "windows alone";

/** A way by itself, or with {@link NOTHING} none: the share of unseen prompts, in percent, that the key is named of, by seed. */
export async function recalled(
  definition: ModelDefinition,
  { model, train: settings, ways }: Recall,
  way: string,
  folder: string,
): Promise<Record<string, number>> {
  const shares: Record<string, number> = {};
  for (const seed of SEEDS) {
    const config = { model: { ...model, ...ways[way] }, train: { ...settings, seed } };
    const own = join(folder, `${seed}`);
    mkdirSync(own);
    shares[seed] = await share(definition, config, own);
  }
  return shares;
}

async function share(
  definition: ModelDefinition,
  config: { readonly model: object; readonly train: Recall["train"] & { readonly seed: number } },
  folder: string,
): Promise<number> {
  const { steps, batch, seed } = config.train;
  const at = (name: string): string => join(folder, name);
  const { python } = await ensurePython();
  const script = async (...words: (string | number)[]): Promise<string> => {
    const given = [join(packageRoot, "bench/recall.py"), ...words.map(String)];
    return (await execa(python, given, { env: pythonEnv() })).stdout;
  };
  const [learnt, asked] = [at("learnt.jsonl"), at("asked.jsonl")];
  await script("write", learnt, steps * batch, LENGTH, EARLY, seed);
  await script("write", asked, ASKED, LENGTH, EARLY, SEED_OF_ASKED);
  const whole = {
    ...config,
    data: { path: learnt, format: "completion" },
    generate: { batch: ASKED },
    log: { tensorboard: false },
  };
  const [artifact, tokens, scores] = [at("artifact"), at("tokens"), at("scores")];
  const only = ["init", "train_step", "forward"];
  await (await compile(definition, whole, { only, locations: false })).write(artifact);
  await train({ artifact, run: at("run") });
  await script("tokens", asked, tokens);
  await run({ artifact, entry: "forward", input: tokens, output: scores, run: at("run") });
  return Number(await script("named", asked, scores));
}
