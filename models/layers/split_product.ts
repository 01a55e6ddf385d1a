/** Linear maps of a sequence that is split over the mesh, as the code of one device. */
import { currentLayout } from "../../compiler/trace.js";
import { customVjp } from "../../ops/control.js";
import { contract } from "../../ops/functions.js";
import { allGather, allReduce, axisIndex, axisSize, perDevice, reduceScatter } from "../../ops/per_device.js";
import { describe, sharded, type Tensor } from "../../ops/tensor.js";

/** Mesh axes that split an axis, the first outermost. */
type Over = readonly string[];

/** The sequence's name where it is split as the input's, by its own rule alone, and as a sum's that devices have parts of. */
const [GIVEN, OWN, LEFT] = ["given", "own", "left"] as const;

/** How one of the maps is computed. */
interface Part {
  /** Axes of the weight along which it is stored in more parts than it is multiplied in, and their names meanwhile. */
  readonly stored: readonly {
    readonly axis: string;
    readonly name: string;
    readonly over: Over;
    readonly more: Over;
  }[];
  /** What splits the axes that are summed over, those of the result, and the result's sequence beyond its own rule. */
  readonly summed: Over;
  readonly across: Over;
  readonly left: Over;
  /** How the sequence is split that it multiplies. */
  readonly reads: typeof GIVEN | typeof OWN;
}

const without = (over: Over, others: Over): Over => over.filter((m) => !others.includes(m));

/**
 * x times each of the weights, over the axes `from`; undefined where sequences are not split over what sequence parallelism or the weights'
 * storage use, too: that is the partitioner's. Under sequence parallelism (Korthikanti et al. 2022, arXiv:2205.05198) x is gathered once for
 * all of them, and sums that devices have parts of are scattered along the sequence; the derivative does the opposite. A weight is gathered from
 * where it is stored; of its gradient each device sums up its own tokens', and keeps its part. The partitioner may gather the whole
 * sequence for it instead.
 */
