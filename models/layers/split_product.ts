/** Linear maps of a sequence that is split over the mesh, as the code of one device. */
import { currentLayout } from "../../compiler/trace.js";
import { customVjp, optimizationBarrier } from "../../ops/control.js";
import { contract } from "../../ops/functions.js";
import { allGather, allReduce, ownPart, perDevice, reduceScatter } from "../../ops/per_device.js";
import type { Tensor } from "../../ops/tensor.js";
import { asGiven, asStored, lies, type Over, type Stored, storedFurther, storedOver } from "./stored.js";

/** The sequence's name where it is split as the input's, by its own rule alone, and as a sum's that devices have parts of. */
const [GIVEN, OWN, LEFT] = ["given", "own", "left"] as const;

/** How one of the maps is computed. */
interface Part {
  /** Axes of the weight along which it is stored in more parts than it is multiplied in. */
  readonly stored: readonly Stored[];
  /** What splits the axes that are summed over, those of the result, and the result's sequence beyond its own rule. */
  readonly summed: Over;
  readonly across: Over;
  readonly left: Over;
  /** How the sequence is split that it multiplies. */
  readonly reads: typeof GIVEN | typeof OWN;
  /** Axes that its weight's gradient is summed over, and what splits them. */
  readonly tokens: readonly string[];
  readonly apart: Over;
}

/** How maps of one input are computed. */
interface Products {
  readonly parts: readonly Part[];
  /** The axes that they sum over. */
  readonly from: readonly string[];
  /** What splits the input's sequence beyond its own rule. */
  readonly further: Over;
  /** Mesh axes by the names that axes have meanwhile. */
  readonly axes: Readonly<Record<string, Over>>;
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
  const products = productsOf(x, weights, from);
  if (products === undefined) return undefined;
  const multiply = customVjp(
    (x: Tensor, ...ws: readonly Tensor[]) => [forward(products, x, ws), { x, ws }] as const,
    ({ x, ws }, cts) => backward(products, x, ws, cts),
  );
  return multiply(x, ...weights.map((w) => w.cast(x.dtype) as Tensor));
}

/** How x and the weights lie on the mesh, and what follows from it. */
function productsOf(x: Tensor, weights: readonly Tensor[], from: readonly string[]): Products | undefined {
  const layout = currentLayout();
  if (layout === undefined || !x.has("seq") || weights.some((w) => w.has("seq"))) return undefined;
  const byRule = layout.withActivations({});
  const ofInput = lies(byRule, "activations", x);
  const own = ofInput[x.position("seq")]!;
  const given = lies(layout, "activations", x)[x.position("seq")]!;
  const further = without(given, own);
  if (own.length === 0) return undefined;

  const partOf = (w: Tensor, i: number): Part | undefined => {
    const stored = storedFurther(byRule, w, i);
    if (stored === undefined) return undefined;
    const used = lies(byRule, "activations", w);
    const to = w.names.filter((n) => !from.includes(n) && !x.has(n));
    const along = (names: readonly string[]) => names.flatMap((n) => used[w.position(n)]!);
    const [summed, across] = [along(from), along(to)];
    const kept = x.names.filter((n) => !from.includes(n));
    const result = {
      name: "The result",
      axes: [...kept, ...to],
      shape: [...kept.map((n) => x.size(n)), ...to.map((n) => w.size(n))],
    };
    const left = without(layout.spec("activations", result)[kept.indexOf("seq")] ?? [], given);
    if (!left.every((m) => summed.includes(m))) return undefined;
    const reads = further.some((m) => across.includes(m)) ? OWN : GIVEN;
    const alone = kept.filter((n) => !w.has(n));
    const tokens = alone.map((n) => (n === "seq" ? reads : n));
    const ofSequence = reads === OWN ? own : given;
    const apart = alone.flatMap((n) => (n === "seq" ? ofSequence : ofInput[x.position(n)]!));
    return { stored, summed, across, left, reads, tokens, apart };
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
    ...storedOver(stored),
  };
  return { parts, from, further, axes };
}

