/** A plan as it is shown, in a terminal and on a page: its rows, and how choices and figures are written. */
import type { Estimate, MemoryEstimate } from "../compiler/plan/model.js";
import type { Choice, Judged } from "../compiler/plan/search.js";
import type { Target } from "../compiler/plan/target.js";
import { count, duration, type paint, short, table } from "./terminal.js";

/** What a pod is to do. */
export type Mode = "train" | "decode";

/** A candidate as it is shown. */
export interface Row extends Judged {
  /** Sequences at once, on all devices. */
  readonly batch: number;
  readonly tokensPerSecond: number;
  readonly mfu: number;
  /** What the compiler says, where it was asked. */
  confirmed?: { readonly memory?: number; readonly sent?: number; readonly step?: number; readonly seconds: number };
}

/** Everything that is shown of a plan. */
export interface Plan {
  readonly name: string;
  readonly target: Target;
  readonly mode: Mode;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly considered: number;
  /** Settings that make the first row so. */
  readonly settings: readonly string[];
  readonly run?:
    | { readonly tokens: number; readonly days: number; readonly dollars: number; readonly price?: number | undefined }
    | undefined;
  readonly scaling?: readonly Scaled[] | undefined;
  /** What would fit where nothing does; undefined where something does. */
  readonly instead?: readonly string[] | undefined;
}

/** The best that so many chips do, and how much of the first line's speed a chip keeps. */
export interface Scaled {
  readonly chips: number;
  readonly tokensPerSecond: number;
  readonly efficiency: number;
}

/** What a remat policy of names keeps of a layer (`Block` names them). */
export const KEPT = ["attn_out", "residual", "mlp_up"] as const;

/** Parts of a device's memory, in the order in which they are stacked. */
export const MEMORY = [
  ["parameters", "parameters"],
  ["optimizer", "optimizer"],
  ["gradients", "gradients"],
  ["activations", "activations"],
  ["rest", "batch, caches"],
  ["code", "code"],
] as const satisfies readonly (readonly [keyof MemoryEstimate, string])[];
/** What takes time, by the fields of an estimate. */
export const TIME = [
  ["compute", "computing"],
  ["traffic", "memory traffic"],
  ["network", "interconnect"],
  ["host", "host link"],
] as const satisfies readonly (readonly [keyof Estimate, string])[];
const BOUND = { compute: "computing", memory: "memory", network: "interconnect", host: "host link" } as const;

/** `data 4 x fsdp 8`, without axes of one. */
export const meshName = (mesh: Partial<Choice["mesh"]>): string =>
  Object.entries(mesh)
    .filter(([, size]) => size > 1)
    .map(([name, size]) => `${name} ${size}`)
    .join(" x ") || "1 device";

/** What of a layer is kept, in a word or two: `some` are {@link KEPT}. */
export function rematName(remat: Choice["remat"]): string {
  if (remat === undefined) return "as it is";
  if (typeof remat === "string") return remat;
  return Array.isArray(remat) ? "some" : "some, on host";
}

/** What is kept, and where the optimizer's moments lie. */
export const keptName = ({ remat, offload }: Choice): string => `${rematName(remat)}${offload ? " + moments" : ""}`;

export const gib = (n: number): string => `${(n / 2 ** 30).toFixed(2)} GiB`;
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const time = (s: number): string => (s < 1 ? `${(s * 1e3).toPrecision(3)} ms` : `${s.toPrecision(3)} s`);
export const boundName = ({ bound }: Estimate): string => BOUND[bound];

/** Explanations that the table's words need. */
export function notes(plan: Plan): string[] {
  const said = ["No step is faster than this: a roofline, in which computing, memory and network overlap fully."];
  const any = (test: (row: Row) => boolean) => plan.rows.some(test);
  if (any(({ remat }) => typeof remat === "object")) {
    said.push(`some: ${KEPT.join(", ")} of each layer are kept, the rest is computed again.`);
  }
  if (any(({ remat }) => typeof remat === "object" && !Array.isArray(remat)))
    said.push("on host: they are kept in the host's memory.");
  if (any(({ offload }) => offload)) said.push("moments: the optimizer's, in the host's memory.");
  return said;
}

type Paint = ReturnType<typeof paint>;

