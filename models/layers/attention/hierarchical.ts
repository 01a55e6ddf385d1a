import { currentLayout } from "../../../compiler/trace.js";
import { customVjp, named, scan, stopGradient } from "../../../ops/control.js";
import { argsort, concatenate, dot, full, gather, iota, put, scalar, where, zeros } from "../../../ops/functions.js";
import { allReduce, perDevice } from "../../../ops/per_device.js";
import { type Scalar, type Tensor, tensorError } from "../../../ops/tensor.js";
import {
  accumulator,
  across,
  begin,
  evenly,
  finish,
  inBlocks,
  type KeyBlocks,
  type KeySums,
  passes,
  type QueryBlocks,
  type Running,
  type Visits,
} from "./block.js";
import { alongSequences, headsOver } from "./heads.js";
import { both, HIDDEN, type Keys, LOWEST, type Queries, type Row, type Scores } from "./visible.js";

/**
 * The ways in which a query comes by keys, in the order of the axis `path`. A key that several of them lead to is reached by the first of
 * `sinks`, `local`, `global`, `chunks`; `coarse` leads to the means of chunks, which are keys of their own.
 */
export const PATHS = ["local", "global", "sinks", "coarse", "chunks"] as const;
/** One of {@link PATHS}. */
export type Path = (typeof PATHS)[number];

/** How far queries see: values of the program's run, scalars or with the axis `batch`, for each input its own. */
export interface Reach {
  /** A query sees the last so many positions up to its own, every `dilation`-th of them (i32, at least 1). */
  readonly window: Tensor;
  readonly dilation: Tensor;
  /** Over the whole of `span`, so many tokens are global (i32): the first of each equal interval, or the one that the selector scores highest. */
  readonly globals: Tensor;
  /** The part of all positions up to its own that a query is to attend to (f32): chunks are chosen for what the other paths leave of it. */
  readonly sparsity: Tensor;
  /** Positions in a chunk (i32), down to a multiple of `unit`, at least one. */
  readonly chunk: Tensor;
}

/** What is fixed when a program is compiled. */
export interface HierarchyOptions {
  /** The first so many keys are seen by all. Default 16. */
  readonly sinks?: number;
  /** The most global tokens. */
  readonly maxGlobals: number;
  /** The positions that global tokens are spread over: those of the context. Default: the keys' number. */
  readonly span?: number;
  /** The smallest chunk. */
  readonly unit: number;
  /** How many queries and how many keys are worked on at a time. Default 512. */
  readonly blockSize?: number;
  /** What a plan takes the values of the run to be. Default: it takes half of the causal keys to be visited by each path. */
  readonly usual?: Usual | undefined;
}

/** Values of a run, as {@link Reach} has them. */
export type Usual = Readonly<Record<keyof Reach, number>>;

/** One value of each kind: what an input's queries see. */
export type Reached = Readonly<Record<keyof Reach, Scalar>>;

/** With the defaults. */
export type AllOptions = Required<Omit<HierarchyOptions, "usual">> & Pick<HierarchyOptions, "usual">;

/** Keys that stand apart from the sequence: sinks, global tokens, means of chunks. */
interface Landmarks {
  readonly path: Path;
  readonly k: Keys;
  readonly v: Keys;
  /** The position of each (i32), for `local` to come first; none where it does not. */
  readonly at?: Tensor<"key"> | undefined;
  /** The first position that sees it (i32), rising; `NEVER` where none does. */
  readonly from: Tensor<"key">;
  /** How many of them a query at a position may see. */
  readonly upTo: (position: Scalar) => Scalar;
}

/** Behind all positions. */
const NEVER = 2 ** 30;
/** In front of all positions. */
const NOWHERE = -1;

