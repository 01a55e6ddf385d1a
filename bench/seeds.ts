/**
 * `npm run seeds`: the figures of docs/models. Compiles the full sizes of the systems for their pods with the TPU compiler, one after the
 * other; with `--train` trains their small configurations; with `--ablate` for fewer steps, whole and without each component; with `--recall`
 * others to recall what is far back; with `--reference` compiles the full sizes in plain JAX. What was measured is kept in docs/models/seeds.json, and
 * docs/models/seeds.md is written from it: systems can be run one at a time.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { execa } from "execa";
import { z } from "zod";
import { meshName } from "../cli/plan_text.js";
import { totalCost } from "../compiler/plan/costs.js";
import { parseOptimizedHlo } from "../compiler/plan/optimized_hlo.js";
import { packageRoot } from "../compiler/source/package.js";
import { compile } from "../emit/compile.js";
import { resolveConfig } from "../emit/config.js";
import { train } from "../runtime-bridge/bridge.js";
import { ensurePython, ensureTpuCompiler } from "../runtime-bridge/environment.js";
import { NOTHING, recalled, SEEDS } from "./recall.js";
import { type Claim, ENTRIES, type FullSize, systems } from "./systems.js";

const judgementSchema = z.object({
  entry: z.string(),
  seconds: z.number(),
  verdict: z
    .object({
      memory: z.object({ total: z.number(), available: z.number() }),
      flops: z.number(),
      sent: z.number().optional(),
      roofline: z.object({ step: z.number(), bound: z.string() }),
    })
    .optional(),
  outOfMemory: z.object({ needed: z.number().nullable(), available: z.number().nullable() }).optional(),
});
const compiledSchema = z.object({
  parameters: z.number(),
  target: z.string(),
  verdict: z.array(judgementSchema),
});
/** What is said of a reference: bytes a device at the most, and where it fits, what a device does in a step. */
const referenceSchema = z.object({
  run: z.string(),
  parameters: z.number(),
  peak: z.number(),
  flops: z.number().optional(),
  sent: z.number().optional(),
});
/** What is kept of a plan: nothing in `rows` where nothing fits. */
const plannedSchema = z.object({
  target: z.string(),
  rows: z
    .array(
      z.object({
        fits: z.boolean(),
        mesh: z.record(z.string(), z.number()),
        batch: z.number(),
        tokensPerSecond: z.number(),
        mfu: z.number(),
      }),
    )
    .transform((rows) => rows.filter(({ fits }) => fits).slice(0, 1)),
  run: z.object({ days: z.number(), dollars: z.number(), price: z.number().optional() }).optional(),
  scaling: z.array(z.object({ chips: z.number(), efficiency: z.number() })).optional(),
  instead: z.array(z.string()).optional(),
});
/** What a small configuration came to, in nats a byte, and how long that took. */
const lossSchema = z.object({ loss: z.number(), seconds: z.number() });
/** What was measured, by system, and by the name of a full size, of the component that was left out, or of a statement. */
const measuredSchema = z.object({
  full: z.record(z.string(), z.record(z.string(), compiledSchema)).default({}),
  references: z.record(z.string(), z.record(z.string(), referenceSchema)).default({}),
  small: z.record(z.string(), z.record(z.string(), lossSchema)).default({}),
  ablations: z.record(z.string(), z.record(z.string(), lossSchema)).default({}),
  plans: z.record(z.string(), z.record(z.string(), plannedSchema)).default({}),
  recall: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.number()))).default({}),
});
type Measured = z.infer<typeof measuredSchema>;

const docs = join(packageRoot, "docs", "models");
const kept = join(docs, "seeds.json");
/** What has been measured so far, by whichever command. */
const measured = (): Measured => measuredSchema.parse(existsSync(kept) ? JSON.parse(readFileSync(kept, "utf8")) : {});

/** What a command says of a configuration of a system, asked as a user does. */
async function ask(command: string, system: string, file: string, words: readonly string[]): Promise<unknown> {
  const at = join(packageRoot, "models", system);
  const asked = [command, join(at, "model.ts"), "-c", join(at, file), ...words, "--json"];
  const { stdout } = await execa(process.execPath, [join(packageRoot, "dist/cli/main.js"), ...asked], {
    stderr: "inherit",
  });
  return JSON.parse(stdout);
}

