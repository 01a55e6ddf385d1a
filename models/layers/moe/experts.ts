import { allowsKernel } from "../../../compiler/kernels.js";
import type { Spec } from "../../../compiler/mesh.js";
import { currentLayout } from "../../../compiler/trace.js";
import { mapLeaves } from "../../../compiler/tree.js";
import { composite } from "../../../ops/composite.js";
import { customVjp, named, remat, scan } from "../../../ops/control.js";
import { gelu, groupedDot, iota, oneHot, silu, where } from "../../../ops/functions.js";
import { hlo } from "../../../ops/hlo/index.js";
import { allGather, allReduce, axisIndex, axisSize, perDevice, reduceScatter } from "../../../ops/per_device.js";
import { describe, Tensor } from "../../../ops/tensor.js";
import type { Linear } from "../linear.js";
import { combine, dispatch, dropless } from "./dispatch.js";
import type { Routing } from "./router.js";

/** The maps of experts: gated ones (SwiGLU), or, without a gate, two layers with a GELU between. */
export interface Experts {
  readonly gate: Linear<"embed", "mlp", "expert"> | undefined;
  readonly up: Linear<"embed", "mlp", "expert">;
  readonly down: Linear<"mlp", "embed", "expert">;
}

/** An expert's weight, and the adapter beside it: trees of tensors. */
interface Weights {
  readonly weight: Tensor;
  readonly lora?: { readonly a: Tensor; readonly b: Tensor } | undefined;
}

/** The first half of a gated layer. */
export const gated = <A extends string>(gate: Tensor<A>, up: Tensor<A>): Tensor<A> =>
  silu(named(gate, "mlp_gate")).mul(named(up, "mlp_up") as Tensor) as Tensor<A>;

/** The first half of one without a gate. */
export const ungated = <A extends string>(up: Tensor<A>): Tensor<A> => gelu(named(up, "mlp_up"));

/**
 * Tokens `[..., embed]`, whose axes are `tokens` and those that the weights have besides, through the experts that they take, weighed and
 * added up; the routing has the tokens' axes. Nothing is dropped, so it does not matter which tokens are worked on together: on a mesh
 * each device sorts those that it has, of all devices that its experts are split over, and has their sum. With a `chunk` a device brings
 * at most that many of its own tokens at a time, and what is between tokens and results is computed again in the backward pass.
 */
