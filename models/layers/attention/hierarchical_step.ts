import { whileLoop } from "../../../ops/control.js";
import { dot, gather, iota, scalar, where } from "../../../ops/functions.js";
import type { Scalar, Tensor } from "../../../ops/tensor.js";
import { begin, evenly, finish, onward, type Running } from "./block.js";
import {
  type AllOptions,
  choose,
  chunkMeans,
  globalTokens,
  isLocal,
  PATHS,
  type Path,
  type Reached,
  unitsOf,
} from "./reach.js";
import { HIDDEN, type Keys, LOWEST, type Scores } from "./visible.js";

/** What a position of one sequence sees, and where its keys come from. */
export interface Sight {
  /** The position (i32). */
  readonly position: Scalar;
  /** Scores that are added by path. */
  readonly bias: Tensor<"path">;
  readonly reach: Reached;
  /** The selector's scores of all positions, where it chooses global tokens. */
  readonly selection?: Tensor<"key"> | undefined;
  /** The means of the keys and values of units that have ended (f32). */
  readonly means: { readonly k: Tensor; readonly v: Tensor };
  /** The first query of the position's block of queries: it chooses chunks. */
  readonly anchor: Tensor;
  /** Keys and values at places (i32) of the sequence. */
  readonly keysAt: (places: Tensor<"key">) => { readonly k: Keys; readonly v: Keys };
}

/**
 * What `hierarchical` gives the last position, by itself: one query `[kvHeads, ..., headDim]`, already scaled, of a sequence of which
 * `length` positions have room, its heads split over the mesh axes `split`. Keys are asked for in as many blocks as the values of the run say.
 */
export function hierarchicalStep(
  query: Tensor,
  sight: Sight,
  length: number,
  options: AllOptions,
  split: readonly string[] = [],
): Tensor {
  const { position, bias, reach, selection, means, anchor, keysAt } = sight;
  const { sinks, unit } = options;
  const size = evenly(length, options.blockSize);
  const tokens = globalTokens(reach, selection, length, options);
  const isNear = (places: Tensor) => isLocal(position as unknown as Tensor, places, reach, sinks);
  const wide = { dtype: "f32" } as const;
  const valueDim = keysAt(iota({ key: 1 })).v.size("headDim");

  /** Goes on over so many blocks of keys. */
  const over = (
    before: Running,
    path: Path,
    visits: Scalar,
    at: (i: Scalar) => { k: Keys; v: Keys; seen: Tensor },
  ): Running => {
    const own = bias.at("path", PATHS.indexOf(path));
    const end = where(own.gt(LOWEST), visits, 0);
    const start = { i: scalar(0, "i32"), ...before };
    const { i: _, ...after } = whileLoop(
      start,
      ({ i }) => i.lt(end),
      ({ i, ...running }) => {
        const { k, v, seen } = at(i);
        const s = where(seen, dot(query, k, "headDim", wide).add(own), HIDDEN);
        return { i: i.add(1), ...onward(running, s as Scores, v) };
      },
    );
    return after;
  };
  const blocks = (n: Scalar, each: number) => n.add(each - 1).div(each);
  const from = (i: Scalar, each: number) => iota({ key: each }).add(i.mul(each)) as Tensor<"key">;

  const first = over(begin(query, valueDim), "sinks", scalar(sinks === 0 ? 0 : 1, "i32"), () => {
    const places = iota({ key: Math.max(1, sinks) });
    return { ...keysAt(places), seen: places.le(position) };
  });
  const { window, dilation } = reach;
  const inWindow = window.minimum(position.add(1));
  const near = over(first, "local", blocks(inWindow.add(dilation).sub(1).div(dilation), size), (i) => {
    const places = from(i, size).mul(dilation).neg().add(position) as Tensor<"key">;
    const real = places.maximum(0) as Tensor<"key">;
    return { ...keysAt(real), seen: isNear(places).and(places.ge(0)) };
  });
  const each = evenly(tokens.at.size("key"), size);
  const marked = over(near, "global", blocks(tokens.upTo(position), each), (i) => {
    const last = tokens.at.size("key") - 1;
    const number = from(i, each);
    const [at, since] = [tokens.at, tokens.from].map((x) => taken(x, number.minimum(last) as Tensor<"key">)) as [
      Tensor<"key">,
      Tensor<"key">,
    ];
    const seen = since.le(position).and(number.le(last)).and(isNear(at).not());
    const { k, v } = keysAt(at);
    const weight = selection && taken(selection, at).sigmoid().cast(v.dtype);
    return { k, v: weight ? v.mul(weight) : v, seen };
  });
  const chunks = chunkMeans(means.k, means.v, reach, unit);
  const coarse = over(marked, "coarse", scalar(1, "i32"), () => ({
    k: chunks.k.cast(query.dtype),
    v: chunks.v.cast(query.dtype),
    seen: chunks.from.le(position),
  }));
  const perChunk = unitsOf(reach.chunk, unit);
  const begun = position.div(size).mul(size);
  const chosen = choose(anchor, begun, chunks.k, reach, options, split);
  const within = over(coarse, "chunks", chosen.count.mul(perChunk), (i) => {
    const chunk = chosen.chunks.at("choice", i.div(perChunk));
    const places = from(chunk.mul(perChunk).add(i.rem(perChunk)), unit);
    const asGlobal = places
      .broadcast({ token: tokens.at.size("key") })
      .eq(tokens.at.rename("key", "token"))
      .and(tokens.from.rename("key", "token").le(position))
      .any("token");
    const elsewhere = isNear(places).or(asGlobal).or(places.lt(sinks));
    return { ...keysAt(places.minimum(length - 1) as Tensor<"key">), seen: elsewhere.not() };
  });
  return finish(within as Running).out.cast(query.dtype) as unknown as Tensor;
}

const taken = (x: Tensor<"key">, at: Tensor<"key">): Tensor<"key"> =>
  gather(x, "key", at.rename("key", "place")).rename("place", "key") as Tensor<"key">;