async function compileFull(system: string, { file, overrides = [], entries = ENTRIES }: FullSize, folder: string) {
  const only = ["--only", ...entries, "--no-locations", "-o", join(folder, "artifact")];
  return compiledSchema.parse(await ask("compile", system, file, [...overrides, ...only]));
}

/** Compiles a run of the references in a folder. */
async function compileReference(run: string, references: string, folder: string) {
  const python = await ensurePython();
  const hlo = join(folder, "hlo.txt");
  const script = join(packageRoot, "bench/jax/reference.py");
  const { stdout } = await execa(python.python, [script, references, ...run.split(" "), hlo], {
    stderr: "inherit",
    env: { PYTHONPATH: await ensureTpuCompiler(python) },
  });
  const said = JSON.parse(stdout);
  const work = existsSync(hlo) ? totalCost(parseOptimizedHlo(readFileSync(hlo, "utf8"))) : {};
  return referenceSchema.parse({ run, ...said, ...work });
}

async function planClaim(system: string, { file, words }: Claim) {
  return plannedSchema.parse(await ask("plan", system, file, words));
}

/** How many steps small configurations are trained for, whole and without a component, and the name of what has them all. */
const ABLATED = 300;
const SHORT = [`train.steps=${ABLATED}`, `eval.every=${ABLATED}`];
const WHOLE = "nothing";

/** Trains a small configuration on a text; the loss over all of its last tenth, and the time that it takes. */
async function trainSmall(system: string, overrides: readonly string[], data: string, folder: string) {
  const { definition } = systems[system]!;
  const yamlFile = join(packageRoot, "models", system, "small.yaml");
  const config = resolveConfig(definition.schema, { yamlFile, overrides });
  const artifact = join(folder, "artifact");
  await (await compile(definition, config)).write(artifact);
  const began = performance.now();
  const done = await train({ artifact, run: join(folder, "run"), data });
  return { loss: done.validation_loss!, seconds: (performance.now() - began) / 1000 };
}

const gib = (n: number | null): string => (n === null ? "?" : (n / 2 ** 30).toFixed(2));
const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => [
  row(head),
  row(head.map(() => "---")),
  ...rows.map(row),
];

/** What a plan says to a statement. */
function answer({ rows, run, scaling, instead = [] }: z.infer<typeof plannedSchema>): string {
  const [best] = rows;
  if (!best) return ["fits on no mesh of this pod", ...instead].join("; ");
  const price =
    run?.price === undefined
      ? ""
      : `, $${Math.round(run.dollars).toLocaleString("en")} at $${run.price} a chip and hour`;
  const days = run === undefined ? "" : `; ${run.days.toFixed(0)} days${price}`;
  const kept = (scaling ?? []).map(({ chips, efficiency }) => `${chips} chips ${(100 * efficiency).toFixed(0)} %`);
  const scales = kept.length === 0 ? "" : `; speed kept a chip: ${kept.join(", ")}`;
  const tokens = `${Math.round(best.tokensPerSecond).toLocaleString("en")} tokens/s`;
  return `at most ${tokens}, ${best.batch} sequences at once, MFU ${(100 * best.mfu).toFixed(0)} %${days}${scales}`;
}

/** The train steps that there is a reference of, and that: figures of both and how many times the reference's ours are. */
function compared({ full, references }: Measured): string[][] {
  const against = (ours: number | undefined, theirs: number | undefined, unit: number): string =>
    ours === undefined || theirs === undefined
      ? ""
      : `${(ours / unit).toFixed(1)} / ${(theirs / unit).toFixed(1)} = ${(ours / theirs).toFixed(2)}`;
  return Object.entries(references).flatMap(([system, runs]) =>
    Object.entries(runs).flatMap(([name, { run, peak, flops, sent }]) => {
      const { verdict, outOfMemory } = full[system]?.[name]?.verdict.find((v) => v.entry === "train_step") ?? {};
      const needed = verdict?.memory.total ?? outOfMemory?.needed ?? undefined;
      const work = [against(verdict?.flops, flops, 1e12), against(verdict?.sent, sent, 1e9)];
      return needed === undefined ? [] : [[system, name, run, against(needed, peak, 2 ** 30), ...work]];
    }),
  );
}

