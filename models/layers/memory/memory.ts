import { currentLayout } from "../../../compiler/trace.js";
import { concatenate, gather, iota, ones } from "../../../ops/functions.js";
import { normal } from "../../../ops/initializers.js";
import { Module, spec } from "../../../ops/module.js";
import { putInParts } from "../../../ops/per_device.js";
import { type Tensor, tensorError } from "../../../ops/tensor.js";
import { Attention, type AttentionSizes } from "../attention.js";
import { RmsNorm } from "../rms_norm.js";
import { LongTerm } from "./long_term.js";
import type { Held, MemoryCache, MemoryOptions, Session } from "./session.js";

/** Positions, session and cache of one call of a {@link Memory}. */
export interface MemoryCallOptions {
  /** Positions of the input (i32): `seq`, or `batch` and `seq`; with a cache its places. */
  readonly positions: Tensor;
  /** The sequences packed into a row, by number (i32): each reads what is of its own. */
  readonly segments?: Tensor | undefined;
  readonly session?: Session | undefined;
  readonly cache?: MemoryCache | undefined;
}

/**
 * Two memories that a sequence reads. The short-term memory holds the states of the last `tokens` tokens. When the first token of a chunk
 * leaves it, a transformer summarizes the chunk, and the long-term memory holds its vectors (as the compressed memory of Rae et al. 2019,
 * "Compressive Transformers for Long-Range Sequence Modelling", arXiv:1911.05507):
 *
 *     s = norm(x)
 *     x = x + attention(s, to the last `tokens` of s up to its own)
 *     x = x + attention(norm(x), to the summaries of the chunks whose first token is behind those)
 *
 * A token reads all of the past, as long as the long-term memory is not full, and nothing of what is to come. Chunks are counted from
 * where the sequence began, or behind a session from the first token that it holds.
 */
export class Memory extends Module {
  readonly norm: RmsNorm<"embed">;
  readonly short: Attention;
  readonly long: LongTerm | undefined;
  private readonly sizes: Pick<MemoryOptions, "tokens" | "vectors" | "chunks"> & Required<AttentionSizes>;
  /** @throws XenarcError when the short-term memory does not hold a whole number of chunks. */
  constructor(options: MemoryOptions) {
    super();
    const { tokens, chunk, vectors, chunks, embed, heads, kvHeads = heads, headDim = embed / heads } = options;
    const { epsilon = 1e-5, init = normal(0.02), residualInit = init, rotary, blockSize } = options;
    if (tokens % chunk !== 0)
      throw tensorError(`Memory: the short-term memory holds ${tokens} tokens, and a chunk has ${chunk}.`, [], {
        expected: "a multiple of the chunk",
      });
    this.norm = new RmsNorm({ embed }, { epsilon });
    this.short = new Attention(options, {
      bias: false,
      init,
      outputInit: residualInit,
      rotary,
      window: tokens,
      blockSize,
    });
    this.long = chunks > 0 ? new LongTerm(options) : undefined;
    this.sizes = { tokens, vectors, chunks, embed, heads, kvHeads, headDim };
  }

  /** What is remembered from text to text, as declared. */
  session(batch: number, dtype: "f32" | "bf16"): Session {
    const { tokens, vectors, chunks, embed, kvHeads, headDim } = this.sizes;
    const entries = (): Tensor => spec({ batch, key: chunks * vectors, kvHeads, headDim }, dtype) as Tensor;
    const number = (): Tensor => spec({ batch }, "i32") as Tensor;
    return {
      states: spec({ batch, seq: tokens, embed }, dtype) as Tensor,
      ...(this.long && { summaries: { key: entries(), value: entries() } }),
      held: { tokens: number(), chunks: number() },
    };
  }

