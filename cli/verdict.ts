/** What the real compiler says of an artifact on its target, as people read it. */
import { join } from "node:path";
import { Layout, makeMesh } from "../compiler/mesh.js";
import { type Buffer, buffersAtPeak, type Estimate, estimate } from "../compiler/plan/model.js";
import type { Frame } from "../compiler/plan/optimized_hlo.js";
import { parseOptimizedHlo } from "../compiler/plan/optimized_hlo.js";
import type { Target } from "../compiler/plan/target.js";
import { timelineOf } from "../compiler/plan/timeline.js";
import { type Verdict, verdictOf } from "../compiler/plan/verdict.js";
import type { Program } from "../compiler/program.js";
import { addExecutable } from "../emit/artifact.js";
import type { Compiled } from "../emit/compile.js";
import { stepFlops, tokensOf } from "../emit/model_flops.js";
import type { ModelDefinition } from "../models/define.js";
import { type LayoutConfig, layoutOf } from "../models/layout.js";
import type { EventOf } from "../runtime-bridge/events.js";
import { bytes, count, duration, paint, percent, short, table } from "./terminal.js";

/** The entry points that are judged; those that write text, of every length. */
const JUDGED = /^(train_step|control_(step|act)|(prefill|decode_step)(_\d+)?)$/;

type OutOfMemory = EventOf<"out_of_memory">;
type Kernels = EventOf<"ahead">["kernels"];

/** An entry point on the target: compiled, too large for it, or (on GPUs) not compiled but reckoned. */
export type Judgement =
  | { readonly entry: string; readonly seconds: number; readonly verdict: Verdict; readonly kernels: Kernels }
  /** `buffers`: the largest as xenarc reckons them, where the compiler lists none. */
  | {
      readonly entry: string;
      readonly seconds: number;
      readonly outOfMemory: OutOfMemory;
      readonly buffers: readonly Buffer[];
    }
  | { readonly entry: string; readonly estimate: Estimate; readonly buffers: readonly Buffer[] };

/** The largest buffers that are listed. */
const LISTED = 10;

/**
 * Compiles the artifact's programs for a target by XLA itself, or reckons where that needs the machine. Into the folder `hlo`, if one is
 * given, go the optimized programs.
 */
export async function judge(
  model: ModelDefinition,
  compiled: Compiled,
  artifact: string,
  target: Target,
  hlo?: string,
): Promise<Judgement[]> {
  const programs = compiled.programs.filter(({ name }) => JUDGED.test(name));
  const reckoned = (program: Program) => {
    const layout = layoutOf(compiled.config as unknown as LayoutConfig) ?? new Layout(makeMesh({ data: 1 }));
    const given = [timelineOf(program), layout, target.chip!] as const;
    return { estimate: estimate(...given), buffers: buffersAtPeak(...given).slice(0, LISTED) };
  };
  if (target.platform === "gpu") return programs.map(({ name, program }) => ({ entry: name, ...reckoned(program) }));
  const [{ compileAhead }, { during, setUpPython }, { mkdtemp, readFile, rm }, { tmpdir }] = await Promise.all([
    import("../runtime-bridge/bridge.js"),
    import("./setup.js"),
    import("node:fs/promises"),
    import("node:os"),
  ]);
  await setUpPython();
  const out = hlo ?? (await mkdtemp(join(tmpdir(), "xenarc-hlo-")));
  const judged = async ({ name, program }: (typeof programs)[number]): Promise<Judgement> => {
    const options = { artifact, entry: name, target, out };
    const event = await during(`XLA is compiling ${name} for ${target.name}`, () => compileAhead(options));
    const { seconds } = event;
    if (event.event === "out_of_memory") {
      const buffers = event.allocations.length === 0 && target.chip ? reckoned(program).buffers : [];
      return { entry: name, seconds, outOfMemory: event, buffers };
    }
    const { device, devices, versions } = event;
    // An executable for the CPU is one for this very processor.
    if (target.platform === "tpu") await addExecutable(artifact, name, event.executable, { device, devices, versions });
    await rm(event.executable, { force: true });
    const optimized = parseOptimizedHlo(await readFile(event.hlo, "utf8"));
    const verdict = verdictOf(program, target, optimized, event.memory, {
      tokens: tokensOf(program),
      modelFlops: modelFlops(model, compiled, name),
    });
    return { entry: name, seconds, verdict, kernels: event.kernels };
  };
  const judgements: Judgement[] = [];
  try {
    for (const program of programs) judgements.push(await judged(program));
  } finally {
    if (hlo === undefined) await rm(out, { recursive: true });
  }
  return judgements;
}