function page(all: Measured): string {
  const { full, small, ablations, plans, recall } = all;
  const rows = Object.entries(full).flatMap(([system, sizes]) =>
    Object.entries(sizes).flatMap(([name, { parameters, target, verdict }]) =>
      verdict.map(({ entry, seconds, verdict: v, outOfMemory }) => {
        const [needed, has] = v
          ? [v.memory.total, v.memory.available]
          : [outOfMemory?.needed ?? null, outOfMemory?.available ?? null];
        const fits = v ? "yes" : needed && has ? `no, by ${gib(needed - has)}` : "no";
        const work = v
          ? [
              (v.flops / 1e12).toFixed(1),
              v.sent === undefined ? "" : (v.sent / 1e9).toFixed(1),
              `${v.roofline.step.toPrecision(3)} (${v.roofline.bound})`,
            ]
          : ["", "", ""];
        const size = `${(parameters / 1e9).toFixed(2)} B`;
        return [system, name, target, size, entry, gib(needed), gib(has), fits, ...work, seconds.toFixed(0)];
      }),
    ),
  );
  const head = ["system", "configuration", "target", "parameters", "entry point", "GiB a device", "usable", "fits"];
  const losses = Object.entries(small).flatMap(([system, runs]) =>
    Object.values(runs).map(({ loss, seconds }) => [system, loss.toFixed(3), (seconds / 60).toFixed(1)]),
  );
  const without = Object.entries(ablations).flatMap(([system, runs]) =>
    Object.entries(runs).map(([name, { loss }]) => {
      const more = loss - (runs[WHOLE]?.loss ?? Number.NaN);
      return [system, name, loss.toFixed(3), name === WHOLE ? "" : `${more < 0 ? "" : "+"}${more.toFixed(3)}`];
    }),
  );
  const answers = Object.entries(plans).flatMap(([system, claims]) =>
    Object.entries(claims).map(([name, plan]) => {
      const [best] = plan.rows;
      return [system, name, plan.target, best ? meshName(best.mesh) : "", answer(plan)];
    }),
  );
  const recalls = Object.entries(recall).flatMap(([system, ways]) =>
    Object.entries(ways).map(([way, shares]) => [system, way, ...SEEDS.map((seed) => shares[seed]!.toFixed(1))]),
  );
  const beside = compared(all);
  return [
    "# Figures of the systems",
    "",
    "Written by `npm run seeds` (bench/seeds.ts); do not edit. Compiled by libtpu without a TPU: memory is the compiler's account, the time of a",
    "step a roofline (no step is faster), FLOPs and what is sent those of one device, compile time that of the machine it ran on. What is not here",
    "is not measured.",
    "",
    ...table([...head, "TFLOP a step", "GB sent", "least seconds a step", "compiled in, s"], rows),
    ...(beside.length === 0
      ? []
      : [
          "",
          "Train steps beside plain JAX (`--reference FOLDER`: `common.py` and `sys1.py` to `sys5.py`, numbered as the documents are: XenArcAI 600B,",
          "the character level, XenArcAIi2, XenArcAI-v2, Xenith_mini), compiled the same way: ours / theirs.",
          "",
          ...table(["system", "configuration", "reference", "GiB a device", "TFLOP a step", "GB sent"], beside),
        ]),
    ...(losses.length === 0
      ? []
      : [
          "",
          "Small configurations, with every component, on the last tenth of tinyshakespeare (`--train`).",
          "",
          ...table(["system", "nats a byte", "minutes"], losses),
        ]),
    ...(without.length === 0
      ? []
      : [
          "",
          `The same after ${ABLATED} steps, whole and without each component (\`--ablate\`): one seed, so that a few hundredths say little.`,
          "",
          ...table(["system", "without", "nats a byte", "more than whole"], without),
        ]),
    ...(recalls.length === 0
      ? []
      : [
          "",
          "Keys that were seen further back than all windows reach and are named, in percent of 512 prompts (`--recall`), with what leads there",
          "beside the windows, after 300 steps from each of three seeds. Guessed are 12.5.",
          "",
          ...table(["system", "with", ...SEEDS.map((seed) => `seed ${seed}`)], recalls),
        ]),
    ...(answers.length === 0
      ? []
      : [
          "",
          "Statements of time, cost and throughput, answered by `xenarc plan` (`--plan`): a roofline, in which computing, memory and network overlap",
          "fully; on that mesh nothing is faster. Weights that lie over fsdp or context are gathered for each token that is written. Prices are assumed.",
          "",
          ...table(["system", "statement", "pod", "mesh", "answer"], answers),
        ]),
    "",
  ].join("\n");
}

