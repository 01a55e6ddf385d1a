import { Module } from "../ops/module.js";
import type { Key } from "../ops/random.js";
import type { Tensor } from "../ops/tensor.js";
import { crossEntropy, type KvCache } from "./layers/index.js";

/**
 * What decoding carries from token to token, by the path of the module it belongs to: keys and values of every layer for the
 * positions seen so far.
 */
export type Cache = { readonly [path: string]: KvCache };

/** How a model is run on tokens. */
export interface RunOptions {
  /** Positions of the tokens (i32); default 0, 1, 2, ... along `seq`. */
  readonly positions?: Tensor<"batch" | "seq">;
  /** What earlier tokens left; the tokens' keys and values are put into it at their positions. */
  readonly cache?: Cache;
  /** Randomness of dropout, for models that have some; without it nothing is dropped. */
  readonly key?: () => Key;
}

/** Final hidden states, and the keys and values of all layers. */
export interface Hidden {
  /** What `logits` is given. */
  readonly hidden: Tensor<"batch" | "seq" | "embed">;
  /** Of the tokens alone, or of all positions where a cache was given; `{}` for a model without. */
  readonly cache: Cache;
}

/** A causal model of token sequences: what the train step and generation need of it. */
export abstract class LanguageModel extends Module {
  /** Hidden states of tokens (i32). */
  abstract run(tokens: Tensor<"batch" | "seq">, options?: RunOptions): Hidden;
  /** Scores of the next token. */
  abstract logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab">;

  /** Scores of the next token at every position. */
  call(tokens: Tensor<"batch" | "seq">, options: RunOptions = {}): Tensor<"batch" | "seq" | "vocab"> {
    return this.logits<"batch" | "seq">(this.run(tokens, options).hidden);
  }

  /** Sum of the cross-entropies (nats) of the targets, and their number; targets of -1 are left out. */
  loss(
    tokens: Tensor<"batch" | "seq">,
    targets: Tensor<"batch" | "seq">,
    options: RunOptions = {},
  ): { sum: Tensor<never>; count: Tensor<never> } {
    return crossEntropy(this.call(tokens, options), targets);
  }
}