/** The name of a result's sequence meanwhile. */
const ofResult = (p: Part) => (p.left.length > 0 ? LEFT : p.reads);

/** x as the maps read it. */
function views({ parts, further, axes }: Products, x: Tensor): Partial<Record<Part["reads"], Tensor>> {
  const split = x.rename("seq", GIVEN) as Tensor;
  const gathered = () =>
    perDevice({ split }, ({ split }) => allGather(split, GIVEN, further).rename(GIVEN, OWN) as Tensor, { axes });
  return {
    ...(parts.some((p) => p.reads === GIVEN) && { [GIVEN]: split }),
    ...(parts.some((p) => p.reads === OWN) && { [OWN]: gathered() }),
  };
}

/** A device's part of a weight as it is multiplied. */
const whole = (w: Tensor, { stored }: Part): Tensor =>
  stored.reduce((w, { axis, name, more }) => allGather(w, name, more).rename(name, axis) as Tensor, w);

/** A weight's gradient as it is stored, from what a device's tokens give to it. */
function met(g: Tensor, { stored, apart }: Part): Tensor {
  const ofDevice = (g: Tensor, name: string, m: string): Tensor =>
    apart.includes(m) ? reduceScatter(g, name, m) : ownPart(g, name, m);
  const inParts = stored.reduce(
    (g, { axis, name, more }) => more.reduce((g, m) => ofDevice(g, name, m), g.rename(axis, name) as Tensor),
    g,
  );
  const others = without(
    apart,
    stored.flatMap(({ more }) => more),
  );
  return allReduce(inParts, others);
}

function forward(products: Products, x: Tensor, ws: readonly Tensor[]): Tensor[] {
  const { parts, from, axes } = products;
  const results = perDevice(
    { ...views(products, x), ws: ws.map((w, i) => asStored(w, parts[i]!.stored)) },
    ({ ws, ...read }) =>
      ws.map((w, i) => {
        const p = parts[i]!;
        const y = contract(read[p.reads]!, whole(w, p), from) as Tensor;
        const scattered = p.left.length ? reduceScatter(y.rename(GIVEN, LEFT) as Tensor, LEFT, p.left) : y;
        return allReduce(scattered, without(p.summed, p.left));
      }),
    { axes },
  );
  return results.map((y, i) => y.rename(ofResult(parts[i]!), "seq") as Tensor);
}

function backward(
  products: Products,
  x: Tensor,
  ws: readonly Tensor[],
  cts: readonly Tensor[],
): readonly [Tensor, ...Tensor[]] {
  const { parts, further, axes } = products;
  const named = cts.map((ct, i) => ct.rename("seq", ofResult(parts[i]!)) as Tensor);
  const { dx, dws } = perDevice(
    { ...views(products, x), ws: ws.map((w, i) => asStored(w, parts[i]!.stored)), cts: named },
    ({ ws, cts, ...read }) => {
      const dws: Tensor[] = [];
      /** Cotangents of x by what devices have parts of: those of one kind meet once. */
      const sums = new Map<string, { readonly p: Part; readonly sum: Tensor }>();
      ws.forEach((w, i) => {
        const p = parts[i]!;
        const ct = p.left.length ? (allGather(cts[i]!, LEFT, p.left).rename(LEFT, GIVEN) as Tensor) : cts[i]!;
        const x = read[p.reads]!;
        const to = ct.names.filter((n) => !x.has(n));
        const both = { dw: contract(x, ct, p.tokens) as Tensor, dx: contract(ct, whole(w, p), to) as Tensor };
        // What was gathered is large: it is let go before the backward pass goes on.
        const { dw, dx } = p.left.length ? optimizationBarrier(both) : both;
        dws.push(met(dw, p));
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
  return [dx.rename(GIVEN, "seq") as Tensor, ...dws.map((dw, i) => asGiven(dw, parts[i]!.stored))];
}
