/** Vectors of another origin, such as an image's encoder, in the place of tokens. */
import { gather, where } from "../../ops/functions.js";
import type { Initializer } from "../../ops/initializers.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { Linear } from "./linear.js";

/** What a model takes in the place of tokens, by name: how wide vectors may be, and how many a sequence may have. */
export type EmbeddingKinds = Readonly<Record<string, { readonly width: number; readonly most: number }>>;

/** The vectors of one kind that stand in sequences, and where. */
export interface PlacedEmbeddings<A extends string, S extends string = "seq"> {
  /** Which of the vectors stands at each position (i32); -1: a token does. */
  readonly slots: Tensor<A | S>;
  /** f32. A vector that is narrower is filled up with zeros. */
  readonly vectors: Tensor<A | "slot" | "width">;
}

/** By the name of the kind. */
export type GivenEmbeddings<A extends string, S extends string = "seq"> = Readonly<
  Record<string, PlacedEmbeddings<A, S>>
>;

/** To be traced, for sequences along the axis `along`; undefined for a model that takes none. */
export function embeddingsSpec<A extends string, S extends string>(
  kinds: EmbeddingKinds,
  sizes: Readonly<Record<A, number>>,
  along: Readonly<Record<S, number>>,
): GivenEmbeddings<A, S> | undefined {
  const names = Object.keys(kinds);
  if (names.length === 0) return undefined;
  const one = ({ width, most }: EmbeddingKinds[string]) => ({
    slots: spec({ ...sizes, ...along }, "i32") as Tensor,
    vectors: spec({ ...sizes, slot: most, width }, "f32") as Tensor,
  });
  return Object.fromEntries(names.map((name) => [name, one(kinds[name]!)])) as never;
}

/** The same vectors, where they come to stand when the sequence is changed. */
export const moved = <A extends string, S extends string, T extends string>(
  given: GivenEmbeddings<A, S>,
  change: (slots: Tensor<A | S>) => Tensor<A | T>,
): GivenEmbeddings<A, T> =>
  Object.fromEntries(
    Object.entries(given).map(([name, { slots, vectors }]) => [name, { slots: change(slots), vectors }]),
  );

/** Linear maps of vectors to a model's width, by the name of their kind. */
export type Projections<D extends string> = Readonly<Record<string, Linear<"width", D>>>;

/** A linear map for each kind. A narrower vector is read by the first rows of the map: the others meet zeros. */
export const projections = <D extends string>(
  kinds: EmbeddingKinds,
  to: Readonly<Record<D, number>>,
  init: Initializer,
): Projections<D> =>
  Object.fromEntries(
    Object.entries(kinds).map(([name, { width }]) => [name, new Linear({ width }, to as never, { init })]),
  ) as never;

/** Embedded tokens `[batch, seq, D]` with the projected vectors where these stand. */
export function withEmbeddings<D extends string>(
  x: Tensor<"batch" | "seq" | D>,
  maps: Projections<D>,
  given: GivenEmbeddings<"batch"> = {},
): Tensor<"batch" | "seq" | D> {
  return Object.entries(given).reduce((tokens, [name, { slots, vectors }]) => {
    const projected = maps[name]!.call<"batch" | "slot">(vectors.cast(x.dtype) as Tensor) as Tensor;
    const here = gather(projected, "slot", slots.maximum(0) as Tensor);
    return where(slots.ge(0), here, tokens) as Tensor;
  }, x as Tensor) as Tensor<"batch" | "seq" | D>;
}
