/** What the programs of training read of the data: windows of tokens, and what belongs to them. */
import { iota, oneHot, where } from "../../ops/functions.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { type EmbeddingKinds, embeddingsSpec, type GivenEmbeddings, moved } from "../layers/projections.js";
import type { DataConfig } from "./data.js";

/** Windows of tokens; each is one longer than what the model sees, since targets are the next tokens. All are i32. */
export interface Batch<A extends string> {
  /** -1: nothing is there. */
  readonly tokens: Tensor<A | "window">;
  /** The number of the document that a token belongs to, where rows are packed: 1, 2, ... along the row. */
  readonly segments?: Tensor<A | "window">;
  /** 1 where a token is to be learnt as a target, 0 where it is only read, where the data have such. */
  readonly mask?: Tensor<A | "window">;
  /** The type of the record that a token is of, by its number in `data.types.values`, where the data have such; -1: none. */
  readonly types?: Tensor<A | "window">;
  /** What stands in the place of tokens, which are -1 there, for models that take such. */
  readonly embeddings?: GivenEmbeddings<A, "window"> | undefined;
}

/** What a model is given of windows, and what it is to say at each position; targets of -1 are left out. */
export interface Examples<A extends string> {
  readonly inputs: Tensor<A | "seq">;
  readonly targets: Tensor<A | "seq">;
  /** Of packed rows: where each token stands in its document. */
  readonly positions?: Tensor<A | "seq">;
  readonly segments?: Tensor<A | "seq">;
  readonly embeddings?: GivenEmbeddings<A> | undefined;
}

/** Whether some tokens of the data are read only: what is asked, where answers alone are learnt. */
const asksOnly = ({ format, answersOnly }: DataConfig): boolean => format !== "text" && answersOnly;

/**
 * A batch to be traced, its axes outside of `window` as given; `accepts`: what the model takes in the place of tokens; `typed`: with the types
 * of what tokens are of, where the data have such.
 */
export function batchSpec<A extends string>(
  sizes: Readonly<Record<A, number>>,
  context: number,
  data: DataConfig,
  accepts: EmbeddingKinds,
  typed = false,
): Batch<A> {
  const embeddings = embeddingsSpec<A, "window">(accepts, sizes, { window: context + 1 });
  const windows = () => spec({ ...sizes, window: context + 1 }, "i32") as Tensor as Tensor<A | "window">;
  return {
    tokens: windows(),
    ...(data.packing && { segments: windows() }),
    ...(asksOnly(data) && { mask: windows() }),
    ...(typed && data.types && { types: windows() }),
    ...(embeddings && { embeddings }),
  };
}

/** Of every window its inputs and targets. A target is the next token of the same document. */
export function examplesOf<A extends string>({ segments, ...batch }: Batch<A>): Examples<A> {
  const tokens = batch.tokens as Tensor;
  const inputs = before(tokens).maximum(0) as Tensor;
  const targets = targetsOf({ segments, ...batch } as Batch<A>);
  const { embeddings } = batch;
  const beside = embeddings && { embeddings: moved<A, "window", "seq">(embeddings, before) };
  if (segments === undefined) return { inputs, targets, ...beside };
  const places = { positions: positionsIn(segments as Tensor), segments: before(segments as Tensor) };
  return { inputs, targets, ...beside, ...places } as never;
}

/** 1 for the type of what each input is of (f32), where the data have types: so many. */
export function typesOf<A extends string>(
  { types }: Batch<A>,
  number: number | undefined,
): Tensor<A | "seq" | "type"> | undefined {
  return types && number ? (oneHot(before(types as Tensor), { type: number }) as Tensor) : undefined;
}

/** What a model is to say at each position of the windows; -1: nothing. */
export function targetsOf<A extends string>(batch: Batch<A>): Tensor<A | "seq"> {
  const { tokens, segments, mask } = batch as Batch<any>;
  let targets = after(tokens);
  if (segments) targets = where(after(segments).eq(before(segments)), targets, -1) as Tensor;
  if (mask) targets = where(after(mask).ne(0), targets, -1) as Tensor;
  return targets;
}

const before = (windows: Tensor): Tensor => windows.slice("window", 0, -1).rename("window", "seq") as Tensor;
const after = (windows: Tensor): Tensor => windows.slice("window", 1).rename("window", "seq") as Tensor;

/** How far each token is from the first of its document. */
function positionsIn(segments: Tensor): Tensor {
  const own = before(segments);
  const size = own.size("seq");
  const place = iota({ seq: size }) as Tensor;
  const changes = own.slice("seq", 1).ne(own.slice("seq", 0, -1) as never) as Tensor;
  // The largest beginning so far, by doubling.
  let begins = changes
    .cast("i32")
    .mul(place.slice("seq", 1) as never)
    .pad("seq", 1, 0) as Tensor;
  for (let shift = 1; shift < size; shift *= 2)
    begins = begins.maximum(begins.slice("seq", 0, size - shift).pad("seq", shift, 0) as never) as Tensor;
  return place.sub(begins).ordered(own.names) as Tensor;
}