/**
 * Attention of several resolutions in one softmax (Beltagy et al. 2020, "Longformer", arXiv:2004.05150, for dilated windows and global tokens;
 * Xiao et al. 2023, arXiv:2309.17453, for sinks; Yuan et al. 2025, "Native Sparse Attention", arXiv:2502.11089, for means of chunks that are
 * attended to and choose what is attended to within). What a query at position p sees:
 *
 * - `local`: positions p, p - dilation, p - 2 dilation, ... that are less than `window` behind it
 * - `sinks`: the first positions
 * - `global`: the tokens that `globals` and `selection` say; those of the selector from the end of their interval on, their values times
 *   the score's sigmoid
 * - `coarse`: for each chunk that has ended, the mean of its keys, with the mean of its values
 * - `chunks`: the positions of the chunks that are chosen for its block of queries: by the scores of their means with the first query of the block,
 *   summed over heads; among those that ended before it, as many as `sparsity` leaves room for
 *
 * It is one softmax over all of them, whose scores have `bias` of their path added. A path whose bias is at most -1e29 for a whole block
 * of queries is not computed, as no block of keys is that no query of the block may see: the work follows the values of the run. Memory is linear
 * in the sequence. Causal: what a query sees does not depend on later positions. The local path works on positions in the order of their
 * remainders by the dilation, in which what a window leaves out is not in between.
 *
 * Query `[batch, kvHeads, ..., seq, headDim]`, already scaled, key and value `[batch, kvHeads, key, headDim]`, all of one length;
 * `bias` `[batch, seq, path]` (f32), by `PATHS`. `selection`: scores `[batch, key]` (f32). The result has the query's axes.
 * @throws XenarcError when queries and keys differ in number.
 */
export function hierarchical(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  reach: Reach,
  bias: Tensor<"batch" | "seq" | "path">,
  selection: Tensor<"batch" | "key"> | undefined,
  options: HierarchyOptions,
): Tensor {
  const length = query.size("seq");
  if (length !== key.size("key"))
    throw tensorError(`hierarchical: there are ${length} queries and ${key.size("key")} keys.`, [query, key], {
      expected: "as many, of one sequence",
    });
  const layout = currentLayout();
  if (layout?.zigzag)
    throw tensorError("hierarchical: the sequence lies on the mesh in zigzag order.", [query], {
      fix: "Leave it in order: sharding.balance=false.",
    });
  const all = allOptions(options, length);
  const own = query.names.filter((n) => !["batch", "kvHeads", "seq", "headDim"].includes(n));
  const order = { query: ["kvHeads", ...own, "seq", "headDim"], key: ["kvHeads", "key", "headDim"] };
  const given = {
    q: query,
    k: key,
    v: value,
    bias: bias,
    reach: byInput(reach, query.size("batch")),
    selection,
  };
  const axes = headsOver(query, ["kvHeads", ...own]);
  const over = ["kvHeads", ...own].flatMap((n) => axes[n] ?? []);
  const out = perDevice(
    given,
    (local) => {
      const [, out] = scan("batch", {}, local, (none, { q, k, v, bias, reach, selection }) => {
        const keys = { k: k.ordered(order.key), v: v.ordered(order.key) as Keys };
        return [none, ofInput(q.ordered(order.query), keys, bias, reach as unknown as Reached, selection, all, over)];
      });
      return out;
    },
    { axes, over: alongSequences(["kvHeads", ...own]) },
  );
  return out.ordered(query.names);
}

/** The options with their defaults. */
export function allOptions({ sinks = 16, blockSize = 512, ...o }: HierarchyOptions, length: number): AllOptions {
  return { span: length, ...o, sinks: Math.min(sinks, length), blockSize };
}

/** The values with an axis `batch`, of which a scalar has the same everywhere; no smaller than what they mean allows. */
export function byInput(reach: Reach, batch: number): Reach {
  const each = (x: Tensor) => (x.has("batch") ? x : x.broadcast({ batch }));
  const atLeast = (x: Tensor, least: number) => each(x).maximum(least);
  return {
    window: atLeast(reach.window, 1),
    dilation: atLeast(reach.dilation, 1),
    globals: atLeast(reach.globals, 0),
    sparsity: each(reach.sparsity),
    chunk: atLeast(reach.chunk, 1),
  };
}

