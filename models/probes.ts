/** Looking into a model while it runs: what its modules give, its gradients and what attention attends to, in numbers of fixed size. */
import { XenarcError } from "../compiler/errors.js";
import { isFloat } from "../compiler/ir.js";
import { matching } from "../compiler/patterns.js";
import { currentLayout, escape } from "../compiler/trace.js";
import { joinPath } from "../compiler/tree.js";
import { scan } from "../ops/control.js";
import { concatenate, constant } from "../ops/functions.js";
import { Module, type Parameter, parameters } from "../ops/module.js";
import { type Observer, observing, type Queries } from "../ops/observe.js";
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

/** Numbers that say how large a tensor's elements are. */
export type Moments = Readonly<Record<"mean" | "rms" | "zeros", AnyTensor>>;

/** Numbers that say how a tensor's elements lie. */
export type Summary = Moments & { readonly histogram: AnyTensor };

/** The mean of a tensor's elements, the root of their mean square, the share that is 0 (f32), for each element along the axes of `keep`. */
export function moments(x: Tensor, keep: readonly string[] = []): Moments {
  const wide = x.cast("f32") as Tensor;
  const all = wide.names.filter((n) => !keep.includes(n));
  return {
    mean: wide.mean(all) as unknown as Tensor,
    rms: wide.square().mean(all).sqrt() as unknown as Tensor,
    zeros: wide.eq(0).cast("f32").mean(all) as unknown as Tensor,
  };
}

/**
 * How a tensor's elements lie: {@link moments}, and how many are in each bin (i32; the outermost have what lies beyond, NaN is in none).
 * `keep`: axes along which there is a summary for each element.
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
      ...moments(x, keep),
    };
  });
}

/** What was seen, by kind and path of the module or parameter. */
export interface Seen<Numbers extends object> {
  readonly activations: Readonly<Record<string, Numbers>>;
  /** Probabilities (f32): an axis `head`, `query` and `token`, and one of layers in front where the module is in a stack. */
  readonly attention: Readonly<Record<string, AnyTensor>>;
}

/** Modules to look into, and where in the configuration they are named. */
interface Wanted {
  readonly setting: string;
  readonly pattern: string;
}

/** Where to look, and at what. */
export interface Look<Numbers extends object> {
  readonly activations: readonly Wanted[];
  readonly attention: readonly Wanted[];
  /** What is kept of a module's result: by name, one or several for each layer. */
  readonly numbers: (result: Tensor) => Numbers;
  readonly queries: Queries;
}

/** Where patterns stand that a setting lists. */
export const wanted = (setting: string, patterns: readonly string[]): Wanted[] =>
  patterns.map((pattern, i) => ({ setting: `${setting}[${i}]`, pattern }));

/**
 * Runs what calls the modules of a model, and tells what was asked for. Of modules in a stack there are numbers for each layer.
 * @throws XenarcError for a pattern that matches no module, or only modules that are not called or have no attention.
 */
export function look<R, N extends object>(model: Module, asked: Look<N>, f: () => R): [R, Seen<N>] {
  if (asked.activations.length + asked.attention.length > 0 && currentLayout()?.stages("layers") !== undefined) {
    throw new XenarcError({
      what: `${[...asked.activations, ...asked.attention][0]!.setting}: layers that run as a pipeline cannot be looked into.`,
      fix: "Leave it out, or compile for a mesh without the axis `stage`.",
    });
  }
  const modules = [...new Set(modulesOf(model))].filter((path) => path !== "");
  const rules = (["activations", "attention"] as const).flatMap((kind) =>
    asked[kind].map(({ setting, pattern }) => {
      const paths = matching(pattern, modules, setting, "module", "itself");
      return { kind, setting, pattern, paths, found: false };
    }),
  );
  const named = new Map<string, { kind: keyof Seen<N>; path: string; part?: string }>();
  const tell = (name: string, as: { kind: keyof Seen<N>; path: string; part?: string }, { names, value }: Tensor) => {
    named.set(name, as);
    escape({ kind: "metric", message: name, value, names });
  };
  const told = new Set<string>();
  const observer: Observer = (what, path, value) => {
    const kind = what === "result" ? "activations" : "attention";
    const asking = rules.filter((rule) => rule.kind === kind && rule.paths.includes(path));
    if (asking.length === 0) return;
    const x = value(asked.queries);
    if (!isFloat(x.value.type)) return;
    for (const rule of asking) rule.found = true;
    const name = joinPath(kind, path);
    // The picture of attention computes queries and keys anew: they were seen.
    if (told.has(name)) return;
    told.add(name);
    if (kind === "attention") return tell(name, { kind, path }, x);
    for (const [part, number] of Object.entries(asked.numbers(x)) as [string, Tensor][])
      tell(joinPath(name, part), { kind, path, part }, number);
  };
  const [result, { metrics }] = collect(() => observing(observer, f));
  const seen: Record<keyof Seen<N>, Record<string, unknown>> = { activations: {}, attention: {} };
  for (const [name, { kind, path, part }] of named) {
    if (part === undefined) seen[kind][path] = metrics[name];
    else seen[kind][path] = { ...(seen[kind][path] as object), [part]: metrics[name] };
  }
  const found = new Set(rules.filter((rule) => rule.found).map(({ setting }) => setting));
  const empty = rules.find(({ setting }) => !found.has(setting));
  if (empty === undefined) return [result, seen as unknown as Seen<N>];
  throw new XenarcError({
    what: `${empty.setting}: "${empty.pattern}" matches ${empty.paths.slice(0, 6).join(", ")}; ${empty.kind === "attention" ? "there is no attention in it" : "its call gives no floating-point tensor, or is not called"}.`,
    ...(empty.kind === "attention" && { expected: "modules that compute attention, such as blocks/attention" }),
  });
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
