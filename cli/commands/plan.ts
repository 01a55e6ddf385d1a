/** `xenarc plan`: which mesh, remat policy and micro-batch a model should be trained with on a pod, before anything is paid for. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { DEFAULT_RULES, Layout, makeMesh } from "../../compiler/mesh.js";
import { dce } from "../../compiler/passes/dce.js";
import { CHIPS, peak } from "../../compiler/plan/chips.js";
import { estimate, stateBytes } from "../../compiler/plan/model.js";
import {
  anyFits,
  type Choice,
  type Judged,
  type MeshSizes,
  meshes,
  type Placed,
  resized,
  runCost,
  type Space,
  search,
  type Traced,
} from "../../compiler/plan/search.js";
import { parseTarget, type Target } from "../../compiler/plan/target.js";
import { type Timeline, timelineOf } from "../../compiler/plan/timeline.js";
import { withoutFrames } from "../../compiler/site.js";
import { layoutOf } from "../../models/layout.js";
import { quoted } from "../../runtime-bridge/launch/plan.js";
import { page } from "../plan_page.js";
import { KEPT, type Mode, meshName, type Plan, type Row, render, type Scaled } from "../plan_text.js";
import { openProject, type Project, sortWords } from "../project.js";
import { COMMAND, columns, count, paint, StatusLine } from "../terminal.js";

export interface PlanCommandOptions {
  readonly config?: string;
  readonly target?: string;
  readonly tokens?: number;
  readonly price?: number;
  readonly scaling?: readonly [number, number];
  readonly mode: Mode;
  readonly confirm: number;
  readonly show: number;
  readonly html?: string;
  readonly json?: boolean;
}

const ONE_DEVICE = new Layout(makeMesh({ data: 1 }));
/** Numbers of stages that are tried: more of them are idle for long, or take very many micro-batches. */
const STAGES = [1, 2, 4, 8, 16];
/** Shorter sequences are not split: batches are. */
const LONG = 16_384;