/** The attention of one sequence. */
function ofInput(
  q: Queries,
  { k, v }: { k: Keys; v: Keys },
  bias: Tensor<"seq" | "path">,
  reach: Reached,
  selection: Tensor<"key"> | undefined,
  options: AllOptions,
  over: readonly string[],
): Queries {
  const { sinks, unit, blockSize } = options;
  const length = q.size("seq");
  const tokens = globalTokens(reach, selection, k.size("key"), options);
  const means = chunkMeans(unitMeans(k, unit), unitMeans(v, unit), reach, unit);
  const firstKeys = {
    k: k.slice("key", 0, sinks),
    v: v.slice("key", 0, sinks),
    from: iota({ key: Math.max(1, sinks) }),
    upTo: (p: Scalar) => p.add(1),
  };
  const landmarks: Landmarks[] = [
    ...(sinks > 0 ? [{ path: "sinks" as const, ...firstKeys }] : []),
    { path: "global", ...globalKeys(k, v, tokens, selection), at: tokens.at, from: tokens.from, upTo: tokens.upTo },
    { path: "coarse", ...means },
  ];
  const size = evenly(length, blockSize);
  const anchors = inBlocks(q, "seq", size, "queryBlock").slice("seq", 0, 1).at("seq", 0);
  const begins = iota({ queryBlock: anchors.size("queryBlock") }).mul(size) as Tensor<"queryBlock">;
  const chosen = choose(anchors, begins, means.k, reach, options, over);
  const core = inSteps({ length, size, rows: rowsOf(q, k), reach, tokens, chosen, landmarks, options });
  const given = landmarks.flatMap((l) => [l.k, l.v]);
  const attend = customVjp<Operands, Tensor, unknown>(core.forward, core.backward as never);
  return attend(q, k, v, bias, ...(given as Tensor[]));
}

/** The axes that only queries have: seq, and groups of heads. */
const rowsOf = (q: Queries, k: Keys) =>
  q.names.filter((n) => n !== "headDim" && !k.has(n as "head")) as unknown as "seq"[];

// Which keys there are ------------------------------------------------------------------------------------------------------------

/** Global tokens by number: where they are, and from which position on they are seen. */
export interface GlobalTokens {
  readonly at: Tensor<"key">;
  readonly from: Tensor<"key">;
  readonly upTo: (position: Scalar) => Scalar;
}

/** The global tokens of a sequence of `length` positions: of each interval the first, or the one with the highest score. */
export function globalTokens(
  { globals }: Reached,
  selection: Tensor<"key"> | undefined,
  length: number,
  options: AllOptions,
): GlobalTokens {
  const { maxGlobals, sinks } = options;
  const interval = globalInterval(globals, options);
  const number = iota({ key: maxGlobals });
  const start = number.mul(interval) as Tensor<"key">;
  const end = start.add(interval).sub(1) as Tensor<"key">;
  const at = selection ? gather(best(selection, interval, sinks).rename("key", "position"), "position", end) : start;
  const seen = selection ? end : start;
  // Sinks are seen anyway.
  const there = both(
    number.lt(globals) as never,
    both(seen.lt(length) as never, at.ge(sinks)),
  ) as unknown as Tensor<"key">;
  return {
    at: at.minimum(length - 1) as Tensor<"key">,
    from: where(there, seen, NEVER) as Tensor<"key">,
    upTo: (position) => position.div(interval).add(1).minimum(globals),
  };
}

/** How many positions each global token stands for (i32). */
const globalInterval = (globals: Scalar, { span }: AllOptions): Scalar =>
  globals.maximum(1).mul(0).add(span).div(globals.maximum(1)).maximum(1);

/**
 * At each position, where the highest score of its interval so far is (i32), the first of equals. By doubling, as `cumsum`. Sinks are
 * left out where there are others.
 */
function best(selection: Tensor<"key">, interval: Scalar, sinks: number): Tensor<"key"> {
  const length = selection.size("key");
  const place = iota({ key: length });
  const group = place.div(interval) as Tensor<"key">;
  let score = where(place.ge(sinks), stopGradient(selection), HIDDEN) as Tensor<"key">;
  let at = place as Tensor<"key">;
  for (let by = 1; by < length; by *= 2) {
    const before = (x: Tensor<"key">) => x.slice("key", 0, length - by).pad("key", by, 0) as Tensor<"key">;
    const same = place.ge(by).and(before(group).eq(group)) as Tensor<"key">;
    const higher = same.and(before(score).ge(score)) as Tensor<"key">;
    [score, at] = [where(higher, before(score), score), where(higher, before(at), at)];
  }
  return at;
}

/** Keys and values of the global tokens; those of the selector's choice as much as it is sure of it. */
function globalKeys(k: Keys, v: Keys, { at }: GlobalTokens, selection: Tensor<"key"> | undefined) {
  const position = at.rename("key", "landmark");
  const take = (x: Tensor): Tensor => gather(x, "key", position).rename("landmark", "key");
  const order = ["kvHeads", "key", "headDim"];
  const values = take(v);
  const weight = selection && take(selection.sigmoid().cast(values.dtype));
  return {
    k: take(k).ordered(order),
    v: (weight ? values.mul(weight) : values).ordered(order),
  };
}

