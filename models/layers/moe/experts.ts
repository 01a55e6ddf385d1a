import { allowsKernel } from "../../../compiler/kernels.js";
import type { Spec } from "../../../compiler/mesh.js";
import { currentLayout } from "../../../compiler/trace.js";
import { mapLeaves } from "../../../compiler/tree.js";
import { composite } from "../../../ops/composite.js";
import { customVjp, named, remat, scan } from "../../../ops/control.js";
import { dot, gelu, groupedDot, iota, oneHot, silu, where } from "../../../ops/functions.js";
import { hlo } from "../../../ops/hlo/index.js";
import {
  allGather,
  allReduce,
  allToAll,
  axisIndex,
  axisSize,
  ownPart,
  perDevice,
  reduceScatter,
} from "../../../ops/per_device.js";
import { describe, sharded, Tensor, tensorError } from "../../../ops/tensor.js";
import type { Linear } from "../linear.js";
import { areFew, rowsOver } from "../stationary.js";
import { combine, dispatch, dropless, limited, type Priority } from "./dispatch.js";
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

/** How tokens are brought to experts. */
export interface Dispatching {
  /** The axes of tokens, the outermost first. */
  readonly tokens: readonly string[];
  /** How many of its own tokens a device brings to the experts at a time. Default: all. */
  readonly chunk?: number | undefined;
  /** What an expert takes at the most of each `chunk` of tokens that are neighbours along some axes. Default: all that choose it. */
  readonly room?: { readonly rows: number; readonly priority: Priority; readonly along: readonly string[] } | undefined;
}

/**
 * Tokens `[..., embed]`, whose axes are `tokens` and those that the weights have besides, through the experts that they take, weighed and
 * added up; the routing has the tokens' axes. On a mesh each device sorts the tokens that it has. Where nothing is dropped it does not matter
 * which are worked on together: a device sorts those of all devices that its experts are split over, and has their sum. With `room` each
 * device fills the experts' rows from each chunk of its own, and the rows go to their experts and back. With a `chunk`, what is between
 * tokens and results is computed again in the backward pass. Where tokens are few, weights stay where they are stored (`stationaryProducts`).
 */