/** Operations of the model itself. */
function modelFlops(model: ModelDefinition, { config, programs }: Compiled, entry: string): number {
  const program = (name: string) => programs.find((p) => p.name === name)?.program;
  if (entry !== "train_step") return program(entry)!.cost.flops;
  return stepFlops(program(entry)!, program("eval_step") ?? model.programs(config as never, ["eval_step"])[0]!);
}

/** The judgements as text for a terminal. */
export function render(judgements: readonly Judgement[], target: Target): string[] {
  const { bold, dim, red, green } = paint(process.stdout);
  const lines = ["", `${bold(target.name)}  ${heading(target)}`];
  for (const j of judgements) {
    lines.push("");
    if ("estimate" in j) lines.push(...estimated(j.entry, j.estimate, j.buffers, target, { bold, dim, red, green }));
    else if ("outOfMemory" in j) lines.push(...tooLarge(j.entry, j.outOfMemory, j.buffers, target, bold, red));
    else lines.push(...judged(j.entry, j.verdict, j.kernels, j.seconds, { bold, dim, red, green }));
  }
  return lines;
}

const heading = ({ chip, devices, slices }: Target): string => {
  const parts = [`${count(devices)} devices`];
  if (slices > 1) parts.push(`${slices} slices`);
  if (chip) parts.push(`${chip.title}, ${gib(chip.hbm)} each`);
  return parts.join(", ");
};

const gib = (n: number): string =>
  n < 2 ** 20 ? bytes(n) : n < 2 ** 30 ? `${(n / 2 ** 20).toFixed(1)} MiB` : `${(n / 2 ** 30).toFixed(2)} GiB`;

type Paint = Pick<ReturnType<typeof paint>, "bold" | "dim" | "red" | "green">;

/** What takes memory, without what takes none. */
const memoryParts = (parts: readonly (readonly [string, number])[]): string[] =>
  table(
    parts.filter(([, n]) => n > 0).map(([name, n]) => [name, gib(n)]),
    "lr",
    "    ",
  );

const BOUND = {
  compute: "computing",
  memory: "memory bandwidth",
  network: "the interconnect",
  host: "the host link",
} as const;

/** The least time of a step, and of what it is the longest. */
const leastTime = (step: number, bound: keyof typeof BOUND, compute: number, memory: number, network: number): string =>
  `  at least ${milliseconds(step)} a step, bound by ${BOUND[bound]} (computing ${milliseconds(compute)}, memory ${milliseconds(memory)}, interconnect ${milliseconds(network)})`;

function judged(entry: string, v: Verdict, kernels: Kernels, seconds: number, { bold, dim, green }: Paint): string[] {
  const m = v.memory;
  const share = m.available === undefined ? "" : ` of ${gib(m.available)} (${percent(m.total / m.available)})`;
  const parts: [string, number][] = [
    ["parameters", m.parameters],
    ["optimizer", m.optimizer],
    ["gradients", m.gradients],
    ["activations and workspace", m.activations],
    ["batch, caches, results", m.rest],
    ["code", m.code],
    ["in the host's memory", m.host],
  ];
  const lines = [
    `${bold(entry)}  ${green("fits")}: ${gib(m.total)}${share} a device  ${dim(`compiled in ${duration(seconds)}`)}`,
  ];
  lines.push(...memoryParts(parts));
  lines.push(
    `  a step, a device: ${unit(v.flops, "FLOP")}, ${bytes(v.bytes)} of memory traffic, ${bytes(v.sent)} sent`,
  );
  const r = v.roofline;
  if (r) {
    lines.push(leastTime(r.step, r.bound, r.compute, r.memory, r.network));
    if (r.tokensPerSecond > 0) lines.push(`  at most ${unit(r.tokensPerSecond, " tokens/s")}, MFU ${percent(r.mfu)}`);
  }
  if (v.collectives.length > 0) {
    const rows = v.collectives.map((c) => [c.kind, where(c), count(c.count), bytes(c.bytes), bytes(c.sent)]);
    const [head, ...rest] = table(
      [["collective", "mesh axes", "runs", "bytes", "sent a device"], ...rows],
      "llrrr",
      "    ",
    );
    lines.push(dim(head!), ...rest);
  }
  lines.push(...placed(kernels, v.kernels));
  const whole = v.costliest.reduce((sum, c) => sum + c.seconds, 0) || 1;
  const rows = v.costliest.map((c) => [percent(c.seconds / whole), c.opName || c.opcode, place(c.stack)]);
  lines.push(dim(`    the ${rows.length} costliest operations`), ...table(rows, "r", "    "));
  return lines;
}