/** The means of units: `[kvHeads, unit, headDim]`. */
export const unitMeans = (x: Keys, unit: number): Tensor => inBlocks(x, "key", unit, "unit").cast("f32").mean("key");

/** The means of chunks of so many units, as landmarks: there are as many as units, those behind the last chunk are seen by none. */
export function chunkMeans(k: Tensor, v: Tensor, { chunk }: Reached, unit: number) {
  const units = k.size("unit");
  const perChunk = unitsOf(chunk, unit);
  const ofUnit = iota({ unit: units }).div(perChunk) as Tensor<"unit">;
  const member = ofUnit.broadcast({ key: units }).eq(iota({ key: units }));
  const share = member.cast("f32").div(perChunk.cast("f32"));
  const mean = (x: Tensor) => dot(x, share, "unit").ordered(["kvHeads", "key", "headDim"]);
  const size = perChunk.mul(unit);
  return {
    k: mean(k),
    v: mean(v),
    from: iota({ key: units }).add(1).mul(size).sub(1) as Tensor<"key">,
    upTo: (position: Scalar) => position.add(1).div(size).minimum(units),
  };
}

/** How many units a chunk has. */
export const unitsOf = (chunk: Scalar, unit: number): Scalar => chunk.div(unit).maximum(1);

/** The chunks of each block of queries: their numbers, the best first, and how many are taken (i32). */
interface Chosen<A extends string = "queryBlock"> {
  readonly chunks: Tensor<A | "choice">;
  readonly count: Tensor<A>;
}

/** Chooses for queries at positions `begins` that have no `seq`, by the means of chunks; mesh axes `over` split the heads. */
export function choose<A extends string>(
  anchors: Tensor,
  begins: Tensor<A>,
  means: Keys,
  reach: Reached,
  options: AllOptions,
  over: readonly string[] = [],
): Chosen<A> {
  const size = chunkSize(reach, options);
  const heads = anchors.names.filter((n) => n !== "headDim" && !begins.has(n as A) && !means.has(n));
  const summed = stopGradient(anchors).cast("f32").sum(heads) as unknown as Tensor;
  const own = dot(summed, stopGradient(means) as Tensor, ["kvHeads", "headDim"], { precision: "HIGHEST" });
  const scores = allReduce(own, over);
  const ended = begins.div(size);
  const number = iota({ key: means.size("key") });
  const before = ended.broadcast({ key: number.size("key") }).gt(number);
  const chunks = argsort(where(before, scores, HIDDEN), "key", { descending: true }).rename("key", "choice");
  return { chunks, count: chunkCount(begins, reach, options) };
}

const chunkSize = ({ chunk }: Reached, { unit }: AllOptions): Scalar => unitsOf(chunk, unit).mul(unit);

/** How many chunks are chosen for blocks of queries that begin at these positions (i32). */
export function chunkCount<A extends string>(begins: Tensor<A>, reach: Reached, options: AllOptions): Tensor<A> {
  const { window, dilation, globals, sparsity } = reach;
  const size = chunkSize(reach, options);
  const seen = begins.add(1).cast("f32");
  const others = seen
    .minimum(window.cast("f32"))
    .div(dilation.cast("f32"))
    .ceil()
    .add(seen.mul(globals.cast("f32")).div(options.span).floor() as never)
    .add(options.sinks);
  const room = seen.mul(sparsity).sub(others).div(size.cast("f32")).round().cast("i32").maximum(0);
  return room.minimum(begins.div(size)) as unknown as Tensor<A>;
}

