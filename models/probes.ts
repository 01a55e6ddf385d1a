/** Looking into a model while it trains: what its modules give, its gradients and what attention attends to, in numbers of fixed size. */
import { XenarcError } from "../compiler/errors.js";
import { isFloat } from "../compiler/ir.js";
import { matching } from "../compiler/patterns.js";
import { currentLayout, escape } from "../compiler/trace.js";
import { joinPath } from "../compiler/tree.js";
import { scan } from "../ops/control.js";
import { concatenate, constant } from "../ops/functions.js";
import { Module, type Parameter, parameters } from "../ops/module.js";
import { type Observer, observing } from "../ops/observe.js";
import { collect } from "../ops/report.js";
import { type AnyTensor, oneCall, type Tensor } from "../ops/tensor.js";
import type { LogConfig } from "./train/log.js";

/** What of the section `log` says where to look. */
export type ProbeConfig = Pick<LogConfig, "activations" | "gradients" | "attention" | "attentionPositions">;

/** Whether the configuration asks for a look into the model. */
export const probes = ({ activations, gradients, attention }: ProbeConfig): boolean =>
  activations.length > 0 || attention.length > 0 || gradients !== false;

const POSITIVE = Array.from({ length: 81 }, (_, i) => Math.fround(2 ** ((i - 48) / 2)));
/** The ends of the bins of a histogram, which rise: a bin of small numbers around 0, on either side bins by powers of the root of 2. */
export const EDGES: readonly number[] = [...POSITIVE.map((x) => -x).reverse(), ...POSITIVE];

/** Numbers that say how a tensor's elements lie. */
export type Summary = Readonly<Record<"histogram" | "mean" | "rms" | "zeros", AnyTensor>>;

/**
 * How a tensor's elements lie: how many are in each bin (i32; the outermost have what lies beyond, NaN is in none), their mean, the root
 * of their mean square, the share that is 0. `keep`: axes along which there is a summary for each element.
 */
export function summary(x: Tensor, keep: readonly string[] = []): Summary {
  return oneCall(() => {
    const wide = x.cast("f32") as Tensor;
    const all = wide.names.filter((n) => !keep.includes(n));
    const count = (which: Tensor) => which.cast("i32").sum(all) as unknown as Tensor;
    const inner = constant({ bin: EDGES.length - 2 }, EDGES.slice(1, -1)) as Tensor;
    // Edge by edge: all at once would be a tensor so many times as large.
    const [, above] = scan("bin", {}, { edge: inner }, (none, { edge }) => [
      none,
      count(wide.ge(edge as never) as Tensor),
    ]);
    const least = count(wide.eq(wide as never) as Tensor).broadcast({ bin: 1 }) as Tensor;
    const reached = concatenate([least, above as Tensor], "bin") as Tensor;
    const exceeded = concatenate([above as Tensor, least.mul(0) as Tensor], "bin") as Tensor;
    const kept = keep.filter((n) => wide.has(n));
    return {
      histogram: reached.sub(exceeded as never).ordered([...kept, "bin"]) as Tensor,
      mean: wide.mean(all) as unknown as Tensor,
      rms: wide.square().mean(all).sqrt() as unknown as Tensor,
      zeros: wide.eq(0).cast("f32").mean(all) as unknown as Tensor,
    };
  });
}

/** What was seen, by kind and path of the module or parameter. */
export interface Seen {
  readonly activations: Readonly<Record<string, Summary>>;
  /** Probabilities (f32): an axis `head`, `query` and `token`, and one of layers in front where the module is in a stack. */
  readonly attention: Readonly<Record<string, AnyTensor>>;
}

/**
 * Runs what calls the modules of a model, and tells what `log` asks for. Of modules in a stack there is a summary for each layer.
 * @throws XenarcError for a pattern that matches no module, or only modules that are not called or have no attention.
 */
