/** What a query sees in hierarchical attention, by values of the run: the ways to keys, and which keys each leads to. */
import { stopGradient } from "../../../ops/control.js";
import { argsort, dot, gather, iota, where } from "../../../ops/functions.js";
import { allReduce } from "../../../ops/per_device.js";
import type { Scalar, Tensor } from "../../../ops/tensor.js";
import { evenly, inBlocks } from "./block.js";
import { both, HIDDEN, type Keys } from "./visible.js";

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

/** Behind all positions. */
export const NEVER = 2 ** 30;

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
export function globalKeys(k: Keys, v: Keys, { at }: GlobalTokens, selection: Tensor<"key"> | undefined) {
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
export interface Chosen<A extends string = "queryBlock"> {
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

/** As `Tensor.round`: a half to the even one of its neighbours. */
function roundToEven(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
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
  const blocksOf = (landmarks: number, most: number) => Math.ceil(Math.min(landmarks, most) / evenly(most, blockSize));
  const ofBlock = (first: number): Record<Path, number> => {
    const seen = first + 1;
    const end = first + size;
    const others = Math.ceil(Math.min(seen, window) / dilation) + Math.floor((seen * globals) / span) + sinks;
    const room = Math.max(0, roundToEven((seen * sparsity - others) / chunkSize));
    return {
      local: end / size - Math.floor(Math.max(0, seen - Math.ceil(window / dilation)) / size),
      sinks: Math.min(1, sinks),
      global: blocksOf(Math.min(Math.floor((end - 1) / interval) + 1, globals), maxGlobals),
      coarse: blocksOf(Math.floor(end / chunkSize), Math.ceil(length / unit)),
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