export async function planCommand(words: readonly string[], options: PlanCommandOptions): Promise<void> {
  const sorted = sortWords(words);
  const targets = options.target === undefined ? [] : [`target=${options.target}`];
  const project = await openProject({ ...sorted, overrides: [...targets, ...sorted.overrides] }, options.config);
  const target = parseTarget(project.config.target);
  if (!target.chip || !target.generation) {
    throw new XenarcError(
      { what: `${target.name}: a plan is made for TPUs or GPUs.`, expected: "such as --target tpu:v5p:8x8x8" },
      "usage",
    );
  }
  const line = new StatusLine(process.stderr);
  const plan = await planOf(project, target, words, options, line).finally(() => line.clear());
  if (options.html !== undefined) await writeFile(options.html, page(plan));
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...plan, target: target.name }, undefined, 2)}\n`);
    return;
  }
  process.stdout.write(`${render(plan, columns(process.stdout), paint(process.stdout)).join("\n")}\n`);
}

/** What is best on a target, and what it comes to. */
async function planOf(
  project: Project,
  target: Target,
  words: readonly string[],
  options: PlanCommandOptions,
  line: StatusLine,
): Promise<Plan> {
  const started = performance.now();
  const planner = new Planner(project, options.mode, line);
  const rows = planner.plan(target);
  const seconds = (performance.now() - started) / 1000;
  const best = rows[0];
  const fits = best?.fits === true;
  if (fits && options.confirm > 0) await confirm(project, target, rows.slice(0, options.confirm), options.mode, line);
  const run =
    fits && options.tokens !== undefined
      ? {
          tokens: options.tokens,
          ...runCost(options.tokens, best.tokensPerSecond, chipsOf(target), options.price ?? 0),
          price: options.price,
        }
      : undefined;
  const scaling = options.scaling && planner.scaling(target, options.scaling);
  const instead = fits ? undefined : planner.instead(target);
  return {
    name: project.model.name,
    target,
    mode: options.mode,
    settings: fits ? commandOf(words, options.config, settingsOf(target, best, options.mode), options.mode) : [],
    seconds,
    rows: rows.slice(0, options.show),
    considered: rows.length,
    run,
    scaling,
    instead,
  };
}

const chipsOf = (target: Target): number => target.devices / (target.chip?.devices ?? 1);

/** Traces a project's programs once per class of choices, and searches. */
class Planner {
  readonly #timelines = new Map<string, Timeline>();
  /** A timeline of a program whose state lies in the host's memory or not. */
  readonly #states = new Map<boolean, Timeline>();
  #flopsPerToken: number | undefined;
  #looked = 0;
  #said = 0;

  constructor(
    readonly project: Project,
    readonly mode: Mode,
    readonly line: StatusLine,
  ) {}

  plan(target: Target): Row[] {
    return this.mode === "train" ? this.#train(target) : this.#decode(target);
  }

  #train(target: Target): Row[] {
    const { context } = this.project.config.model;
    const batch = this.#batch();
    const judged = search(this.#space(target, context), this.#traced(target, { context, batch }), target.chip!);
    return judged.map((j) => this.#row(j, batch, batch * context, target, 3));
  }

  #batch(): number {
    const { train } = this.project.config;
    return train.batch * train.accumulation;
  }

  /** Choices of a train step. */
  #space(target: Target, context: number): Space {
    const { model, sharding } = this.project.config;
    const batch = this.#batch();
    // Where it splits no weight, what it would be for the batch `data` and `fsdp` are.
    const ofWeights = Object.values({ ...DEFAULT_RULES.parameters, ...sharding.parameters });
    const overExperts = ofWeights.some((over: readonly string[]) => over.includes("expert"));
    const { experts, layers = 1 } = model as { readonly experts?: number; readonly layers?: number };
    return {
      meshes: meshes(target, {
        context: context >= LONG,
        stages: STAGES.filter((n) => layers % n === 0),
        ...(experts !== undefined && overExperts && { experts }),
      }),
      remats: "remat" in model ? ["everything", KEPT, { offload: KEPT }, "nothing"] : [undefined],
      offload: true,
      accumulations: [1, 2, 4, 8, 16, 32].filter((n) => batch % n === 0),
      least: this.#least(target, { context, batch }),
    };
  }

  /** The largest batch that fits, mesh by mesh; the one that writes most tokens a second first. */
  #decode(target: Target): Row[] {
    const rows: Row[] = [];
    const context = this.project.config.model.context;
    let open = this.#readers(target);
    for (let batch = 1; batch <= 2 ** 16 && open.length > 0; batch *= 2) {
      const judged = search(this.#writing(target, batch, open), this.#traced(target, { context, batch }), target.chip!);
      rows.push(...judged.map((j) => this.#row(j, batch, batch, target, 1)));
      const full = judged.filter((j) => !j.fits).map((j) => j.mesh);
      open = open.filter((mesh) => !full.includes(mesh));
      if (judged.length > 0 && judged.every((j) => !j.fits)) break;
    }
    const key = ({ mesh }: Row) => Object.values(mesh).join();
    const largest = new Map<string, Row>();
    for (const row of rows) if (row.fits || !largest.has(key(row))) largest.set(key(row), row);
    return [...largest.values()].sort(
      (a, b) => Number(b.fits) - Number(a.fits) || b.tokensPerSecond - a.tokensPerSecond,
    );
  }

  /** Meshes to write on: over `context` lie a long text's cache and its reading. */
  #readers(target: Target): MeshSizes[] {
    return meshes(target, { context: this.project.config.model.context >= LONG });
  }

  /** Choices of a step that writes `batch` tokens. */
  #writing(target: Target, batch: number, open = this.#readers(target)): Space {
    const { context } = this.project.config.model;
    const least = this.#least(target, { context, batch });
    return { meshes: open, remats: [undefined], accumulations: [1], least };
  }

  #fits(target: Target, context = this.project.config.model.context): boolean {
    const training = this.mode === "train";
    const batch = training ? this.#batch() : 1;
    const space = training ? this.#space(target, context) : this.#writing(target, batch);
    return anyFits(space, this.#traced(target, { context, batch }), target.chip!);
  }

  #row(judged: Judged, batch: number, tokens: number, target: Target, passes: number): Row {
    const { step } = judged.estimate;
    const mfu = (passes * this.#forward() * tokens) / (step * peak(target.chip!, "bf16") * target.devices);
    return { ...judged, batch, tokensPerSecond: tokens / step, mfu };
  }

  /** Operations of a forward pass, a token: of products of matrices, as everywhere in a plan. */
  #forward(): number {
    if (this.#flopsPerToken === undefined) {
      const { model, config } = this.project;
      const [program] = model.programs({ ...config, target: "cpu", mesh: {}, slices: {} }, ["forward"]);
      dce(program!.region);
      const tokens = config.generate.batch * config.model.context;
      this.#flopsPerToken = estimate(timelineOf(program!), ONE_DEVICE, CHIPS.v5p).flops / tokens;
    }
    return this.#flopsPerToken;
  }

  #traced(target: Target, sizes: { readonly context: number; readonly batch: number }): Traced {
    return (choice) => {
      this.#say(target, choice);
      const config = configOf(this.project, target, choice, sizes, this.mode);
      const layout = layoutOf(config) ?? ONE_DEVICE;
      const { remat, offload, mesh } = choice;
      // All that a program asks the layout while it is traced, unless parts of it are written for one device.
      const parts = Object.keys(DEFAULT_RULES.activations).map((axis) => layout.parts("activations", axis));
      const stages = [mesh.stage, mesh.stage > 1 && [mesh.data, config.train.pipeline.microBatches]];
      const key = JSON.stringify([remat, offload, config.train.batch, sizes, parts, stages]);
      let timeline = this.#timelines.get(key);
      if (timeline === undefined) {
        const entry = this.mode === "train" ? "train_step" : "decode_step";
        const [program] = withoutFrames(() => this.project.model.programs(config, [entry]));
        dce(program!.region);
        timeline = timelineOf(program!);
        if (!timeline.ofItsMesh) this.#timelines.set(key, timeline);
      }
      this.#states.set(offload, timeline);
      return { timeline, layout };
    };
  }

  /** Shows what is looked at, some times a second. */
  #say(target: Target, { mesh }: Choice): void {
    this.#looked++;
    const now = performance.now();
    if (now - this.#said < 200) return;
    this.#said = now;
    this.line.show(paint(process.stderr).dim(`${target.name}  ${count(this.#looked)} choices, now ${meshName(mesh)}`));
  }

  /** Bytes of a device for weights and what the optimizer keeps: the state is the same on all meshes, and known when the first is traced. */
  #least(target: Target, sizes: { readonly context: number; readonly batch: number }) {
    return ({ mesh, offload }: Placed): number => {
      const timeline = this.#states.get(offload);
      if (timeline === undefined) return 0;
      const choice = { mesh, offload, remat: undefined, accumulation: 1 };
      const layout = layoutOf(configOf(this.project, target, choice, sizes, this.mode)) ?? ONE_DEVICE;
      return stateBytes(timeline, layout, target.chip!);
    };
  }

  /** The best of pods from `from` to `to` chips, doubling, for the same batch. */
  scaling(target: Target, [from, to]: readonly [number, number]): Scaled[] {
    const found: Scaled[] = [];
    for (let chips = from; chips <= to; chips *= 2) {
      const name = resized(target, chips / target.slices);
      const best = name === undefined ? undefined : this.plan(parseTarget(name))[0];
      if (!best?.fits) continue;
      const first = found[0] ?? { chips, tokensPerSecond: best.tokensPerSecond };
      const efficiency = best.tokensPerSecond / chips / (first.tokensPerSecond / first.chips);
      found.push({ chips, tokensPerSecond: best.tokensPerSecond, efficiency });
    }
    return found;
  }

  /** What would fit where nothing does: a larger pod, a shorter context. */
  instead(target: Target): string[] {
    const said: string[] = [];
    const pods: string[] = [];
    for (let chips = chipsOf(target) / target.slices; chips <= target.chip!.most; chips *= 2) {
      const name = resized(target, chips * 2);
      if (name !== undefined) pods.push(name);
    }
    const pod = first(pods, (name) => this.#fits(parseTarget(name)));
    if (pod !== undefined) said.push(`a larger pod: --target ${pod}`);
    if (this.mode === "train") {
      const contexts: number[] = [];
      for (let context = this.project.config.model.context / 2; context >= 128; context /= 2) contexts.push(context);
      const context = first(contexts, (context) => this.#fits(target, context));
      if (context !== undefined) said.push(`a shorter context: model.context=${context}`);
    }
    return said;
  }
}

/** The first of which `holds` is true, where it is of all behind that one too; undefined where it is of none. */
function first<T>(all: readonly T[], holds: (one: T) => boolean): T | undefined {
  let [from, to] = [0, all.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(all[middle]!)) to = middle;
    else from = middle + 1;
  }
  return all[from];
}

