import type { Initializer } from "../../../ops/initializers.js";
import type { StackOptions } from "../../../ops/module.js";
import type { Tensor } from "../../../ops/tensor.js";
import type { AttentionSizes, KvCache } from "../attention.js";
import type { SummarizerOptions } from "./summarizer.js";

/** Sizes and kinds of the parts of a `Memory`. */
export interface MemoryOptions extends AttentionSizes {
  /** Tokens that the short-term memory holds: the last ones. */
  readonly tokens: number;
  /** Tokens that are summarized together; divides `tokens`. */
  readonly chunk: number;
  /** Vectors that a chunk becomes. */
  readonly vectors: number;
  /** Chunks that the long-term memory holds; 0: there is none. */
  readonly chunks: number;
  /** What a full long-term memory does without: its `oldest` chunk, or the `newest`, which is not written. */
  readonly evict: "oldest" | "newest";
  /** The transformer that summarizes. */
  readonly summarizer: Pick<SummarizerOptions, "layers" | "heads" | "mlp">;
  /**
   * A segment is as long as the short-term memory. What a query reads of chunks more than so many segments before its own has no gradient
   * (truncated backpropagation through time). Default: all has.
   */
  readonly through?: number | undefined;
  /** Rotary positions with this base in the short-term memory and within a chunk. Default none. */
  readonly rotary?: number | undefined;
  readonly epsilon?: number | undefined;
  /** How weights begin. Default normal(0.02). */
  readonly init?: Initializer;
  /** How the weights that end in the residual stream begin. Default as the others. */
  readonly residualInit?: Initializer;
  /** Queries and keys worked on at a time. Default 512. */
  readonly blockSize?: number | undefined;
  /** How the summarizer's layers are run. */
  readonly stack?: StackOptions | undefined;
}

/** Keys and values of summaries: along `key` the chunks, oldest first, each with its vectors. */
export interface Summaries {
  /** Axes `batch`, `key`, `kvHeads`, `headDim`, as those of `value`. */
  readonly key: Tensor;
  readonly value: Tensor;
}

/** How much a session holds (i32, axis `batch`). */
export interface Held {
  readonly tokens: Tensor;
  readonly chunks: Tensor;
}

/** What is remembered from text to text; all zeros: nothing. What there is stands at the end of its place. */
export interface Session {
  /** `[batch, seq, embed]`: of the last tokens. */
  readonly states: Tensor;
  readonly summaries?: Summaries | undefined;
  readonly held: Held;
}

/** What decoding carries from token to token: what a session began with, where there was one, and what came behind it. */
export interface MemoryCache {
  readonly states: Tensor;
  readonly short: KvCache;
  readonly summaries?: Summaries | undefined;
  readonly held?: Held | undefined;
}