/** How many blocks of keys by path are visited for a block of `size` queries, on average over a sequence, where the values of the run are `usual`. */
export function meanVisits(
  { window, dilation, globals, sparsity, chunk }: Usual,
  length: number,
  { sinks, unit, maxGlobals, span, blockSize }: AllOptions,
): Record<Path, number> {
  const size = evenly(length, blockSize);
  const perChunk = Math.max(1, Math.floor(chunk / unit));
  const chunkSize = perChunk * unit;
  const interval = Math.max(1, Math.floor(span / Math.max(1, globals)));
  /** Blocks that so many of at most `most` landmarks are in. */
  const inBlocks = (landmarks: number, most: number) => Math.ceil(Math.min(landmarks, most) / evenly(most, blockSize));
  const ofBlock = (first: number): Record<Path, number> => {
    const seen = first + 1;
    const end = first + size;
    const others = Math.ceil(Math.min(seen, window) / dilation) + Math.floor((seen * globals) / span) + sinks;
    const room = Math.max(0, Math.round((seen * sparsity - others) / chunkSize));
    return {
      local: end / size - Math.floor(Math.max(0, seen - Math.ceil(window / dilation)) / size),
      sinks: Math.min(1, sinks),
      global: inBlocks(Math.min(Math.floor((end - 1) / interval) + 1, globals), maxGlobals),
      coarse: inBlocks(Math.floor(end / chunkSize), Math.ceil(length / unit)),
      chunks: Math.min(room, Math.floor(first / chunkSize)) * perChunk,
    };
  };
  const blocks = Array.from({ length: Math.ceil(length / size) }, (_, i) => ofBlock(i * size));
  const mean = (path: Path) => blocks.reduce((n, visits) => n + visits[path], 0) / blocks.length;
  return Object.fromEntries(PATHS.map((path) => [path, mean(path)])) as Record<Path, number>;
}

/**
 * The part of the positions up to its own that a query attends to, by position (f32): what the paths whose weight (f32, by `PATHS`) is not 0 lead
 * to. A key that several lead to counts for each; means of chunks are no positions.
 */
export function attendedShare(
  weights: Tensor<"path">,
  length: number,
  reach: Reached,
  given: HierarchyOptions,
): Tensor<"seq"> {
  const options = allOptions(given, length);
  const position = iota({ seq: length }) as Tensor<"seq">;
  const upTo = position.add(1) as Tensor<"seq">;
  const size = evenly(length, options.blockSize);
  const begins = position.div(size).mul(size) as Tensor<"seq">;
  const { window, dilation, globals } = reach;
  const byPath: Partial<Record<Path, Tensor>> = {
    local: upTo.minimum(window).add(dilation).sub(1).div(dilation),
    global: position.div(globalInterval(globals, options)).add(1).minimum(globals),
    sinks: upTo.minimum(options.sinks),
    chunks: chunkCount(begins, reach, options).mul(chunkSize(reach, options)),
  };
  const counted = Object.entries(byPath).map(([path, number]) =>
    number.cast("f32").mul(
      weights
        .at("path", PATHS.indexOf(path as Path))
        .gt(0)
        .cast("f32"),
    ),
  );
  const wide = upTo.cast("f32");
  return counted
    .reduce((a, b) => a.add(b))
    .minimum(wide)
    .div(wide) as Tensor<"seq">;
}

/** Whether queries at `positions` see keys at `places` by the local path. */
export function isLocal(positions: Tensor, places: Tensor, { window, dilation }: Reached, sinks: number): Tensor {
  const distance = positions.broadcast({ key: places.size("key") }).sub(places);
  const near = distance.ge(0).and(distance.lt(window));
  const onStep = distance.rem(dilation).eq(0);
  return near.and(onStep).and(places.ge(sinks));
}

// How they are gone through --------------------------------------------------------------------------------------------------------

interface Steps {
  readonly length: number;
  /** Queries, and keys of the local path, at a time. */
  readonly size: number;
  readonly rows: readonly "seq"[];
  readonly reach: Reached;
  readonly tokens: GlobalTokens;
  readonly chosen: Chosen;
  readonly landmarks: readonly Landmarks[];
  readonly options: AllOptions;
}

/** What the scores of a block of queries depend on; `bias` by path, `places`: their places in the order of the local path. */
interface Block {
  readonly positions: Tensor<"seq">;
  readonly bias: Tensor<"seq" | "path">;
  readonly chunks: Tensor<"choice">;
  readonly count: Scalar;
}
interface LocalBlock {
  readonly positions: Tensor<"seq">;
  readonly places: Tensor<"seq">;
  readonly bias: Tensor<"seq">;
}

const wide = { dtype: "f32" } as const;