export function throughExperts(
  x: Tensor,
  { expert, weight, taken }: Record<"expert" | "weight", Tensor> & { readonly taken: Tensor | undefined },
  { gate, up, down }: Experts,
  tokens: readonly string[],
  chunk?: number,
): Tensor {
  const layout = currentLayout();
  const lying = (kind: "activations" | "parameters", t: Tensor): Spec =>
    layout?.spec(kind, { name: `The tensor ${describe(t)}`, axes: t.names, shape: t.value.type.shape }) ?? [];
  const ofTokens = new Map(x.names.map((n, d) => [n as string, lying("activations", x)[d] ?? []]));
  const over = (n: "embed" | "expert" | "mlp", kind: "activations" | "parameters") =>
    lying(kind, up.weight as Tensor)[(up.weight as Tensor).position(n)] ?? [];
  const [ofExperts, ofWidth, ofParameters] = [
    over("expert", "activations"),
    over("mlp", "activations"),
    over("embed", "parameters"),
  ];
  // Weights lie as parameters do until they are multiplied, so that their gradients meet there too.
  const renamed = (w: Tensor, from: string, to: string) => (w.has(from) ? (w.rename(from, to) as Tensor) : w);
  const stored = ({ weight, lora }: Experts["up"] | Experts["down"]): Weights =>
    mapLeaves({ weight, ...(lora && { lora: { a: lora.a, b: lora.b } }) } as unknown as Weights, (w) =>
      renamed((w as Tensor).cast(x.dtype) as Tensor, "embed", "weightEmbed"),
    );
  const weights = { ...(gate && { gate: stored(gate) }), up: stored(up), down: stored(down) };
  const scale = (gate?.lora ?? up.lora ?? down.lora)?.scale ?? 1;
  const axes = { ...Object.fromEntries(tokens.map((n) => [n, ofTokens.get(n)!])), weightEmbed: ofParameters, rank: [] };
  const inputs = { x, expert, weight, ...(taken && { taken }), ...weights };
  /** The mesh axes whose devices have parts of the tokens' sum, and whether tokens are split over them too. */
  const parts = [...ofExperts, ...ofWidth].map((m) => [m, tokens.some((n) => ofTokens.get(n)!.includes(m))] as const);

  const ofDevice = (given: typeof inputs): Tensor => {
    // Of an axis that the weights have besides, as those of layers in stages do, a device mostly has one place.
    const { weight } = given.up;
    const lone = weight.names.filter((n) => given.x.has(n) && weight.size(n) === 1);
    const local = mapLeaves(given, (t) => lone.reduce((t, n) => t.at(n, 0) as Tensor, t as Tensor));
    return ofPlaces(local).broadcast(Object.fromEntries(lone.map((n) => [n, 1]))) as Tensor;
  };
  const ofPlaces = ({ gate, up, down, ...own }: typeof inputs): Tensor => {
    const whole = (w: Weights): Weights =>
      mapLeaves(w, (leaf) => {
        const t = leaf as Tensor;
        return t.has("weightEmbed") ? renamed(allGather(t, "weightEmbed", ofParameters), "weightEmbed", "embed") : t;
      });
    const gathered = { gate: gate && whole(gate), up: whole(up), down: whole(down) };
    const sizes = Object.fromEntries(tokens.map((n) => [n, own.x.size(n)]));
    const local = mapLeaves(own, (t) => (t as Tensor).merge(tokens, "token") as never);
    const through = (x: typeof local) => ofTokenRows(x, gathered);
    const chunks = chunk === undefined ? 1 : equalParts(local.x.size("token"), chunk);
    if (chunks === 1) return through(local).split("token", sizes) as Tensor;
    const cut = mapLeaves(local, (t) => (t as Tensor).split("token", { chunk: chunks, token: -1 }) as never);
    const [, out] = scan("chunk", {}, cut, (_, x) => [{}, remat(through)(x)] as const);
    return (out as Tensor).merge(["chunk", "token"], "token").split("token", sizes) as Tensor;
  };
  const ofTokenRows = (
    own: Omit<typeof inputs, keyof typeof weights>,
    { gate, up, down }: Record<"up" | "down", Weights> & { readonly gate: Weights | undefined },
  ): Tensor => {
    const all = (t: Tensor) => parts.reduce((t, [m, split]) => (split ? allGather(t, "token", m) : t), t);
    const [here, chosen, weighed] = [own.x, own.expert, own.weight].map(all) as [Tensor, Tensor, Tensor];
    const count = up.weight.size("expert");
    const index = ofExperts.length ? (chosen.sub(axisIndex(ofExperts).mul(count)) as Tensor) : chosen;
    const mine = ofExperts.length ? index.ge(0).and(index.lt(count)) : undefined;
    const given = own.taken && all(own.taken);
    const taken = (mine && given ? mine.and(given) : (mine ?? given)) as Tensor | undefined;
    const choices = oneHot(index, { expert: count }, "i32") as Tensor;
    const load = (taken ? choices.mul(taken.cast("i32")) : choices).sum(["token", "choice"]) as Tensor;
    const plan = dropless({ expert: index, weight: weighed, taken, load } as Routing);
    const rows = dispatch(here, plan) as Tensor;
    // Rows of experts elsewhere come last, and are of no group: what stands in them is never looked at.
    const known = () => taken && isOfGroup(rows.size("row"), load.sum("expert") as Tensor);
    const through = (x: Tensor, { weight, lora }: Weights, along: "embed" | "mlp"): Tensor => {
      const own = product(x, weight, load, along);
      return lora ? own.add(adapter(x, lora, load, along, known()).mul(scale) as Tensor) : own;
    };
    const inner = gate
      ? gated(through(rows, gate, "embed"), through(rows, up, "embed"))
      : ungated(through(rows, up, "embed"));
    const mixed = combine(through(inner, down, "mlp"), weighed, plan) as Tensor;
    return [...parts].reverse().reduce((t, [m, split]) => (split ? reduceScatter(t, "token", m) : sumOf(t, m)), mixed);
  };
  return perDevice(inputs, ofDevice, { axes }).ordered(x.names) as Tensor;
}