/** Which operations have kernels, how often kernels run, and which have none and why. */
function placed(placements: Kernels, runs: Readonly<Record<string, number>>): string[] {
  const short = (composite: string) => composite.replace(/^xenarc\./, "");
  const own = placements.filter((p) => p.kernel !== null).map((p) => `${short(p.composite)} by ${p.kernel}`);
  const calls = runs.tpu_custom_call ?? 0;
  return [
    ...(own.length ? [`  kernels: ${own.join(", ")}; ${count(calls)} calls a step`] : []),
    ...placements.flatMap((p) => (p.reason === null ? [] : [`  no kernel for ${short(p.composite)}: ${p.reason}`])),
  ];
}

const where = ({ axes, acrossSlices }: { readonly axes: readonly string[]; readonly acrossSlices: boolean }): string =>
  `${axes.join(" x ") || "all"}${acrossSlices ? ", across slices" : ""}`;

/** `835 TFLOP`, `0 FLOP` */
const unit = (n: number, name: string): string => `${short(n)}${n < 999.5 && !name.startsWith(" ") ? " " : ""}${name}`;
const milliseconds = (s: number): string => (s < 1 ? `${(s * 1e3).toPrecision(3)} ms` : `${s.toPrecision(3)} s`);
/** The author's innermost line; the library's where the model is its own. */
const place = (stack: readonly Frame[]): string => {
  const frame = stack.find(({ file }) => !file.startsWith("xenarc/")) ?? stack[0];
  return frame ? `${frame.file}:${frame.line}` : "";
};

function tooLarge(
  entry: string,
  e: OutOfMemory,
  buffers: readonly Buffer[],
  target: Target,
  bold: Paint["bold"],
  red: Paint["red"],
): string[] {
  const over = e.needed !== null && e.available !== null ? e.needed - e.available : undefined;
  const lines = [
    `${bold(entry)}  ${red("does not fit")}${over === undefined ? "" : `: it needs ${gib(e.needed!)} a device, ${gib(over)} more than the ${gib(e.available!)} there are`}`,
  ];
  const rows = e.allocations.slice(0, LISTED).map((a) => [gib(a.bytes), a.shape, a.op_name || a.label]);
  if (rows.length > 0) lines.push("  the largest buffers:", ...table(rows, "r", "    "));
  else if (buffers.length > 0) lines.push("  the largest buffers, as xenarc reckons them:", ...listed(buffers));
  return [...lines, ...smaller(target)];
}

/** What would take less. */
const smaller = ({ chip, name }: Target): string[] => [
  `  More devices or a larger share of them on fsdp or tensor, remat, a smaller batch with accumulation, or`,
  `  the optimizer on the host take less of each ${chip?.title ?? "device"}. What fits: xenarc plan --target ${name}`,
];

/** Buffers with their axes, of the whole value. */
function listed(buffers: readonly Buffer[]): string[] {
  const rows = buffers.map(({ bytes, dtype, axes, shape, name }) => [
    gib(bytes),
    `${dtype} ${axes.map((axis, d) => `${axis} ${shape[d]}`).join(", ")}`,
    name,
  ]);
  return table(rows, "r", "    ");
}

function estimated(
  entry: string,
  e: Estimate,
  buffers: readonly Buffer[],
  target: Target,
  { bold, dim, red, green }: Pick<Paint, "bold" | "dim" | "red" | "green">,
): string[] {
  const { memory: m } = e;
  const usable = target.chip!.usable;
  const fits = m.total <= usable;
  const over = `${red("does not fit")}: ${gib(m.total)} a device, ${gib(m.total - usable)} more than the ${gib(usable)} there are`;
  const parts: readonly (readonly [string, number])[] = [
    ["parameters", m.parameters],
    ["optimizer", m.optimizer],
    ["gradients", m.gradients],
    ["activations", m.activations],
    ["batch, caches", m.rest],
    ["on the host", m.host],
  ];
  const sent = Object.entries(e.sent).map(([axes, n]) => `${bytes(n)} over ${axes.replaceAll("+", " x ")}`);
  return [
    `${bold(entry)}  ${dim("an estimate: XLA compiles for GPUs only where there are some")}`,
    `  ${fits ? `${green("fits")}: ${gib(m.total)} of ${gib(usable)} a device` : over}`,
    ...memoryParts(parts),
    `  a step, a device: ${unit(e.flops, "FLOP")}, ${bytes(e.bytes)} of memory traffic${sent.length > 0 ? `, sent ${sent.join(", ")}` : ""}`,
    leastTime(e.step, e.bound, e.compute, e.traffic, e.network),
    "  the largest buffers:",
    ...listed(buffers),
    ...(fits ? [] : smaller(target)),
  ];
}