/** A plan as lines for a terminal that is so wide. */
export function render(plan: Plan, width: number, colours: Pick<Paint, "bold" | "dim" | "red" | "green">): string[] {
  const { bold, dim, red } = colours;
  const { target, rows } = plan;
  const chip = target.chip!;
  const searched = `${count(plan.considered)} candidates in ${duration(plan.seconds)}`;
  const lines = [
    "",
    `${bold(plan.name)} on ${bold(target.name)}: ${count(target.devices)} devices of ${gib(chip.usable)}  ${dim(searched)}`,
    "",
  ];
  if (plan.instead) {
    const least = rows[0] ? `: at the least it takes ${gib(rows[0].estimate.memory.total)} of each device` : "";
    lines.push(red(`It does not fit on any mesh of this pod${least}.`));
    if (plan.instead.length > 0) lines.push("What would:", ...plan.instead.map((s) => `  ${s}`));
    else lines.push("Nor on a larger one of this kind, nor with a shorter context.");
    return lines;
  }
  const [head, ...body] = fitted(columns(plan), rows, width);
  lines.push(dim(head!), ...body, ...wrapped(notes(plan).join(" "), width).map(dim), "");
  lines.push(...ofFirst(plan, width, colours));
  lines.push("", `${bold("To take it:")}`, ...wrapped(plan.settings.join(" "), width));
  if (plan.run) {
    const { tokens, days, dollars, price } = plan.run;
    const cost = price === undefined ? "" : `, $${count(Math.round(dollars))} at $${price} a chip-hour`;
    lines.push("", `${bold(`${short(tokens)} tokens`)} take ${days.toFixed(1)} days at least${cost}.`);
  }
  if (plan.scaling) {
    const steps = plan.scaling.map((s) => [count(s.chips), short(s.tokensPerSecond), percent(s.efficiency)]);
    const [first, ...more] = table([["chips", "tokens/s", "efficiency"], ...steps], "rrr");
    lines.push("", dim(first!), ...more);
  }
  return lines;
}

/** A column of the table; those of the largest `spare` go first where there is not enough room. */
interface Column {
  readonly head: string;
  readonly cell: (row: Row) => string;
  readonly align?: "r";
  readonly spare?: number;
}

/** The columns of a plan's table. */
export function columns({ mode, rows }: Plan): Column[] {
  const asked = rows.some((row) => row.confirmed);
  const ofTraining: Column[] = [
    { head: "kept", cell: keptName },
    { head: "batch", cell: (r) => `${r.accumulation} x ${r.batch / r.accumulation}`, align: "r", spare: 2 },
  ];
  const ofDecoding: Column[] = [{ head: "batch", cell: (r) => count(r.batch), align: "r" }];
  const ofCompiler: Column[] = [
    { head: "compiler's", cell: (r) => (r.confirmed?.memory ? gib(r.confirmed.memory) : ""), align: "r" },
    { head: "sends", cell: (r) => `${short(total(r.estimate.sent))}B`, align: "r", spare: 5 },
    {
      head: "compiler's",
      cell: ({ confirmed }) => (confirmed?.sent === undefined ? "" : `${short(confirmed.sent)}B`),
      align: "r",
      spare: 5,
    },
  ];
  return [
    { head: "mesh", cell: (r) => meshName(r.mesh) },
    ...(mode === "train" ? ofTraining : ofDecoding),
    { head: "memory", cell: (r) => `${gib(r.estimate.memory.total)}${r.fits ? "" : ", too much"}`, align: "r" },
    ...(asked ? ofCompiler : []),
    { head: mode === "train" ? "step" : "a token", cell: (r) => time(r.estimate.step), align: "r" },
    { head: "tokens/s", cell: (r) => short(r.tokensPerSecond), align: "r", spare: 3 },
    { head: "MFU", cell: (r) => percent(r.mfu), align: "r", spare: 1 },
    { head: "bound by", cell: (r) => boundName(r.estimate), spare: 4 },
  ];
}

/** Bytes that a device sends. */
const total = (sent: Estimate["sent"]): number => Object.values(sent).reduce((a, b) => a + b, 0);

/** The table with as many of its columns as there is room for. */
function fitted(all: readonly Column[], rows: readonly Row[], width: number): string[] {
  const cells = [all.map(({ head }) => head), ...rows.map((row) => all.map(({ cell }) => cell(row)))];
  const lines = table(cells, all.map(({ align }) => align ?? "l").join(""));
  const most = Math.max(...all.map(({ spare }) => spare ?? 0));
  if (most === 0 || lines.every((line) => line.length <= width)) return lines;
  return fitted(
    all.filter(({ spare }) => spare !== most),
    rows,
    width,
  );
}

/** Where the memory and the time of a candidate go, each part with a bar. */
function ofFirst({ mode, rows, target }: Plan, width: number, { bold }: Pick<Paint, "bold">): string[] {
  const { usable } = target.chip!;
  const { estimate } = rows[0]!;
  const room = Math.max(10, Math.min(60, width - 36));
  const bar = (share: number) => "█".repeat(Math.round(share * room)) || "▏";
  const { memory, step } = estimate;
  const parts = MEMORY.filter(([key]) => gib(memory[key]) !== gib(0)).map(([key, name]) => [
    name,
    gib(memory[key]),
    bar(memory[key] / usable),
  ]);
  const times = TIME.filter(([key]) => estimate[key] > 0).map(([key, name]) => [
    name,
    time(estimate[key]),
    bar(estimate[key] / step),
  ]);
  const lines = table([...parts, ["free", gib(usable - memory.total), ""], ...times], "lrl");
  return [
    `${bold("The first:")} ${gib(memory.total)} of the ${gib(usable)} of a device`,
    ...lines.slice(0, parts.length + 1),
    `  and ${time(step)} a ${mode === "train" ? "step" : "token"}, the longest of`,
    ...lines.slice(parts.length + 1),
  ];
}

/** Text in lines that are not wider, indented by two. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = " ";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > width && line.trim() !== "") {
      lines.push(line);
      line = " ";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
