import { forEachUse, type Op, type Value } from "../compiler/ir.js";
import { currentLayout, tracing, withLayout } from "../compiler/trace.js";
import { iota } from "../ops/functions.js";
import { Module } from "../ops/module.js";
import { asParts, type Key } from "../ops/random.js";
import { type Tensor, tensorError } from "../ops/tensor.js";
import type { Controlled } from "./control/run_value.js";
import { inZigzag } from "./layers/attention/context_parallel.js";
import { chunkedCrossEntropy, type EmbeddingKinds, type GivenEmbeddings, type KvCache } from "./layers/index.js";
import { moved } from "./layers/projections.js";

/**
 * What decoding carries from token to token in a model whose layers are attention, by the path of the module it belongs to: keys and
 * values of every layer for the positions seen so far. Other models carry other trees of tensors: `LanguageModel<{ state: Tensor }>`.
 */
export type Cache = { readonly [path: string]: KvCache };

/** How a model is run on tokens. */
export interface RunOptions<C extends object = Cache> {
  /** Positions of the tokens (i32); default 0, 1, 2, ... along `seq`. */
  readonly positions?: Tensor<"batch" | "seq">;
  /** What earlier tokens left; the tokens' keys and values are put into it at their positions. */
  readonly cache?: C;
  /** Randomness of dropout, for models that have some; without it nothing is dropped. */
  readonly key?: () => Key;
  /**
   * The documents packed into each row, by number (i32): a token sees those of its own document only. `positions` then begin anew with
   * each. Training hands both over where the data are packed, and takes no result that was not computed from them.
   */
  readonly segments?: Tensor<"batch" | "seq">;
  /**
   * How many tokens of each row count (i32), where a prompt is shorter than the row: what stands behind them is padding. Keys and values
   * of padding do no harm, since decoding writes over them before it sees them; a state that is carried from token to token must stay as
   * the last token that counts left it.
   */
  readonly length?: Tensor<"batch">;
  /** 1 for the type of what a token is of (f32): for routers to say how alike the experts of types are. */
  readonly types?: Tensor<"batch" | "seq" | "type"> | undefined;
  /** What stands in the place of tokens, for models that take such: see `LanguageModel.accepts`. */
  readonly embeddings?: GivenEmbeddings<"batch"> | undefined;
  /** What was remembered of earlier texts, for models that do: see `LanguageModel.session`. */
  readonly session?: object;
}

/** How the loss is computed. */
export interface LossOptions<C extends object = Cache> extends RunOptions<C> {
  /**
   * How many positions of what a device has of each sequence have their scores at a time. Default: all, unless their scores would take
   * more than 256 MiB of it; see `chunkedCrossEntropy`.
   */
  readonly chunk?: number | undefined;
  /** Is given the model and its final hidden states with their targets, to report of them. */
  readonly assess?: Assess | undefined;
}

/** Reports of what a model gives before it is scored. */
export type Assess = (
  model: LanguageModel<object>,
  hidden: Tensor<"batch" | "seq" | "embed">,
  targets: Tensor<"batch" | "seq">,
) => void;

/** Final hidden states, and what decoding carries on from them. */
export interface Hidden<C extends object = Cache> {
  /** What `logits` is given. */
  readonly hidden: Tensor<"batch" | "seq" | "embed">;
  /** Of the tokens alone, or of all positions where a cache was given; `{}` for a model without. */
  readonly cache: C;
}

/** A causal model of token sequences: what the train step and generation need of it. */
export abstract class LanguageModel<C extends object = Cache> extends Module {
  /** Whether something is carried along its sequences: on a mesh they lie in order then, and not balanced. */
  protected readonly sequential: boolean = false;

  /** Hidden states of tokens (i32). */
  abstract run(tokens: Tensor<"batch" | "seq">, options?: RunOptions<C>): Hidden<C>;
  /** Scores of the next token. */
  abstract logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab">;

  /** What the model remembers from text to text, as declared, for so many at a time; all zeros: nothing. Default: it does not. */
  session(_batch: number): object | undefined {
    return undefined;
  }

  /** What it remembers after so many tokens of each row, by the cache that reading them with a session left. */
  remember(_cache: C, _length: Tensor<"batch">): object {
    return {};
  }

  /** What the model takes in the place of tokens: a program that reads sequences has inputs for it. Default: nothing. */
  accepts(): EmbeddingKinds {
    return {};
  }

  /** What of the model may be controlled while it runs (docs/control.md). Default: nothing. */
  controlled(): Controlled | undefined {
    return undefined;
  }

  /**
   * The vectors `[..., embed]` that the scores of tokens (i32) are products of hidden states with; of models that may be controlled.
   * @throws XenarcError for others.
   */
  directions<A extends string>(_tokens: Tensor<A>): Tensor<A | "embed"> {
    throw tensorError("The model does not say what hidden states are compared with.", [], {
      fix: "Give it a method `directions`, as XenarcaiI2 has.",
    });
  }