/** The forward and the backward pass of one sequence. */
function inSteps({ length, size, rows, reach, tokens, chosen, landmarks, options }: Steps) {
  const { sinks, unit } = options;
  const count = Math.ceil(length / size);
  const padded = count * size;
  const units = Math.ceil(length / unit);
  const perChunk = unitsOf(reach.chunk, unit);
  const expected: Partial<Record<Path, number>> = options.usual ? meanVisits(options.usual, length, options) : {};
  const folded = foldedBy(reach.dilation, length, padded);
  const ofPath = (bias: Tensor, path: Path) => bias.at("path", PATHS.indexOf(path));
  /** A number of visits, none where no query of the block gives the path any weight. */
  const unless = (bias: Tensor<"seq">, visits: Scalar): Scalar => where(bias.max("seq").gt(LOWEST), visits, 0);
  const scored = (q: Queries, k: Keys, bias: Tensor<"seq">, seen: Tensor): Scores =>
    where(seen.and(bias.gt(LOWEST)) as never, dot(q, k, "headDim", wide).add(bias) as Scores, HIDDEN);

  const local: Visits<LocalBlock> = {
    biased: true,
    expected: expected.local,
    from: ({ places }) =>
      places.min("seq").sub(reach.window.add(reach.dilation).sub(1).div(reach.dilation)).add(1).maximum(0).div(size),
    to: ({ places, bias }) => unless(bias, places.max("seq").div(size).add(1)),
    scores: (q, k, { positions, bias }, j) => {
      const places = folded.positions(iota({ key: size }).add(j.mul(size)), NEVER);
      return scored(q, k, bias, isLocal(positions, places, reach, sinks));
    },
  };

  const marked = landmarks.map(({ path, at, from, upTo, k }) => {
    const each = evenly(k.size("key"), options.blockSize);
    const blocks = (x: Tensor<"key">, filling: number) => {
      const n = Math.ceil(x.size("key") / each) * each;
      return x.pad("key", 0, n - x.size("key"), filling).split("key", { keyBlock: -1, key: each });
    };
    const [begins, places] = [blocks(from, NEVER), at && blocks(at, NOWHERE)];
    const visits: Visits<Block> = {
      biased: true,
      expected: expected[path],
      from: () => scalar(0, "i32"),
      to: ({ positions, bias }) =>
        unless(
          ofPath(bias, path),
          upTo(positions.max("seq"))
            .add(each - 1)
            .div(each)
            .minimum(begins.size("keyBlock")),
        ),
      scores: (q, k, { positions, bias }, j) => {
        const begun = positions.broadcast({ key: each }).ge(begins.at("keyBlock", j));
        const seen = places ? begun.and(isLocal(positions, places.at("keyBlock", j), reach, sinks).not()) : begun;
        return scored(q, k, ofPath(bias, path), seen);
      },
    };
    return { path, each, visits };
  });

  /** From which position on a key is seen as a global token, by unit. */
  const asGlobal = () => {
    const never = full({ key: units * unit }, NEVER, "i32");
    const at = where(tokens.from.lt(NEVER), tokens.at, units * unit).rename("key", "landmark");
    return put(never, "key", at, tokens.from.rename("key", "landmark")).split("key", {
      keyBlock: units,
      key: unit,
    });
  };
  const within = (globalFrom: Tensor): Visits<Block> => ({
    biased: true,
    expected: expected.chunks,
    from: () => scalar(0, "i32"),
    to: ({ count, bias }) => unless(ofPath(bias, "chunks"), count.mul(perChunk)),
    block: ({ chunks }, i) => chunks.at("choice", i.div(perChunk)).mul(perChunk).add(i.rem(perChunk)),
    scores: (q, k, { positions, bias }, j) => {
      const places = iota({ key: unit }).add(j.mul(unit));
      const other = positions.broadcast({ key: unit }).lt(globalFrom.at("keyBlock", j));
      const seen = other.and(isLocal(positions, places, reach, sinks).not()).and(places.ge(sinks));
      return scored(q, k, ofPath(bias, "chunks"), seen);
    },
  });

  const byQueries = (x: Tensor): QueryBlocks => {
    const blocks = inBlocks(x, "seq", size, "queryBlock");
    return blocks.ordered(["queryBlock", ...blocks.names.filter((n) => n !== "queryBlock")]) as QueryBlocks;
  };
  const byKeys = (x: Tensor, each: number): KeyBlocks =>
    inBlocks(x, "key", each, "keyBlock").ordered(["keyBlock", ...x.names]) as KeyBlocks;
  /** One sequence again, of blocks of queries or of keys; `like` has the order of its axes. */
  const whole = (x: Tensor, axis: "seq" | "key", like: Tensor, size = like.size(axis)): Tensor => {
    const block = axis === "seq" ? "queryBlock" : "keyBlock";
    const names = x.names.filter((n) => n !== block);
    const joined = x.ordered(names.flatMap((n) => (n === axis ? [block, n] : [n]))).merge([block, axis], axis);
    return joined.slice(axis, 0, size).ordered(like.names);
  };
  /** Places of the local path's order to positions, and back. */
  const fold = (x: Tensor, axis: "seq" | "key"): Tensor =>
    taken(x, axis, folded.positions(iota({ [axis]: padded }), length - 1));
  const unfold = (x: Tensor, axis: "seq" | "key", like: Tensor): Tensor =>
    taken(whole(x, axis, like, padded), axis, folded.places(iota({ [axis]: length })));

  const views = (bias: Tensor) => ({
    positions: byQueries(iota({ seq: length })),
    bias: byQueries(bias),
    ...chosen,
  });
  const localViews = (bias: Tensor) => ({
    positions: byQueries(folded.positions(iota({ seq: padded }), NOWHERE)),
    places: byQueries(iota({ seq: padded })),
    bias: byQueries(fold(ofPath(bias, "local"), "seq")),
  });

  /** Keys that are gone through beside the local path's, and how. */
  const others = (q: Tensor, k: Tensor, v: Tensor, given: readonly Tensor[]) =>
    [
      ...marked.map((m, i) => ({ ...m, k: given[2 * i]!, v: given[2 * i + 1]! })),
      { path: "chunks" as const, each: unit, visits: within(asGlobal()), k, v },
    ].map(({ path, each, visits, ...of }) => ({
      path,
      of,
      k: byKeys(of.k.cast(q.dtype), each),
      v: byKeys(of.v.cast(q.dtype), each),
      over: passes(rows, visits),
    }));
  const foldedKeys = (x: Tensor) => byKeys(fold(x, "key"), size);
  const rowOf = (q: Tensor) => q.at("headDim", 0);

  const forward = (...[q, k, v, bias, ...given]: Operands) => {
    const [near, row] = [passes(rows, local), rowOf(q)];
    const [kFolded, vFolded] = [foldedKeys(k), foldedKeys(v)];
    const nearby = { q: byQueries(fold(q, "seq")), ...localViews(bias) };
    const [, begun] = scan("queryBlock", {}, nearby, (none, { q, ...view }) => {
      const start = begin(q, v.size("headDim"));
      return [
        none,
        near.attend(q, kFolded, vFolded, view as LocalBlock, start) as unknown as Record<keyof Running, Tensor>,
      ];
    });
    const { peak, total, sum } = begun as Record<keyof Running, Tensor>;
    const natural = (x: Tensor, like: Tensor) => byQueries(unfold(x, "seq", like));
    const before = { peak: natural(peak, row), total: natural(total, row), sum: natural(sum, q) };
    const sets = others(q, k, v, given);
    const xs = { q: byQueries(q), before, ...views(bias) };
    const [, rowwise] = scan("queryBlock", {}, xs, (none, { q, before, ...view }) => {
      const done = sets.reduce(
        (running, { k, v, over }) => over.attend(q, k, v, view as Block, running),
        before as unknown as Running,
      );
      const { out, logSum } = finish(done);
      return [none, { out: out.cast(q.dtype), logSum: logSum }];
    });
    const found = rowwise as Record<"out" | "logSum", Tensor>;
    const out = named(whole(found.out, "seq", q), "attn_out");
    const logSum = named(whole(found.logSum, "seq", row), "attn_out");
    return [out, { operands: [q, k, v, bias, ...given] as Operands, out, logSum }] as const;
  };

  const backward = ({ operands, out, logSum }: ReturnType<typeof forward>[1], cotangent: Tensor): Tensor[] => {
    const [q, k, v, bias, ...given] = operands;
    const ct = cotangent.ordered(q.names);
    const delta = ct.cast("f32").mul(out.cast("f32")).sum("headDim");
    const inBlocksOf = (of: (x: Tensor) => Tensor) => {
      const [inQ, inCt] = [byQueries(of(q)), byQueries(of(ct))];
      const across_ = { qAcross: across(inQ, rows), ctAcross: across(inCt, rows) };
      return {
        q: inQ,
        ct: inCt,
        ...across_,
        logSum: byQueries(of(logSum)),
        delta: byQueries(of(delta)),
      };
    };
    const heads = logSum.names.filter((n) => n !== "seq");
    const overHeads = (dBias: Row | undefined) => (dBias as unknown as Tensor).sum(heads) as unknown as Tensor;

    const sets = others(q, k, v, given);
    const xs = { x: inBlocksOf((x) => x), ...views(bias) };
    const init = sets.map(({ k, v }): KeySums => ({ dk: accumulator(k), dv: accumulator(v) }));
    const [sums, found] = scan("queryBlock", init, xs, (sums, { x, ...view }) => {
      const parts = sets.map(({ k, v, over }, i) => over.differentiate(x as never, k, v, view as Block, sums[i]!));
      const dq = parts.map((p) => p.dq).reduce((a, b) => a.add(b));
      return [parts.map(({ dk, dv }) => ({ dk, dv })), { dq, dBias: parts.map((p) => overHeads(p.dBias)) }];
    });

    const near = passes(rows, local);
    const [kFolded, vFolded] = [foldedKeys(k), foldedKeys(v)];
    const nearby = { x: inBlocksOf((x) => fold(x, "seq")), ...localViews(bias) };
    const none: KeySums = { dk: accumulator(kFolded), dv: accumulator(vFolded) };
    const [nearSums, nearFound] = scan("queryBlock", none, nearby, (sums, { x, ...view }) => {
      const { dq, dBias, ...next } = near.differentiate(x as never, kFolded, vFolded, view as LocalBlock, sums);
      return [next, { dq: dq, dBias: overHeads(dBias) }];
    });

    const biasRow = ofPath(bias, "local");
    const dBias = PATHS.map((path) => {
      const i = sets.findIndex((s) => s.path === path);
      const ofRows =
        path === "local"
          ? unfold(nearFound.dBias, "seq", biasRow)
          : i < 0
            ? zeros(biasRow.sizes)
            : whole(found.dBias[i]!, "seq", biasRow);
      return ofRows.broadcast({ path: 1 });
    });
    const ofSets = sets.map(({ of }, i) => [whole(sums[i]!.dk, "key", of.k), whole(sums[i]!.dv, "key", of.v)]);
    const [dk, dv] = ofSets.pop()!;
    const sum = (far: Tensor, near: Tensor, like: Tensor) => far.add(near).cast(like.dtype);
    return [
      sum(whole(found.dq, "seq", q), unfold(nearFound.dq, "seq", q), q),
      sum(dk!, unfold(nearSums.dk, "key", k), k),
      sum(dv!, unfold(nearSums.dv, "key", v), v),
      concatenate(dBias, "path"),
      ...ofSets.flat().map((d, i) => d.cast(given[i]!.dtype)),
    ];
  };
  return { forward, backward };
}