export function splitProducts(
  x: Tensor,
  weights: readonly Tensor[],
  from: readonly string[],
): readonly Tensor[] | undefined {
  const layout = currentLayout();
  if (layout === undefined || !x.has("seq") || weights.some((w) => w.has("seq"))) return undefined;
  const byRule = layout.withActivations({});
  const lying = (rules: typeof layout, kind: "activations" | "parameters", t: ReturnType<typeof sharded>) =>
    rules.spec(kind, t).map((over) => over ?? []);
  const named = (t: Tensor) => sharded(t, `The tensor ${describe(t)}`);
  const ofInput = lying(byRule, "activations", named(x));
  const own = ofInput[x.position("seq")]!;
  const given = lying(layout, "activations", named(x))[x.position("seq")]!;
  const further = without(given, own);
  if (own.length === 0) return undefined;

  const partOf = (w: Tensor, i: number): Part | undefined => {
    const used = lying(byRule, "activations", named(w));
    const at = lying(byRule, "parameters", named(w));
    if (!used.every((over, d) => over.every((m, k) => at[d]![k] === m))) return undefined;
    const to = w.names.filter((n) => !from.includes(n) && !x.has(n));
    const along = (names: readonly string[]) => names.flatMap((n) => used[w.position(n)]!);
    const [summed, across] = [along(from), along(to)];
    const kept = x.names.filter((n) => !from.includes(n));
    const result = {
      name: "The result",
      axes: [...kept, ...to],
      shape: [...kept.map((n) => x.size(n)), ...to.map((n) => w.size(n))],
    };
    const left = without(lying(layout, "activations", result)[kept.indexOf("seq")]!, given);
    if (!left.every((m) => summed.includes(m))) return undefined;
    const stored = w.names.flatMap((axis, d) => {
      const more = without(at[d]!, used[d]!);
      return more.length ? [{ axis, name: `${axis} of ${i}`, over: at[d]!, more }] : [];
    });
    return { stored, summed, across, left, reads: further.some((m) => across.includes(m)) ? OWN : GIVEN };
  };
  const found = weights.map(partOf);
  if (!found.every((p) => p !== undefined)) return undefined;
  const parts = found as Part[];
  const stored = parts.flatMap((p) => p.stored);
  const isSplit = further.length > 0 || parts.some((p) => p.left.length > 0);
  if (!isSplit && !stored.some(({ more }) => more.some((m) => own.includes(m)))) return undefined;

  const lefts = parts.find((p) => p.left.length > 0)?.left ?? [];
  const axes = {
    [GIVEN]: given,
    [OWN]: own,
    [LEFT]: [...given, ...lefts],
    ...Object.fromEntries(stored.map(({ name, over }) => [name, over])),
  };
  const ofResult = (p: Part) => (p.left.length > 0 ? LEFT : p.reads);
  const gathered = (x: Tensor): Tensor =>
    perDevice({ x }, ({ x }) => allGather(x, GIVEN, further).rename(GIVEN, OWN) as Tensor, { axes });
  /** x as the maps read it. */
  const views = (x: Tensor): Partial<Record<Part["reads"], Tensor>> => {
    const split = x.rename("seq", GIVEN) as Tensor;
    return {
      ...(parts.some((p) => p.reads === GIVEN) && { [GIVEN]: split }),
      ...(parts.some((p) => p.reads === OWN) && { [OWN]: gathered(split) }),
    };
  };
  const asStored = (w: Tensor, i: number): Tensor =>
    parts[i]!.stored.reduce((w, { axis, name }) => w.rename(axis, name) as Tensor, w);
  const whole = (w: Tensor, { stored }: Part): Tensor =>
    stored.reduce((w, { axis, name, more }) => allGather(w, name, more).rename(name, axis) as Tensor, w);
  /** A weight's gradient from the tokens of a device, as it is stored. */
  const met = (g: Tensor, { stored, reads }: Part, tokens: readonly string[]): Tensor => {
    const apart = tokens.flatMap((n) => (n === reads ? axes[reads] : ofInput[x.position(n)]!));
    const ofDevice = (g: Tensor, name: string, m: string): Tensor =>
      apart.includes(m)
        ? reduceScatter(g, name, m)
        : g.dynamicSlice(name, axisIndex(m).mul(g.size(name) / axisSize(m)), g.size(name) / axisSize(m));
    const inParts = stored.reduce(
      (g, { axis, name, more }) => more.reduce((g, m) => ofDevice(g, name, m), g.rename(axis, name) as Tensor),
      g,
    );
    const others = without(
      apart,
      stored.flatMap(({ more }) => more),
    );
    return allReduce(inParts, others);
  };
  const forward = (x: Tensor, ws: readonly Tensor[]): Tensor[] =>
    perDevice(
      { ...views(x), ws: ws.map(asStored) },
      ({ ws, ...read }) =>
        ws.map((w, i) => {
          const p = parts[i]!;
          const y = contract(read[p.reads]!, whole(w, p), from) as Tensor;
          const scattered = p.left.length ? reduceScatter(y.rename(GIVEN, LEFT) as Tensor, LEFT, p.left) : y;
          return allReduce(scattered, without(p.summed, p.left));
        }),
      { axes },
    ).map((y, i) => y.rename(ofResult(parts[i]!), "seq") as Tensor);
  const backward = (x: Tensor, ws: readonly Tensor[], cts: readonly Tensor[]) => {
    const named = cts.map((ct, i) => ct.rename("seq", ofResult(parts[i]!)) as Tensor);
    const { dx, dws } = perDevice(
      { ...views(x), ws: ws.map(asStored), cts: named },
      ({ ws, cts, ...read }) => {
        const dws: Tensor[] = [];
        /** Cotangents of x by what devices have parts of: those of one kind meet once. */
        const sums = new Map<string, { readonly p: Part; readonly sum: Tensor }>();
        ws.forEach((w, i) => {
          const p = parts[i]!;
          const ct = p.left.length ? (allGather(cts[i]!, LEFT, p.left).rename(LEFT, GIVEN) as Tensor) : cts[i]!;
          const x = read[p.reads]!;
          const tokens = x.names.filter((n) => ct.has(n) && !weights[i]!.has(n));
          dws.push(met(contract(x, ct, tokens) as Tensor, p, tokens));
          const to = ct.names.filter((n) => !x.has(n));
          const dx = contract(ct, whole(w, p), to) as Tensor;
          const key = `${p.reads} ${p.across}`;
          const before = sums.get(key)?.sum;
          sums.set(key, { p, sum: before ? (before.add(dx) as Tensor) : dx });
        });
        const all = [...sums.values()].map(({ p, sum }) => {
          const part = p.reads === OWN ? reduceScatter(sum.rename(OWN, GIVEN) as Tensor, GIVEN, further) : sum;
          return allReduce(part, without(p.across, further));
        });
        return { dx: all.reduce((a, b) => a.add(b) as Tensor), dws };
      },
      { axes },
    );
    const back = dws.map((dw, i) => parts[i]!.stored.reduce((w, { axis, name }) => w.rename(name, axis) as Tensor, dw));
    return [dx.rename(GIVEN, "seq") as Tensor, ...back] as const;
  };
  const multiply = customVjp(
    (x: Tensor, ...ws: readonly Tensor[]) => [forward(x, ws), { x, ws }] as const,
    ({ x, ws }, cts) => backward(x, ws, cts),
  );
  return multiply(x, ...weights.map((w) => w.cast(x.dtype) as Tensor));
}