export function throughExperts(
  x: Tensor,
  { expert, weight, taken }: Record<"expert" | "weight", Tensor> & { readonly taken: Tensor | undefined },
  { gate, up, down }: Experts,
  { tokens, chunk, room }: Dispatching,
): Tensor {
  const layout = currentLayout();
  const lying = (kind: "activations" | "parameters", t: Tensor): Spec =>
    layout?.spec(kind, sharded(t, `The tensor ${describe(t)}`)) ?? [];
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
  const splits = (m: string) => tokens.some((n) => ofTokens.get(n)!.includes(m));
  /** Where rows go to experts of other devices: every device has tokens of its own. */
  const exchanged = room !== undefined && ofExperts.every(splits) ? ofExperts : [];
  const lyingTokens = tokens.flatMap((n) => ofTokens.get(n)!);
  const rowsAlong = (over: readonly string[]) => rowsOver([["token", lyingTokens]], over);
  const size = (n: "embed" | "expert" | "mlp", over: readonly string[] = []) =>
    (up.weight as Tensor).size(n) / axisSize(over);
  const chosen = tokens.reduce((n, axis) => n * x.size(axis), expert.size("choice")) / axisSize(lyingTokens);
  const inner = size("mlp", ofWidth) * (gate ? 2 : 1);
  const numbers = size("expert", ofExperts) * size("embed") * (inner + size("mlp", ofWidth));
  const few = areFew(chosen * rowsAlong(ofParameters).times, size("embed") + inner, numbers);
  /** What weights are gathered over, and along what they stay in parts, which all tokens there go through. */
  const [gatheredOver, apart] = few ? [[], ofParameters] : [ofParameters, []];
  const rows = rowsAlong(apart);
  /** The mesh axes whose devices have parts of the tokens' sum, and whether tokens are split over them too. */
  const parts = [...ofExperts.filter((m) => !exchanged.includes(m)), ...ofWidth].map((m) => [m, splits(m)] as const);

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
        return t.has("weightEmbed") ? renamed(allGather(t, "weightEmbed", gatheredOver), "weightEmbed", "embed") : t;
      });
    const gathered = { gate: gate && whole(gate), up: whole(up), down: whole(down) };
    const sizes = Object.fromEntries(tokens.map((n) => [n, own.x.size(n)]));
    const local = mapLeaves(own, (t) => (t as Tensor).merge(tokens, "token") as never);
    const through = (x: typeof local) => ofTokenRows(x, gathered);
    const count = local.x.size("token");
    const neighbours = room?.along.reduce((n, axis) => n * own.x.size(axis), 1) ?? 0;
    if (room && neighbours % chunk! !== 0) {
      throw tensorError(
        `Moe: a device has ${neighbours} tokens of a sequence, in chunks of ${chunk} that each have a capacity.`,
        [x],
        {
          expected: "a chunk that divides them",
          fix: "Change the chunk, the length of sequences, or the mesh.",
        },
      );
    }
    const chunks = chunk === undefined ? 1 : equalParts(count, chunk);
    if (chunks === 1) return through(local).split("token", sizes) as Tensor;
    const cut = mapLeaves(local, (t) => (t as Tensor).split("token", { chunk: chunks, token: -1 }) as never);
    const [, out] = scan("chunk", {}, cut, (_, x) => [{}, remat(through)(x)] as const);
    return (out as Tensor).merge(["chunk", "token"], "token").split("token", sizes) as Tensor;
  };
  const ofTokenRows = (
    own: Omit<typeof inputs, keyof typeof weights>,
    { gate, up, down }: Record<"up" | "down", Weights> & { readonly gate: Weights | undefined },
  ): Tensor => {
    const all = (t: Tensor) => rows.all(parts.reduce((t, [m, split]) => (split ? allGather(t, "token", m) : t), t));
    const [here, chosen, weighed] = [own.x, own.expert, own.weight].map(all) as [Tensor, Tensor, Tensor];
    const elsewhere = exchanged.length ? [] : ofExperts;
    const count = up.weight.size("expert") * (elsewhere.length ? 1 : axisSize(ofExperts));
    const index = elsewhere.length ? (chosen.sub(axisIndex(elsewhere).mul(count)) as Tensor) : chosen;
    const mine = elsewhere.length ? index.ge(0).and(index.lt(count)) : undefined;
    const given = own.taken && all(own.taken);
    const taken = (mine && given ? mine.and(given) : (mine ?? given)) as Tensor | undefined;
    const apply = { gate, up, down, scale, apart };
    const share = elsewhere.length ? 1 / axisSize(elsewhere) : 1;
    const routed = { here, index, weighed, taken, count, share };
    const mixed = room
      ? inRows(routed, apply, { ...room, tokens: own.x.size("token"), over: exchanged })
      : inGroups(routed, apply);
    return [...parts]
      .reverse()
      .reduce((t, [m, split]) => (split ? reduceScatter(t, "token", m) : sumOf(t, m)), rows.own(mixed));
  };
  return perDevice(inputs, ofDevice, { axes }).ordered(x.names) as Tensor;
}

/** Tokens of a device, and what they choose among so many experts; a choice of none of these is not `taken`. */
interface Routed {
  readonly here: Tensor;
  readonly index: Tensor;
  readonly weighed: Tensor;
  readonly taken: Tensor | undefined;
  readonly count: number;
  /** What part of all choices that is where experts are chosen equally often. */
  readonly share: number;
}

/** A token chooses an expert once: where a device has fewer experts than a token has choices, its choices are which of them it takes. */
function byExpert(routed: Routed): Routed {
  const { index, weighed, taken, count } = routed;
  if (count >= index.size("choice")) return routed;
  const each = iota({ expert: count }) as Tensor;
  const here = index.broadcast({ expert: count }).eq(each) as Tensor;
  const chosen = taken ? (here.and(taken) as Tensor) : here;
  const taking = chosen.any("choice").rename("expert", "choice") as Tensor;
  return {
    ...routed,
    index: each.rename("expert", "choice").broadcast({ token: index.size("token") }) as Tensor,
    weighed: chosen.cast(weighed.dtype).mul(weighed).sum("choice").rename("expert", "choice") as Tensor,
    taken: taking,
  };
}

/**
 * Experts' weights, whole but for the width that a device has of them, and the factor of their adapters; or with a part of `embed`, which lies
 * over the mesh axes `apart`.
 */
type Whole = Record<"up" | "down", Weights> & {
  readonly gate: Weights | undefined;
  readonly scale: number;
  readonly apart: readonly string[];
};

/** Rows of whole `embed` through a map that may have a part of it, on the way in or out. */
const inParts = (x: Tensor, along: "embed" | "mlp", apart: readonly string[], map: (x: Tensor) => Tensor): Tensor =>
  along === "embed" ? allReduce(map(ownPart(x, "embed", apart)), apart) : allGather(map(x), "embed", apart);

