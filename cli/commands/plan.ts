/** `xenarc plan`: which mesh, remat policy and micro-batch a model should be trained with on a pod, before anything is paid for. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { Layout, makeMesh } from "../../compiler/mesh.js";
import { dce } from "../../compiler/passes/dce.js";
import { CHIPS, peak } from "../../compiler/plan/chips.js";
import { estimate } from "../../compiler/plan/model.js";
import { type Choice, type Judged, meshes, resized, runCost, search, type Traced } from "../../compiler/plan/search.js";
import { parseTarget, type Target } from "../../compiler/plan/target.js";
import { type Timeline, timelineOf } from "../../compiler/plan/timeline.js";
import { layoutOf } from "../../models/layout.js";
import { page } from "../plan_page.js";
import { gib, meshName, type Plan, percent, type Row, rematName, type Scaled, time } from "../plan_text.js";
import { openProject, type Project, sortWords } from "../project.js";
import { count, duration, paint, short, table } from "../terminal.js";

export interface PlanCommandOptions {
  readonly config?: string;
  readonly target?: string;
  readonly tokens?: number;
  readonly price?: number;
  readonly scaling?: readonly [number, number];
  readonly mode: "train" | "decode";
  readonly confirm: number;
  readonly show: number;
  readonly html?: string;
  readonly json?: boolean;
}

const NAMES = ["attn_out", "residual", "mlp_up"] as const;
const ONE_DEVICE = new Layout(makeMesh({ data: 1 }));
const CHUNK = 256 * 2 ** 20;

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
  const started = performance.now();
  const planner = new Planner(project, options.mode);
  const rows = planner.plan(target);
  const seconds = (performance.now() - started) / 1000;
  const best = rows[0];
  const fits = best?.fits === true;
  if (fits && options.confirm > 0) await confirm(project, target, rows.slice(0, options.confirm), options.mode);
  const run =
    fits && options.tokens !== undefined
      ? {
          tokens: options.tokens,
          ...runCost(options.tokens, best.tokensPerSecond, chipsOf(target), options.price ?? 0),
        }
      : undefined;
  const scaling = options.scaling && planner.scaling(target, options.scaling);
  const instead = fits ? undefined : planner.instead(target);
  const plan = {
    name: project.model.name,
    target,
    seconds,
    rows: rows.slice(0, options.show),
    considered: rows.length,
    run,
    scaling,
    instead,
  };
  if (options.html !== undefined) await writeFile(options.html, page(plan, options.mode));
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...plan, target: target.name }, undefined, 2)}\n`);
    return;
  }
  process.stdout.write(`${render(plan, options).join("\n")}\n`);
}

const chipsOf = (target: Target): number => target.devices / (target.chip?.devices ?? 1);

/** Traces a project's programs once per class of choices, and searches. */
class Planner {
  readonly #timelines = new Map<string, Timeline>();
  #flopsPerToken: number | undefined;

  constructor(
    readonly project: Project,
    readonly mode: "train" | "decode",
  ) {}

  plan(target: Target, context = this.project.config.model.context): Row[] {
    return this.mode === "train" ? this.#train(target, context) : this.#decode(target);
  }

  #train(target: Target, context: number): Row[] {
    const { train, model } = this.project.config;
    const batch = train.batch * train.accumulation;
    const judged = search(
      {
        meshes: meshes(target),
        remats: "remat" in model ? ["everything", NAMES, "nothing"] : [undefined],
        accumulations: [1, 2, 4, 8, 16, 32].filter((n) => batch % n === 0),
      },
      this.#traced(target, { context, batch }),
      target.chip!,
    );
    return judged.map((j) => this.#row(j, batch, batch * context, target, 3));
  }

  /** The largest batch that fits, mesh by mesh; the one that writes most tokens a second first. */
  #decode(target: Target): Row[] {
    const rows: Row[] = [];
    const context = this.project.config.model.context;
    let open = meshes(target).filter((mesh) => mesh.context === 1);
    for (let batch = 1; batch <= 2 ** 16 && open.length > 0; batch *= 2) {
      const judged = search(
        { meshes: open, remats: [undefined], accumulations: [1] },
        this.#traced(target, { context, batch }),
        target.chip!,
      );
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
      const config = configOf(this.project, target, choice, sizes, this.mode);
      const layout = layoutOf(config) ?? ONE_DEVICE;
      const { vocab = 1 } = config.model as { readonly vocab?: number };
      const batch = config.train.batch;
      // The loss is cut into as many chunks as what a device has of the scores asks for.
      const shape = [batch, sizes.context, vocab];
      const spec = layout.spec("activations", { name: "the scores", axes: ["batch", "seq", "vocab"], shape });
      const parts = spec
        .flatMap((over) => over ?? [])
        .reduce((n, m) => n * (choice.mesh[m as keyof Choice["mesh"]] ?? 1), 1);
      const chunks =
        this.mode === "train"
          ? 2 ** Math.ceil(Math.log2(Math.max(1, (4 * batch * sizes.context * vocab) / parts / CHUNK)))
          : 1;
      const key = [choice.remat, batch, sizes.batch, sizes.context, chunks].join(" ");
      let timeline = this.#timelines.get(key);
      if (timeline === undefined) {
        const [program] = this.project.model.programs(config, [this.mode === "train" ? "train_step" : "decode_step"]);
        dce(program!.region);
        timeline = timelineOf(program!);
        this.#timelines.set(key, timeline);
      }
      return { timeline, layout };
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
    for (let chips = chipsOf(target) / target.slices; chips <= target.chip!.most; chips *= 2) {
      const name = resized(target, chips * 2);
      if (name === undefined || !this.plan(parseTarget(name))[0]?.fits) continue;
      said.push(`a larger pod: --target ${name}`);
      break;
    }
    if (this.mode === "train") {
      for (let context = this.project.config.model.context / 2; context >= 128; context /= 2) {
        if (!this.plan(target, context)[0]?.fits) continue;
        said.push(`a shorter context: model.context=${context}`);
        break;
      }
    }
    return said;
  }
}