/** The configuration of a choice. */
function configOf(
  { config }: Project,
  target: Target,
  { mesh, remat, accumulation, offload }: Choice,
  { context, batch }: { readonly context: number; readonly batch: number },
  mode: Mode,
): Project["config"] {
  const { data, ...inside } = mesh;
  const { train, sharding } = config;
  return {
    ...config,
    target: target.name,
    mesh: { data: data / target.slices, ...inside },
    slices: target.slices > 1 ? { data: target.slices } : {},
    model: { ...config.model, context, ...(remat !== undefined && { remat }) },
    ...(mode === "train"
      ? { train: { ...train, ...microBatches(batch, mesh, accumulation), offload: { optimizer: offload } } }
      : {
          generate: { ...config.generate, batch },
          ...(mesh.context > 1 && {
            sharding: {
              ...sharding,
              ...SPLIT_CACHE,
              activations: { ...sharding.activations, ...SPLIT_CACHE.activations },
            },
          }),
        }),
  };
}

/** How a cache lies over `context`, where a text is written: by position, however many heads there are. */
const SPLIT_CACHE = { context: "ring" as const, activations: { key: ["context"] } };

/** The settings of micro-batches. In stages they follow each other within the program's batch. */
const microBatches = (
  batch: number,
  { stage }: Choice["mesh"],
  count: number,
): Pick<Project["config"]["train"], "batch" | "accumulation"> &
  Partial<Pick<Project["config"]["train"], "pipeline">> =>
  stage > 1
    ? { batch, accumulation: 1, pipeline: { repeats: 1, microBatches: count } }
    : { batch: batch / count, accumulation: count };

