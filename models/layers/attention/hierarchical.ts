import { currentLayout } from "../../../compiler/trace.js";
import { leaves, mapLeaves } from "../../../compiler/tree.js";
import { customVjp, named, type Slice, type Stacked, scan } from "../../../ops/control.js";
import { concatenate, dot, full, gather, iota, put, scalar, where, zeros } from "../../../ops/functions.js";
import { allGather, allReduce, axisSize, ownPart, perDevice } from "../../../ops/per_device.js";
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
import { alongSequences, headsOver, sharing } from "./heads.js";
import {
  type AllOptions,
  allOptions,
  byInput,
  type Chosen,
  choose,
  chunkMeans,
  type GlobalTokens,
  globalKeys,
  globalTokens,
  type HierarchyOptions,
  isLocal,
  meanVisits,
  NEVER,
  PATHS,
  type Path,
  type Reach,
  type Reached,
  unitMeans,
  unitsOf,
} from "./reach.js";
import { HIDDEN, type Keys, LOWEST, type Queries, type Row, type Scores } from "./visible.js";

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
  const shared = sharing(["kvHeads", ...own], over);
  const out = perDevice(
    given,
    (local) => {
      const [, out] = scan("batch", {}, local, (none, { q, k, v, bias, reach, selection }) => {
        const keys = { k: k.ordered(order.key), v: v.ordered(order.key) as Keys };
        return [
          none,
          ofInput(q.ordered(order.query), keys, bias, reach as unknown as Reached, selection, all, { over, shared }),
        ];
      });
      return out;
    },
    { axes, over: alongSequences(["kvHeads", ...own]) },
  );
  return out.ordered(query.names);
}

/** The attention of one sequence. */
function ofInput(
  q: Queries,
  { k, v }: { k: Keys; v: Keys },
  bias: Tensor<"seq" | "path">,
  reach: Reached,
  selection: Tensor<"key"> | undefined,
  options: AllOptions,
  { over, shared }: { readonly over: readonly string[]; readonly shared: readonly string[] },
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
  const core = inSteps({ length, size, rows: rowsOf(q, k), reach, tokens, chosen, landmarks, options, shared });
  const given = landmarks.flatMap((l) => [l.k, l.v]);
  const attend = customVjp<Operands, Tensor, unknown>(core.forward, core.backward as never);
  return attend(q, k, v, bias, ...(given as Tensor[]));
}

/** The axes that only queries have: seq, and groups of heads. */
const rowsOf = (q: Queries, k: Keys) =>
  q.names.filter((n) => n !== "headDim" && !k.has(n as "head")) as unknown as "seq"[];

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
  /** The mesh axes along which devices have the same queries. */
  readonly shared: readonly string[];
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

/**
 * A scan over blocks of queries that devices along `shared` all have: each goes through some of them, one in so many, since later ones see more,
 * and is given what the others found. What is carried is a sum, from nothing on.
 */
function overBlocks<C, X, Y>(
  shared: readonly string[],
  init: C,
  xs: X,
  body: (carry: C, x: Slice<X, "queryBlock">) => readonly [NoInfer<C>, Y],
): [C, Stacked<Y, "queryBlock">] {
  const devices = axisSize(shared);
  const count = (leaves(xs)[0] as Tensor).size("queryBlock");
  if (devices === 1 || count % devices !== 0) return scan("queryBlock", init, xs, body);
  const own = mapLeaves(xs, (leaf) => {
    const each = (leaf as Tensor).split("queryBlock", { queryBlock: count / devices, device: devices });
    return ownPart(each, "device", shared).at("device", 0);
  });
  const [sums, found] = scan("queryBlock", init, own, body);
  const all = mapLeaves(found, (leaf) => {
    const own = leaf as Tensor;
    const each = allGather(own.broadcast({ device: 1 }), "device", shared);
    const inOrder = own.names.flatMap((n) => (n === "queryBlock" ? [n, "device"] : [n]));
    return each.ordered(inOrder).merge(["queryBlock", "device"], "queryBlock");
  });
  return [allReduce(sums, shared), all];
}

/** The forward and the backward pass of one sequence. */
function inSteps({ length, size, rows, reach, tokens, chosen, landmarks, options, shared }: Steps) {
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
    const [, begun] = overBlocks(shared, {}, nearby, (none, { q, ...view }) => {
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
    const [, rowwise] = overBlocks(shared, {}, xs, (none, { q, before, ...view }) => {
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
    const [sums, found] = overBlocks(shared, init, xs, (sums, { x, ...view }) => {
      const parts = sets.map(({ k, v, over }, i) => over.differentiate(x as never, k, v, view as Block, sums[i]!));
      const dq = parts.map((p) => p.dq).reduce((a, b) => a.add(b));
      return [parts.map(({ dk, dv }) => ({ dk, dv })), { dq, dBias: parts.map((p) => overHeads(p.dBias)) }];
    });

    const near = passes(rows, local);
    const [kFolded, vFolded] = [foldedKeys(k), foldedKeys(v)];
    const nearby = { x: inBlocksOf((x) => fold(x, "seq")), ...localViews(bias) };
    const none: KeySums = { dk: accumulator(kFolded), dv: accumulator(vFolded) };
    const [nearSums, nearFound] = overBlocks(shared, none, nearby, (sums, { x, ...view }) => {
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