/** How many tokens have chosen each expert (i32). */
export const loadOf = (index: Tensor, taken: Tensor | undefined, count: number): Tensor => {
  const choices = oneHot(index, { expert: count }, "i32") as Tensor;
  return (taken ? choices.mul(taken.cast("i32")) : choices).sum(["token", "choice"]) as Tensor;
};

/** Nothing is dropped: tokens sorted by expert, and products of their groups. */
function inGroups(routed: Routed, { gate, up, down, scale, apart }: Whole): Tensor {
  const { here, index, weighed, taken, count } = byExpert(routed);
  const load = loadOf(index, taken, count);
  const plan = dropless({ expert: index, weight: weighed, taken, load } as Routing);
  const rows = dispatch(here, plan) as Tensor;
  // Rows of experts elsewhere come last, and are of no group: what stands in them is never looked at.
  const known = () => taken && isOfGroup(rows.size("row"), load.sum("expert") as Tensor);
  const chosen = routed.index.size("token") * routed.index.size("choice") * routed.share;
  const filled = Math.min(1, chosen / rows.size("row"));
  const through = (x: Tensor, { weight, lora }: Weights, along: "embed" | "mlp"): Tensor =>
    inParts(x, along, apart, (x) => {
      const own = product(x, weight, load, along, filled);
      return lora ? own.add(adapter(x, lora, load, along, known()).mul(scale) as Tensor) : own;
    });
  const inner = gate
    ? gated(through(rows, gate, "embed"), through(rows, up, "embed"))
    : ungated(through(rows, up, "embed"));
  return combine(through(inner, down, "mlp"), weighed, plan) as Tensor;
}

/** Each `tokens` of them fill so many rows of every expert; those of experts elsewhere go there and back over mesh axes. */
function inRows(
  { here, index, weighed, taken, count }: Routed,
  { gate, up, down, scale, apart }: Whole,
  {
    rows: capacity,
    priority,
    tokens,
    over,
  }: NonNullable<Dispatching["room"]> & {
    readonly tokens: number;
    readonly over: readonly string[];
  },
): Tensor {
  const grouped = (t: Tensor) => t.split("token", { group: -1, token: tokens }) as Tensor;
  const [x, expert, weight] = [here, index, weighed].map(grouped) as [Tensor, Tensor, Tensor];
  const own = taken && grouped(taken);
  const load = loadOf(expert, own, count);
  const plan = limited({ expert, weight, taken: own, load } as Routing, capacity, priority);
  const buffers = (dispatch(x as never, plan) as Tensor)
    .split("row", { expert: count, capacity })
    .merge(["group", "capacity"], "row") as Tensor;
  const through = (x: Tensor, { weight, lora }: Weights, along: "embed" | "mlp"): Tensor =>
    inParts(x, along, apart, (x) => {
      const own = dot(x, weight, along) as Tensor;
      return lora
        ? (own.add(dot(dot(x, lora.a, along) as Tensor, lora.b, "rank").mul(scale) as Tensor) as Tensor)
        : own;
    });
  const sent = allToAll(buffers, "expert", "row", over);
  const wide = through(sent, up, "embed");
  const inner = gate ? gated(through(sent, gate, "embed"), wide) : ungated(wide);
  const back = allToAll(through(inner, down, "mlp"), "row", "expert", over)
    .split("row", { group: x.size("group"), capacity })
    .merge(["expert", "capacity"], "row") as Tensor;
  return (combine(back as never, weight as never, plan) as Tensor).merge(["group", "token"], "token") as Tensor;
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
 * are matrices. Rows of no group are zero, or with a kernel anything. `filled`: what part of the rows is expected to be of a group, which
 * is what a kernel computes.
 */
function product(x: Tensor, w: Tensor, sizes: Tensor, along: "embed" | "mlp", filled: number): Tensor {
  const across = along === "embed" ? "mlp" : "embed";
  if (!allowsKernel("grouped_matmul") || x.names.length !== 2 || w.names.length !== 3 || sizes.names.length !== 1)
    return groupedDot(x, w, sizes, "row", along) as Tensor;
  const work = { filled: { value: filled, type: "f32" } } as const;
  const multiply = (x: Tensor, w: Tensor, along: string, to: string, transposed: boolean) =>
    composite("xenarc.grouped_matmul", { transposed, ...work }, (x: Tensor, w: Tensor, sizes: Tensor) =>
      (groupedDot(x, w, sizes, "row", along) as Tensor).ordered(["row", to]),
    )(x.ordered(["row", along]), w, sizes);
  const ofWeights = composite("xenarc.grouped_matmul_weights", work, (x: Tensor, ct: Tensor, sizes: Tensor) => {
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
