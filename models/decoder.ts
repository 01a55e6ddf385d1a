/** The decoder that Llama, Mixtral, the character transformer and the XenArcAI models are configurations of. */
import type { z } from "zod";
import { stagesOf } from "../compiler/trace.js";
import { iota } from "../ops/functions.js";
import { normal } from "../ops/initializers.js";
import { Stack } from "../ops/module.js";
import { foldIn, type Key, split } from "../ops/random.js";
import type { Tensor } from "../ops/tensor.js";
import { type Hidden, LanguageModel, type RunOptions } from "./language_model.js";
import { makeNorm, type Norm } from "./layers/block.js";
import {
  Block,
  type BlockOptions,
  Embedding,
  type KvCache,
  Linear,
  Memory,
  type MemoryCache,
  type MemoryOptions,
  type Session,
  sinusoidalPositions,
} from "./layers/index.js";
import type { rematSchema } from "./train/config.js";

/** Where a configuration's heads are not of one width. */
export const headsDivide = [
  ({ embed, heads }: { readonly embed: number; readonly heads: number }) => embed % heads === 0,
  { path: ["heads"] as string[], message: "heads must divide embed" },
] as const;

/** What a decoder says of its memory; the rest is as in its layers. */
type OfMemory = "tokens" | "chunk" | "vectors" | "chunks" | "evict" | "summarizer" | "through";

/** What decoding carries on: the stacks' keys and values, and what is remembered. */
export interface DecoderCache {
  readonly dense?: KvCache | undefined;
  readonly memory?: MemoryCache | undefined;
  readonly blocks: KvCache;
}

/** Sizes and kinds of the parts of a {@link Decoder}: its blocks', and these. */
export interface DecoderOptions extends Omit<BlockOptions, "init" | "residualInit"> {
  readonly vocab: number;
  readonly layers: number;
  /** So many layers in front of the others with a gated feed-forward layer of this width alone, for mixtures. Default none. */
  readonly dense?: { readonly layers: number; readonly mlp: number } | undefined;
  /** Memories that are read between the dense layers, where there are some, and the others. Default none. */
  readonly memory?: Pick<MemoryOptions, OfMemory> | undefined;
  /** Embeddings are multiplied by the square root of the width, and sines of the positions added. Default false. */
  readonly sinusoidal?: boolean;
  /** Element type of the computation; weights are float32. */
  readonly dtype: "f32" | "bf16";
  /** See `Stack`. */
  readonly remat: z.infer<typeof rematSchema>;
  readonly unroll: boolean;
}

/**
 * Embedded tokens, equal blocks one after the other, a norm, a linear head that shares no weights with the embedding. Tokens
 * `[batch, seq]` are i32, scores `[batch, seq, vocab]`. Weights begin normal(0.02), those that end in the residual stream smaller by
 * the square root of the number of branches (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3).
 */
export class Decoder extends LanguageModel<DecoderCache> {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly dense: Stack<Block, "layers"> | undefined;
  readonly memory: Memory | undefined;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: Norm;
  readonly head: Linear<"embed", "vocab">;
  private readonly dtype: DecoderOptions["dtype"];
  private readonly sinusoidal: boolean;
  /** Whether training draws something at random. */
  private readonly random: boolean;

  constructor({ vocab, layers, dense, memory, sinusoidal = false, dtype, remat, unroll, ...block }: DecoderOptions) {
    super();
    const { embed, bias = true, dropout = 0, feedForward, moe } = block;
    const init = normal(0.02);
    const residualInit = normal(0.02 / Math.sqrt(2 * (layers + (dense?.layers ?? 0))));
    const stack = (layers: number, own: Partial<BlockOptions> = {}) =>
      new Stack({ layers }, () => new Block({ ...block, init, residualInit, ...own }), { remat, unroll });
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.dense = dense && stack(dense.layers, { mlp: dense.mlp, feedForward: "swiglu", moe: undefined });
    const ofMemory = { ...block, ...memory!, init, residualInit, stack: { remat, unroll } };
    this.memory = memory && new Memory(ofMemory);
    this.blocks = stack(layers);
    this.norm = makeNorm(block);
    this.head = new Linear({ embed }, { vocab }, { bias, init });
    this.dtype = dtype;
    this.sinusoidal = sinusoidal;
    const jitters = [feedForward, moe].some((layer) => typeof layer === "object" && (layer.jitter ?? 0) > 0);
    this.random = dropout > 0 || jitters;
  }

  run(tokens: Tensor<"batch" | "seq">, options: RunOptions<DecoderCache> = {}): Hidden<DecoderCache> {
    const { positions, segments, cache, key, session } = options;
    const { sinusoidal, dtype } = this;
    const seq = { seq: tokens.size("seq") };
    const at: Tensor =
      positions ??
      (sinusoidal
        ? iota(seq)
            .broadcast({ batch: tokens.size("batch") })
            .ordered(["batch", "seq"])
        : iota(seq));
    const x = sinusoidal ? this.placed(tokens, at) : this.tokens.call(tokens, dtype);
    const drawn = key && this.random ? key() : undefined;
    // In stages each part of the batch takes along where its own tokens stand.
    const own = stagesOf("layers") && !cache ? { positions, segments } : undefined;
    const through = (stack: Stack<Block, "layers">, x: Hidden["hidden"], cache: KvCache | undefined, key?: Key) =>
      stack.scanWith(
        { x, own },
        { cache, keys: key && split(key, { layers: stack.length }) },
        (block, { x, own }, layer) => {
          const places = { positions: own?.positions ?? at, segments: own ? own.segments : segments };
          const [out, seen] = block.call(x, { ...places, cache: layer.cache, key: layer.keys });
          return [{ x: out, own }, seen];
        },
      );
    const [first, dense] = this.dense
      ? through(this.dense, x, cache?.dense, drawn && foldIn(drawn, this.blocks.length))
      : [{ x }];
    const remembering = { positions: at, segments, cache: cache?.memory, session: session as Session | undefined };
    const [y, memory] = this.memory ? this.memory.call(first.x, remembering) : [first.x];
    const [h, blocks] = through(this.blocks, y, cache?.blocks, drawn);
    const kept = { ...(dense && { dense }), ...(memory && { memory }), blocks };
    return { hidden: this.norm.call(h.x), cache: kept };
  }

  override session(batch: number): Session | undefined {
    return this.memory?.session(batch, this.dtype);
  }

  override remember({ memory }: DecoderCache, length: Tensor<"batch">): object {
    return this.memory!.remember(memory!, length);
  }

  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }

  /** Embeddings and the sines of their places, of about one size: hence the factor. */
  private placed(tokens: Tensor<"batch" | "seq">, at: Tensor<"batch" | "seq">): Tensor<"batch" | "seq" | "embed"> {
    const embed = this.tokens.weight.size("embed");
    const embedded = this.tokens.call(tokens).mul(Math.sqrt(embed));
    const x = embedded.add(sinusoidalPositions(at, { embed }));
    return x.cast(this.dtype);
  }
}