  /** Scores of the next token at every position. */
  call(tokens: Tensor<"batch" | "seq">, options: RunOptions<C> = {}): Tensor<"batch" | "seq" | "vocab"> {
    return this.logits<"batch" | "seq">(this.run(tokens, options).hidden);
  }

  /** Sum of the cross-entropies (nats) of the targets, and their number; targets of -1 are left out. */
  loss(
    tokens: Tensor<"batch" | "seq">,
    targets: Tensor<"batch" | "seq">,
    options: LossOptions<C> = {},
  ): { sum: Tensor<never>; count: Tensor<never> } {
    if (this.sequential) return this.lossInOrder(tokens, targets, options);
    return balanced(tokens, targets, options, (...given) => this.lossInOrder(...given));
  }

  /** The loss of tokens that lie as they are given. */
  private lossInOrder(
    tokens: Tensor<"batch" | "seq">,
    targets: Tensor<"batch" | "seq">,
    { chunk, assess, ...options }: LossOptions<C>,
  ): { sum: Tensor<never>; count: Tensor<never> } {
    const { hidden } = readingPlaces(options, () => this.run(tokens, options));
    assess?.(this as unknown as LanguageModel<object>, hidden, targets);
    const head = (model: LanguageModel<C>, hidden: Tensor) => model.logits(hidden);
    return chunkedCrossEntropy(this as LanguageModel<C>, head, hidden, targets, chunk);
  }
}

/**
 * Brings a sequence that is split over the mesh into the order in which every device has the same work; without such a mesh it stays as
 * it is. The loss is a sum over positions: their order is nothing to it, and the model is told where they are.
 */
function balanced<R, C extends object>(
  tokens: Tensor<"batch" | "seq">,
  targets: Tensor<"batch" | "seq">,
  options: LossOptions<C>,
  loss: (tokens: Tensor<"batch" | "seq">, targets: Tensor<"batch" | "seq">, options: LossOptions<C>) => R,
): R {
  const layout = currentLayout();
  const devices = layout?.parts("activations", "seq") ?? 1;
  const { attention, balance = true } = layout?.context ?? {};
  if (layout === undefined || devices === 1 || !balance || attention === "alltoall")
    return loss(tokens, targets, options);
  const size = tokens.size("seq");
  const inOrder = <A extends string>(x: Tensor<A | "seq">) => inZigzag<A>(x, devices);
  const places = inOrder<never>(iota({ seq: size }));
  const alike = () =>
    places.broadcast({ batch: tokens.size("batch") }).ordered(tokens.names) as Tensor<"batch" | "seq">;
  const positions = options.positions ? inOrder<"batch">(options.positions) : alike();
  const segments = options.segments && inOrder<"batch">(options.segments);
  const types = options.types && inOrder<"batch" | "type">(options.types);
  const embeddings = options.embeddings && moved<"batch", "seq", "seq">(options.embeddings, inOrder<"batch">);
  const placed = { ...options, positions, types, embeddings, ...(segments && { segments }) };
  const seq = { at: places, of: size };
  return withLayout(layout.balanced(), () =>
    asParts({ seq }, () => loss(inOrder<"batch">(tokens), inOrder<"batch">(targets), placed)),
  );
}

/**
 * Runs a model that is told where its tokens stand.
 * @throws XenarcError when it does not compute with what it is told: its result would be that of other places.
 */
function readingPlaces<R, C extends object>({ positions, segments }: RunOptions<C>, run: () => R): R {
  const { ops } = tracing().region;
  const before = ops.length;
  const result = run();
  const unread = (given: Tensor<any> | undefined) =>
    given !== undefined && !ops.slice(before).some((op) => reads(op, given.value));
  if (unread(segments)) {
    throw tensorError(
      "The model does not ask which tokens are of one document: run(...) was given segments, and did not use them.",
      [],
      {
        expected: "segments as given, since documents share rows (data.packing)",
        fix: "Give options.segments to every attention layer, or leave documents alone: data.packing=false.",
      },
    );
  }
  if (unread(positions)) {
    const [why, without] = segments
      ? ["documents share rows (data.packing)", "leave documents alone: data.packing=false"]
      : ["the sequence is split over the mesh in zigzag order", "leave the sequence in order: sharding.balance=false"];
    throw tensorError(
      "The model does not ask where its tokens are: run(...) was given positions, and did not use them.",
      [],
      {
        expected: `positions as given, since ${why}`,
        fix: `Compute what depends on positions from options.positions, or ${without}.`,
      },
    );
  }
  return result;
}

function reads(op: Op, value: Value): boolean {
  let found = false;
  forEachUse(op, (v) => {
    found ||= v === value;
  });
  return found;
}
