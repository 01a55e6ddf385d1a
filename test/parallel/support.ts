/** One model on several meshes of 8 CPU devices, held against one device. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { type Compilable, type Compiled, compile } from "../../emit/compile.js";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";

/** What a mesh made of the training steps. */
export interface Run {
  readonly metrics: readonly Readonly<Record<string, number>>[];
  /** Largest differences of each tensor of the state from one device's, after the first step and after the last. */
  readonly first: Readonly<Record<string, number>>;
  readonly last: Readonly<Record<string, number>>;
  readonly hlo: string;
}

/** Programs as large as train steps, run a few times: XLA's newer way to emit a fusion takes longer than it saves. Full tests run what users run. */
const QUICK = process.env.XENARC_FULL === "1" ? "" : "--xla_cpu_use_fusion_emitters=false";

/**
 * Trains a model with each of the configurations, from the same weights and batches, in one process.
 *
 * @param configs the first is what the others are held against: one device's.
 */
export async function trainAll<C>(
  folder: string,
  model: Compilable<C>,
  configs: readonly object[],
  steps = 10,
): Promise<Run[]> {
  const folders = [];
  for (const [i, config] of configs.entries()) {
    const artifact = join(folder, `artifact-${i}`);
    const options = { only: ["init", "train_step"], locations: false };
    await (await compile(model, config, options)).write(artifact);
    folders.push(artifact);
  }
  const { python } = await ensurePython();
  const out = join(folder, "runs.json");
  const script = fileURLToPath(new URL("steps.py", import.meta.url));
  await execa(python, [script, ...folders, "--steps", `${steps}`, "--out", out], {
    env: { ...pythonEnv(), JAX_PLATFORMS: "cpu", XLA_FLAGS: `${QUICK} ${process.env.XLA_FLAGS ?? ""}`.trim() },
  });
  return JSON.parse(readFileSync(out, "utf8")) as Run[];
}

/** The largest relative difference of a run's losses from another's. */
export const lossDifference = (run: Run, one: Run): number =>
  Math.max(...run.metrics.map((m, i) => Math.abs(m.loss! / one.metrics[i]!.loss! - 1)));

/**
 * The largest difference of the gradients: the optimizer's first moments after one step are the gradients, clipped and times a
 * constant.
 */
export const gradientDifference = (run: Run): [tensor: string, difference: number] =>
  largest(run.first, (name) => name.startsWith("optimizer/mu/"));

/** The largest difference of the weights after the last step. */
export const weightDifference = (run: Run): [tensor: string, difference: number] =>
  largest(run.last, (name) => name.startsWith("params/"));

function largest(differences: Readonly<Record<string, number>>, of: (name: string) => boolean): [string, number] {
  return (
    Object.entries(differences)
      // What all keys have in common is nothing to the softmax: that gradient is 0 but for rounding.
      .filter(([name]) => of(name) && !name.endsWith("attention/key/bias"))
      .reduce((a, b) => (b[1] > a[1] ? b : a))
  );
}

/** What of a run differs from one on one device by `tolerance` or more. */
export function differing(run: Run, one: Run, tolerance: number): [string, number][] {
  const found: [string, number][] = [
    ["loss", lossDifference(run, one)],
    gradientDifference(run),
    weightDifference(run),
  ];
  return found.filter(([, difference]) => !(difference < tolerance));
}

/** What a mesh made of the programs that do not train. */
export interface Served {
  /** The largest differences of what programs give from one device's, by program and name. */
  readonly differences: Readonly<Record<string, number>>;
  readonly compiled: Compiled;
  /** Optimized HLO of `decode_step`. */
  readonly hlo: string;
}

/**
 * Runs the programs `only` of a model with each of the configurations, from the same weights and tokens, in one process (serving.py).
 *
 * @param configs the first is what the others are held against: one device's.
 * @param length tokens of the shortest prompt.
 */
export async function serveAll<C>(
  folder: string,
  model: Compilable<C>,
  configs: readonly object[],
  { only, length = 2 }: { readonly only: readonly string[]; readonly length?: number },
): Promise<Served[]> {
  const all = [];
  for (const [i, config] of configs.entries()) {
    const artifact = join(folder, `serving-${i}`);
    const compiled = await compile(model, config, { only: [...only], locations: false });
    await compiled.write(artifact);
    all.push({ artifact, compiled });
  }
  const { python } = await ensurePython();
  const out = join(folder, "serving.json");
  const script = fileURLToPath(new URL("serving.py", import.meta.url));
  const folders = all.map(({ artifact }) => artifact);
  await execa(python, [script, ...folders, "--out", out, "--hlo", "--length", `${length}`], {
    env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" },
  });
  const found = JSON.parse(readFileSync(out, "utf8")) as Served["differences"][];
  return all.map(({ artifact, compiled }, i) => ({
    differences: found[i]!,
    compiled,
    hlo: readFileSync(join(artifact, "decode_step.hlo.txt"), "utf8"),
  }));
}