/** The command that takes a choice: what was typed, with its settings in the place of others. */
function commandOf(
  words: readonly string[],
  file: string | undefined,
  settings: readonly string[],
  mode: Mode,
): string[] {
  const key = (word: string) => word.split("=")[0]!;
  const own = new Set(settings.map(key));
  const kept = words.filter((word) => !own.has(key(word)));
  const all = [...kept, ...(file === undefined ? [] : ["--config", file]), ...settings];
  return [...COMMAND.split(" "), mode === "train" ? "train" : "compile", ...all.map(quoted)];
}

/** A choice as settings on a command line. */
function settingsOf(target: Target, { mesh, remat, accumulation, offload, batch }: Row, mode: Mode): string[] {
  const sizes = Object.entries(mesh).map(([name, size]): [string, number] => [
    name,
    name === "data" ? size / target.slices : size,
  ]);
  const { pipeline, ...sizesOfBatch } = microBatches(batch, mesh, accumulation);
  const words = (section: string, settings: object) =>
    Object.entries(settings).map(([name, value]) => `${section}.${name}=${value}`);
  return [
    `target=${target.name}`,
    ...sizes
      .filter(([name, size]) => size > 1 || (name === "data" && target.slices > 1))
      .map(([n, s]) => `mesh.${n}=${s}`),
    ...(target.slices > 1 ? [`slices.data=${target.slices}`] : []),
    ...(remat === undefined ? [] : [`model.remat=${typeof remat === "string" ? remat : JSON.stringify(remat)}`]),
    ...(mode === "train"
      ? [...words("train", sizesOfBatch), ...words("train.pipeline", pipeline ?? {})]
      : [`generate.batch=${batch}`]),
    ...(mode === "decode" && mesh.context > 1
      ? [`sharding.context=${SPLIT_CACHE.context}`, `sharding.activations.key=[${SPLIT_CACHE.activations.key}]`]
      : []),
    ...(offload ? ["train.offload.optimizer=true"] : []),
  ];
}

/** Has the compiler judge candidates, and writes what it says into them. */
async function confirm(
  project: Project,
  target: Target,
  rows: readonly Row[],
  mode: Mode,
  line: StatusLine,
): Promise<void> {
  if (target.platform !== "tpu") return;
  const [{ judge }, { compileProject }] = await Promise.all([import("../verdict.js"), import("./compile.js")]);
  const entry = mode === "train" ? "train_step" : "decode_step";
  for (const [number, row] of rows.entries()) {
    const at = `${number + 1} of ${rows.length}, ${meshName(row.mesh)}`;
    line.show(paint(process.stderr).dim(`compiling ${at}, for the compiler's own account`));
    const folder = await mkdtemp(join(tmpdir(), "xenarc-plan-"));
    try {
      const config = configOf(project, target, row, { context: project.config.model.context, batch: row.batch }, mode);
      const { compiled } = await compileProject({ ...project, config }, join(folder, "artifact"), { only: [entry] });
      const [judgement] = await judge(project.model, compiled, join(folder, "artifact"), target);
      if (judgement && "verdict" in judgement) {
        const { memory, sent, roofline } = judgement.verdict;
        row.confirmed = {
          memory: memory.total,
          sent,
          seconds: judgement.seconds,
          ...(roofline && { step: roofline.step }),
        };
      } else if (judgement && "outOfMemory" in judgement) {
        const { needed } = judgement.outOfMemory;
        row.confirmed = { seconds: judgement.seconds, ...(needed !== null && { memory: needed }) };
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
