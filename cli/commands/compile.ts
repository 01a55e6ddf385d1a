/** `xenarc compile`: a model and its configuration to an artifact, with a summary of one screen. */
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { bubble, type Pipeline, ticks } from "../../compiler/pipeline.js";
import { type Compiled, compile } from "../../emit/compile.js";
import { pipelineOf } from "../../models/layout.js";
import { openProject, type Project, sortWords } from "../project.js";
import { bytes, count, duration, paint, percent, short, table } from "../terminal.js";
import { projectTokenizer } from "../tokenizer.js";

export interface CompileCommandOptions {
  readonly config?: string;
  readonly out?: string;
  readonly target?: string;
  readonly ahead: boolean;
  readonly only?: readonly string[];
  readonly canonical?: boolean;
  readonly locations: boolean;
  readonly dumpHlo?: boolean;
  readonly json?: boolean;
}

export async function compileCommand(words: readonly string[], options: CompileCommandOptions): Promise<void> {
  const { target, overrides } = sortWords(words);
  const targets = options.target === undefined ? [] : [`target=${options.target}`];
  const project = await openProject({ target, overrides: [...targets, ...overrides] }, options.config);
  const folder = options.out ?? join("artifacts", project.model.name);
  if (options.dumpHlo) refuseDump(project.config.target, options.ahead);
  const { compiled, seconds } = await compileProject(project, folder, options);
  const hlo = options.dumpHlo ? `${folder}-hlo` : undefined;
  const judged = options.ahead ? await verdict(project.model, compiled, folder, hlo) : undefined;
  if (hlo !== undefined && judged === undefined) await dumpHlo(folder, hlo);
  if (options.json) {
    const { name, parameters, config } = compiled;
    const programs = Object.fromEntries(compiled.programs.map((program) => [program.name, sizeOf(program)]));
    const perToken = flopsPerToken(compiled);
    const report = {
      name,
      artifact: folder,
      hlo,
      parameters,
      flopsPerToken: perToken,
      seconds,
      programs,
      config,
      ...(judged && { target: judged.target.name, verdict: judged.judgements.map(plainJudgement) }),
    };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else {
    const lines = [summary(compiled, folder, seconds, hlo), ...(judged ? judged.render() : [])];
    process.stdout.write(`${lines.join("\n")}\n`);
  }
}

/** What XLA says of the artifact on the target that the configuration names; nothing for the CPU that is here. */
async function verdict(model: Project["model"], compiled: Compiled, folder: string, hlo?: string) {
  const name = compiled.config.target;
  if (typeof name !== "string" || name === "cpu") return undefined;
  const [{ parseTarget }, { judge, render }] = await Promise.all([
    import("../../compiler/plan/target.js"),
    import("../verdict.js"),
  ]);
  const target = parseTarget(name);
  const judgements = await judge(model, compiled, folder, target, hlo);
  return { target, judgements, render: () => render(judgements, target) };
}

/** A judgement as JSON: without the instructions of the HLO. */
const plainJudgement = (judgement: object): unknown =>
  JSON.parse(JSON.stringify(judgement, (key, value) => (key === "instruction" ? undefined : value)));

/** Compiles a project and writes the artifact. */
export async function compileProject(
  project: Project,
  folder: string,
  options: {
    readonly only?: readonly string[];
    readonly canonical?: boolean;
    readonly locations?: boolean;
    /** The text, where it is another than the configuration says. */
    readonly data?: string | readonly string[] | undefined;
  } = {},
): Promise<{ compiled: Compiled; seconds: number }> {
  // Not performance.now: Node loads what it belongs to when it is first asked for.
  const started = process.uptime();
  const tokenizer = await projectTokenizer(project, options.data);
  const compiled = await compile(project.model, project.config, {
    names: options.canonical ? "canonical" : "author",
    locations: options.locations ?? true,
    ...(options.only && { only: options.only }),
  });
  await compiled.write(folder, tokenizer);
  return { compiled, seconds: process.uptime() - started };
}

/** XLA's HLO for a target is what its compiler makes ahead of time. */
function refuseDump(target: unknown, ahead: boolean): void {
  if (target === "cpu" || (ahead && !String(target).startsWith("gpu"))) return;
  const [why, fix] = ahead
    ? ["there is no compiler for GPUs without one", "Leave out --dump-hlo."]
    : ["it is made ahead of time", "Leave out --no-ahead."];
  throw new XenarcError({ what: `XLA's HLO for ${target} cannot be written: ${why}.`, fix }, "usage");
}

/** XLA's own view of every program on the CPU that is here: its optimized HLO. */
async function dumpHlo(artifact: string, hlo: string): Promise<void> {
  const [{ inspect }, { during, setUpPython }] = await Promise.all([
    import("../../runtime-bridge/bridge.js"),
    import("../setup.js"),
  ]);
  await setUpPython();
  await during("XLA is compiling", () => inspect({ artifact, hlo }));
}

type CompiledProgram = Compiled["programs"][number];

const sizeOf = ({ text, program }: CompiledProgram) => ({
  lines: text.split("\n").length - 1,
  bytes: Buffer.byteLength(text),
  flops: program.cost.flops,
});

/** Floating-point operations for a token: of a training step, and of the forward pass alone. */
function flopsPerToken({ programs }: Compiled): { training?: number; forward?: number } {
  const of = (name: string, targets: number) => {
    const program = programs.find((p) => p.name === name)?.program;
    const tokens = program?.inputs.find((input) => input.name === "tokens");
    if (!program || !tokens) return undefined;
    const inner = tokens.shape.at(-1) ?? 1;
    return program.cost.flops / (tokens.shape.slice(0, -1).reduce((a, b) => a * b, 1) * (inner - targets));
  };
  const training = of("train_step", 1);
  const forward = of("forward", 0);
  return { ...(training !== undefined && { training }), ...(forward !== undefined && { forward }) };
}

/** How much of its time a stage of a pipeline has nothing to do. */
function pipelineRow({ config, programs }: Compiled): string[][] {
  const pipeline = programs.some(({ name }) => name === "train_step") && pipelineOf(config as never);
  return pipeline ? [["pipeline", idle(pipeline)]] : [];
}

/** `4 stages, 4 micro-batches: each stage is idle in 3 of 7 ticks (42.9 %)`. */
export function idle(p: Pipeline): string {
  const { stages, repeats, microBatches } = p;
  const rounds = repeats > 1 ? [`${repeats} repeats`] : [];
  const shape = [`${stages} stages`, ...rounds, `${microBatches} micro-batches`].join(", ");
  return `${shape}: each stage is idle in ${ticks(p) - repeats * microBatches} of ${ticks(p)} ticks (${percent(bubble(p))})`;
}

function summary(compiled: Compiled, folder: string, seconds: number, hlo: string | undefined): string {
  const { bold, dim } = paint(process.stdout);
  const sizes = compiled.programs.map((program) => ({ name: program.name, ...sizeOf(program) }));
  const total = (of: "lines" | "bytes") => sizes.reduce((sum, size) => sum + size[of], 0);
  const [heading, ...rows] = table(
    [
      ["program", "IR lines", "bytes", "FLOPs a run"],
      ...sizes.map((size) => [size.name, count(size.lines), bytes(size.bytes), short(size.flops)]),
      ["all", count(total("lines")), bytes(total("bytes")), ""],
    ],
    "lrrr",
  );
  const { training, forward } = flopsPerToken(compiled);
  const flops = [training && `${short(training)} in training`, forward && `${short(forward)} forward`];
  return [
    `${bold(compiled.name)} compiled to ${bold(folder)} in ${duration(seconds)}`,
    "",
    ...table([
      ["parameters", count(compiled.parameters)],
      ["FLOPs a token", flops.filter(Boolean).join(", ")],
      ...pipelineRow(compiled),
      ...(hlo === undefined ? [] : [["optimized HLO", hlo]]),
    ]),
    "",
    dim(heading!),
    ...rows,
  ].join("\n");
}