  /**
   * x `[batch, seq, embed]` to `[batch, seq, embed]`, and what decoding carries on. With a cache, x is one token of each sequence.
   * @throws XenarcError for a sequence that does not lie in order on the mesh.
   */
  call(
    x: Tensor<"batch" | "seq" | "embed">,
    { positions, segments, session, cache }: MemoryCallOptions,
  ): [Tensor<"batch" | "seq" | "embed">, MemoryCache] {
    if (currentLayout()?.zigzag)
      throw tensorError("Memory: the sequence is split over the mesh in zigzag order.", [x], {
        expected: "its tokens in order, since a chunk is of neighbours",
        fix: "Leave it in order: sharding.balance=false.",
      });
    const state = this.norm.call<"batch" | "seq">(x) as Tensor;
    if (cache) return this.step(x, state, positions, cache);
    const before = session ? this.sizes.tokens : 0;
    const states = session ? (concatenate([session.states.cast(x.dtype) as Tensor, state], "seq") as Tensor) : state;
    const length = states.size("seq");
    const known = session && this.known(session.held, length);
    const at = session ? (iota({ seq: length }) as Tensor) : positions;
    const [read, short] = this.short.call<"batch">(states, { positions: at, segments: known ?? segments });
    const y = x.add(read.slice("seq", before, length) as never) as typeof x;
    const held = session?.held;
    const kept = { states, short, ...(held && { held }) };
    if (!this.long) return [y, kept];
    const [z, summaries] = this.long.call(y as Tensor, { states, before, known, held }, session?.summaries, segments);
    return [z as typeof x, { ...kept, summaries }];
  }

  /** What is remembered after so many tokens of each sequence `[batch]` behind a session, by the cache that reading them left. */
  remember({ states, summaries, held }: MemoryCache, length: Tensor<"batch">): Session {
    if (!held)
      throw tensorError("Memory: what a text leaves is remembered where it was read with a session.", [states]);
    const { tokens, vectors, chunks } = this.sizes;
    const cut = (x: Tensor, axis: string, from: Tensor, size: number): Tensor => {
      const places = (iota({ place: size }) as Tensor)
        .broadcast({ batch: from.size("batch") })
        .add(from as never) as Tensor;
      return gather(x, axis, places.ordered(["batch", "place"]))
        .rename("place", axis)
        .ordered(x.names) as Tensor;
    };
    const ofTokens = { states: cut(states, "seq", length as Tensor, tokens) };
    const more = held.tokens.add(length as never).minimum(tokens) as Tensor;
    if (!this.long || !summaries) return { ...ofTokens, held: { ...held, tokens: more } };
    const { end, count } = this.long.written(length as Tensor, held);
    const ofChunks = (x: Tensor) => cut(x, "key", end.mul(vectors) as Tensor, chunks * vectors);
    return {
      ...ofTokens,
      summaries: { key: ofChunks(summaries.key), value: ofChunks(summaries.value) },
      held: { tokens: more, chunks: held.chunks.add(count as never).minimum(chunks) as Tensor },
    };
  }

  private step(
    x: Tensor<"batch" | "seq" | "embed">,
    state: Tensor,
    positions: Tensor,
    { states, short, summaries, held }: MemoryCache,
  ): [Tensor<"batch" | "seq" | "embed">, MemoryCache] {
    if (x.size("seq") !== 1 || !positions.has("batch"))
      throw tensorError("Memory: with a cache it is given one token of each sequence at a time.", [x]);
    const before = held ? this.sizes.tokens : 0;
    const at = positions.add(before) as Tensor;
    const own = state.rename("seq", "step").cast(states.dtype) as Tensor;
    const all = putInParts(states, "seq", at.rename("seq", "step") as Tensor, own) as Tensor;
    const segments = held && (ones({ batch: x.size("batch"), seq: 1 }, "i32") as Tensor);
    const [read, next] = this.short.call<"batch">(state, { positions: at, cache: short, segments });
    const y = x.add(read as never) as typeof x;
    const kept = { states: all, short: next, ...(held && { held }) };
    if (!this.long || !summaries) return [y, kept];
    const given = { states: all, before, known: held && this.known(held, all.size("seq")), held };
    const [z, after] = this.long.step(y as Tensor, positions, given, summaries);
    return [z as typeof x, { ...kept, summaries: after }];
  }

  /** Which of a session's states, and of those behind them, are of tokens (1, else 0): `[batch, seq]`. */
  private known({ tokens }: Held, length: number): Tensor {
    const index = (iota({ seq: length }) as Tensor).broadcast({ batch: tokens.size("batch") }) as Tensor;
    const first = tokens.neg().add(this.sizes.tokens) as Tensor;
    return index
      .ge(first as never)
      .cast("i32")
      .ordered(["batch", "seq"]) as Tensor;
  }
}