/** Queries, keys, values, bias, then keys and values of all landmarks. */
type Operands = [q: Tensor, k: Tensor, v: Tensor, bias: Tensor, ...landmarks: Tensor[]];

/** Elements of an axis at places of it, the axis where it was. */
function taken(x: Tensor, axis: "seq" | "key", at: Tensor): Tensor {
  return gather(x, axis, at.rename(axis, "place")).rename("place", axis).ordered(x.names);
}

/**
 * The order of positions by their remainder, then by their quotient, of the division by `by`. The first `length % by` remainders occur
 * once more often than the others.
 */
function foldedBy(by: Scalar, length: number, padded: number) {
  const each = by.mul(0).add(length).div(by);
  const longer = by.mul(0).add(length).sub(each.mul(by));
  const inLonger = longer.mul(each.add(1));
  return {
    /** The position at a place, or `beyond` behind the last. */
    positions: (place: Tensor, beyond: number): Tensor => {
      const rest = place.sub(inLonger);
      const short = each.maximum(1);
      const is = place.lt(inLonger);
      const remainder = where(is, place.div(each.add(1)), rest.div(short).add(longer));
      const quotient = where(is, place.rem(each.add(1)), rest.rem(short));
      const position = quotient.mul(by).add(remainder);
      return padded === length ? position : where(place.lt(length), position, beyond);
    },
    /** The place of a position. */
    places: (position: Tensor): Tensor => {
      const remainder = position.rem(by);
      return remainder.mul(each).add(remainder.minimum(longer)).add(position.div(by));
    },
  };
}