export function look<R>(model: Module, c: ProbeConfig, f: () => R): [R, Seen] {
  if (c.activations.length + c.attention.length > 0 && currentLayout()?.stages("layers") !== undefined) {
    throw new XenarcError({
      what: "log.activations and log.attention cannot look into layers that run as a pipeline.",
      fix: "Leave them out, or train without stages.",
    });
  }
  const modules = [...new Set(modulesOf(model))].filter((path) => path !== "");
  const wanted = (key: "activations" | "attention") =>
    c[key].map((pattern, i) => ({
      setting: `log.${key}[${i}]`,
      pattern,
      paths: matching(pattern, modules, `log.${key}[${i}]`, "module", "itself"),
    }));
  const rules = { result: wanted("activations"), attention: wanted("attention") };
  const named = new Map<string, { kind: keyof Seen; path: string; part?: keyof Summary }>();
  const tell = (
    name: string,
    as: { kind: keyof Seen; path: string; part?: keyof Summary },
    { names, value }: Tensor,
  ) => {
    named.set(name, as);
    escape({ kind: "metric", message: name, value, names });
  };
  const observer: Observer = (what, path, value) => {
    if (!rules[what].some(({ paths }) => paths.includes(path))) return;
    const x = value(c.attentionPositions);
    if (!isFloat(x.value.type)) return;
    if (what === "attention") return tell(joinPath("attention", path), { kind: "attention", path }, x);
    for (const [part, number] of Object.entries(summary(x)) as [keyof Summary, Tensor][])
      tell(joinPath(joinPath("activations", path), part), { kind: "activations", path, part }, number);
  };
  const [result, { metrics }] = collect(() => observing(observer, f));
  const seen: Record<keyof Seen, Record<string, unknown>> = { activations: {}, attention: {} };
  for (const [name, { kind, path, part }] of named) {
    if (part === undefined) seen[kind][path] = metrics[name];
    else seen[kind][path] = { ...(seen[kind][path] as object), [part]: metrics[name] };
  }
  for (const [what, kind] of [
    ["result", "activations"],
    ["attention", "attention"],
  ] as const) {
    const empty = rules[what].find(({ paths }) => !paths.some((path) => path in seen[kind]));
    if (empty === undefined) continue;
    throw new XenarcError({
      what: `${empty.setting}: "${empty.pattern}" matches ${empty.paths.slice(0, 6).join(", ")}; ${what === "attention" ? "there is no attention in it" : "its call gives no floating-point tensor, or is not called"}.`,
      ...(what === "attention" && { expected: "modules that compute attention, such as blocks/attention" }),
    });
  }
  return [result, seen as unknown as Seen];
}

/** Summaries of gradients, by path of the parameter, for each layer of a stack. */
export function gradientSummaries(
  declared: Module,
  gradients: ReadonlyMap<string, Tensor>,
  { gradients: wanted }: ProbeConfig,
): Record<string, Summary> {
  const paths = [...gradients.keys()];
  const patterns = wanted === true ? ["**"] : wanted === false ? [] : wanted;
  const chosen = new Set(
    patterns.flatMap((p, i) => matching(p, paths, `log.gradients[${i}]`, "parameter that is trained")),
  );
  return Object.fromEntries(
    parameters(declared)
      .filter(([path]) => chosen.has(path))
      .map(([path, { stack }]: [string, Parameter]) => [path, summary(gradients.get(path)!, stack ? [stack] : [])]),
  );
}

/** The edges as a result of the program that has the histograms. */
export const edges = (): Tensor => constant({ edge: EDGES.length }, EDGES) as Tensor;

/** The paths of a model's modules. */
function modulesOf(node: unknown, path = ""): string[] {
  if (node === null || typeof node !== "object") return [];
  const own = node instanceof Module ? [path] : [];
  if (!(node instanceof Module) && !Array.isArray(node) && Object.getPrototypeOf(node) !== Object.prototype) return own;
  return [...own, ...Object.entries(node).flatMap(([key, child]) => modulesOf(child, joinPath(path, key)))];
}