/** The configuration of a choice. */
function configOf(
  { config }: Project,
  target: Target,
  { mesh, remat, accumulation }: Choice,
  { context, batch }: { readonly context: number; readonly batch: number },
  mode: "train" | "decode",
): Project["config"] {
  const { data, ...inside } = mesh;
  return {
    ...config,
    target: target.name,
    mesh: { data: data / target.slices, ...inside },
    slices: target.slices > 1 ? { data: target.slices } : {},
    model: { ...config.model, context, ...(remat !== undefined && { remat }) },
    ...(mode === "train"
      ? { train: { ...config.train, batch: batch / accumulation, accumulation } }
      : { generate: { ...config.generate, batch } }),
  };
}

/** Has the compiler judge candidates, and writes what it says into them. */
async function confirm(
  project: Project,
  target: Target,
  rows: readonly Row[],
  mode: "train" | "decode",
): Promise<void> {
  if (target.platform !== "tpu") return;
  const [{ judge }, { compileProject }] = await Promise.all([import("../verdict.js"), import("./compile.js")]);
  const entry = mode === "train" ? "train_step" : "decode_step";
  for (const row of rows) {
    const folder = await mkdtemp(join(tmpdir(), "xenarc-plan-"));
    try {
      const config = configOf(project, target, row, { context: project.config.model.context, batch: row.batch }, mode);
      const { compiled } = await compileProject({ ...project, config }, join(folder, "artifact"), { only: [entry] });
      const [judgement] = await judge(compiled, join(folder, "artifact"), target);
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

const BOUND = { compute: "computing", memory: "memory", network: "interconnect", host: "host link" } as const;

function render(plan: Plan, options: PlanCommandOptions): string[] {
  const { bold, dim, red } = paint(process.stdout);
  const { target, rows } = plan;
  const lines = [
    "",
    `${bold(plan.name)} on ${bold(target.name)}: ${count(target.devices)} devices of ${gib(target.chip!.usable)}  ${dim(`${count(plan.considered)} candidates in ${duration(plan.seconds)}`)}`,
    "",
  ];
  if (plan.instead) {
    const least = rows[0];
    lines.push(
      red(
        `It does not fit on any mesh of this pod${least ? `: ${gib(least.estimate.memory.total)} a device at least` : ""}.`,
      ),
    );
    lines.push(
      ...(plan.instead.length > 0
        ? ["What would:", ...plan.instead.map((s) => `  ${s}`)]
        : ["Nor on a larger one of this kind, nor with a shorter context."]),
    );
    return lines;
  }
  const confirmed = rows.some((row) => row.confirmed);
  const head = [
    "mesh",
    options.mode === "train" ? "remat" : "batch",
    options.mode === "train" ? "micro-batches" : "",
    "memory",
    "step at least",
    "tokens/s",
    "MFU at most",
    "bound",
    ...(confirmed ? ["compiler: memory", "sent"] : []),
  ];
  const cells = rows.map((row) => [
    meshName(row.mesh),
    options.mode === "train" ? rematName(row.remat) : count(row.batch),
    options.mode === "train" ? `${row.accumulation} of ${row.batch / row.accumulation}` : "",
    row.fits ? gib(row.estimate.memory.total) : `${gib(row.estimate.memory.total)}, too much`,
    time(row.estimate.step),
    short(row.tokensPerSecond),
    percent(row.mfu),
    BOUND[row.estimate.bound],
    ...(confirmed
      ? [
          row.confirmed?.memory ? gib(row.confirmed.memory) : "",
          row.confirmed?.sent !== undefined ? short(row.confirmed.sent) : "",
        ]
      : []),
  ]);
  const [heading, ...rest] = table([head, ...cells], "lllrrrrlrr");
  lines.push(dim(heading!), ...rest);
  if (plan.run) {
    const cost =
      options.price === undefined ? "" : `, $${count(Math.round(plan.run.dollars))} at $${options.price} a chip-hour`;
    lines.push("", `${short(plan.run.tokens)} tokens with the first: ${plan.run.days.toFixed(1)} days at least${cost}`);
  }
  if (plan.scaling) {
    const steps = plan.scaling.map((s) => [count(s.chips), short(s.tokensPerSecond), percent(s.efficiency)]);
    const [first, ...more] = table([["chips", "tokens/s", "efficiency"], ...steps], "rrr");
    lines.push("", dim(first!), ...more);
  }
  return lines;
}