/** Whether each of so many rows is of a group, by the number of those that are. */
const isOfGroup = (rows: number, total: Tensor): Tensor =>
  (iota({ row: rows }) as Tensor).broadcast(total.sizes as Record<string, number>).lt(total) as Tensor;

/**
 * Rows through the adapters of their experts, unscaled. Where some rows are of no group, only those that are `known` count: in others a
 * kernel may have left anything, which no product may see, nor a gradient.
 */
function adapter(
  x: Tensor,
  { a, b }: NonNullable<Weights["lora"]>,
  sizes: Tensor,
  along: "embed" | "mlp",
  known: Tensor | undefined,
): Tensor {
  const only = (y: Tensor) => (known ? where(known, y, 0) : y);
  const narrow = groupedDot(only(x), a, sizes, "row", along) as Tensor;
  return only(groupedDot(narrow, b, sizes, "row", "rank") as Tensor);
}

/** The least number of equal parts of `size` that are no larger than `most`. */
function equalParts(size: number, most: number): number {
  let parts = Math.ceil(size / most);
  while (size % parts !== 0) parts++;
  return parts;
}

/** The sum of the devices' parts, as a result of theirs: that all are given an equal share of its cotangent spares them to sum that, too. */
const sumOf = (x: Tensor, over: string): Tensor =>
  customVjp(
    (x: Tensor) => [allReduce(x, over), {}] as const,
    (_, ct) => [ct.mul(axisSize(over))],
  )(x);

/**
 * `groupedDot` along `along` of rows in groups of `sizes`, as operations that a platform's kernels may take the place of, where the operands
 * are matrices. Rows of no group are zero, or with a kernel anything.
 */
function product(x: Tensor, w: Tensor, sizes: Tensor, along: "embed" | "mlp"): Tensor {
  const across = along === "embed" ? "mlp" : "embed";
  if (!allowsKernel("grouped_matmul") || x.names.length !== 2 || w.names.length !== 3 || sizes.names.length !== 1)
    return groupedDot(x, w, sizes, "row", along) as Tensor;
  const multiply = (x: Tensor, w: Tensor, along: string, to: string, transposed: boolean) =>
    composite("xenarc.grouped_matmul", { transposed }, (x: Tensor, w: Tensor, sizes: Tensor) =>
      (groupedDot(x, w, sizes, "row", along) as Tensor).ordered(["row", to]),
    )(x.ordered(["row", along]), w, sizes);
  const ofWeights = composite("xenarc.grouped_matmul_weights", {}, (x: Tensor, ct: Tensor, sizes: Tensor) => {
    const rows = { lhsContracting: [0], rhsContracting: [0], lhsRagged: [0] };
    const attrs = { lhsBatch: [], rhsBatch: [], rhsGroup: [], ...rows };
    const names = ["expert", along, across];
    return new Tensor<any>(names, hlo().raggedDot(x.value, ct.value, sizes.value, attrs, undefined, names));
  });
  const multiplied = customVjp(
    (x: Tensor, w: Tensor) => [multiply(x, w, along, across, false), { x, w }] as const,
    ({ x, w }, ct) => [
      multiply(ct, w, across, along, true),
      ofWeights(x.ordered(["row", along]), ct.ordered(["row", across]), sizes),
    ],
  );
  return multiplied(x, w.ordered(["expert", along, across]));
}