function keep(part: keyof Measured, system: string, name: string, figures: unknown): void {
  const all = measured();
  const ofPart: Record<string, Record<string, unknown>> = all[part];
  ofPart[system] = { ...ofPart[system], [name]: figures };
  mkdirSync(docs, { recursive: true });
  writeFileSync(kept, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(join(docs, "seeds.md"), page(all));
}

const command = new Command("npm run seeds --")
  .description("Measures what docs/models/seeds.md says of the systems in models/.")
  .addArgument(new Argument("[system...]", "which (default: all)").choices(Object.keys(systems)))
  .option("--only <name>", "the one full size, or component, of this name")
  .option("--train", "train the small configurations, instead of compiling the full sizes")
  .option("--ablate", `train them for ${ABLATED} steps, whole and without each component, instead`)
  .option("--data <file>", "the text that they are trained on")
  .option("--recall", "train them to recall what is far back, by everything that leads there, instead")
  .option(
    "--reference <folder>",
    "compile the plain-JAX references in this folder, those that full sizes name, instead",
  )
  .option("--plan", "have `xenarc plan` answer what is said of time, cost and throughput, instead")
  .parse();
const {
  only,
  train: trains,
  ablate: ablates,
  data,
  plan: plans,
  recall: recalls,
  reference: references,
} = command.opts<
  Record<"only" | "data" | "reference", string> & Record<"train" | "ablate" | "plan" | "recall", boolean>
>();
if ((trains || ablates) && data === undefined)
  command.error("--train and --ablate need --data FILE: the text to train on.");

/** Something to measure, and what of the figures it becomes a part of. */
interface Work {
  readonly part: keyof Measured;
  readonly name: string;
  readonly run: (folder: string) => Promise<unknown>;
}
const work = (part: Work["part"], name: string, run: Work["run"]): Work => ({ part, name, run });

for (const system of command.args.length > 0 ? command.args : Object.keys(systems)) {
  const { components, full, claims = [], definition, recall } = systems[system]!;
  const asked = (): Work[] => {
    if (plans) return claims.map((claim) => work("plans", claim.name, () => planClaim(system, claim)));
    if (recalls)
      return Object.keys(recall ? { [NOTHING]: {}, ...recall.ways } : {}).map((way) =>
        work("recall", way, (folder) => recalled(definition, recall!, way, folder)),
      );
    if (trains) return [work("small", WHOLE, (folder) => trainSmall(system, [], data!, folder))];
    if (ablates)
      return Object.entries({ [WHOLE]: [], ...components }).map(([name, overrides]) =>
        work("ablations", name, (folder) => trainSmall(system, [...SHORT, ...overrides], data!, folder)),
      );
    if (references)
      return full.flatMap(({ name, reference }) =>
        reference ? work("references", name, (folder) => compileReference(reference, references, folder)) : [],
      );
    return full.map((size) => work("full", size.name, (folder) => compileFull(system, size, folder)));
  };
  for (const { part, name, run } of asked().filter((w) => only === undefined || w.name === only)) {
    const folder = mkdtempSync(join(tmpdir(), "xenarc-seeds-"));
    try {
      console.log(`${system}: ${name}`);
      keep(part, system, name, await run(folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
