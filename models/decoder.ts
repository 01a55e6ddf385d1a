/** The decoder that Llama, Mixtral, the character transformer and the XenArcAI models are configurations of. */
import type { z } from "zod";
import { stagesOf } from "../compiler/trace.js";
import { iota } from "../ops/functions.js";
import { normal } from "../ops/initializers.js";
import { Stack } from "../ops/module.js";
import { split } from "../ops/random.js";
import type { Tensor } from "../ops/tensor.js";
import { type Hidden, LanguageModel, type RunOptions } from "./language_model.js";
import { makeNorm, type Norm } from "./layers/block.js";
import { Block, type BlockOptions, Embedding, Linear, sinusoidalPositions } from "./layers/index.js";
import type { rematSchema } from "./train/config.js";

/** Where a configuration's heads are not of one width. */
export const headsDivide = [
  ({ embed, heads }: { readonly embed: number; readonly heads: number }) => embed % heads === 0,
  { path: ["heads"] as string[], message: "heads must divide embed" },
] as const;

/** Sizes and kinds of the parts of a {@link Decoder}: its blocks', and these. */
export interface DecoderOptions extends Omit<BlockOptions, "init" | "residualInit"> {
  readonly vocab: number;
  readonly layers: number;
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
export class Decoder extends LanguageModel {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: Norm;
  readonly head: Linear<"embed", "vocab">;
  private readonly dtype: DecoderOptions["dtype"];
  private readonly sinusoidal: boolean;
  /** Whether training draws something at random. */
  private readonly random: boolean;

  constructor({ vocab, layers, sinusoidal = false, dtype, remat, unroll, ...block }: DecoderOptions) {
    super();
    const { embed, bias = true, dropout = 0, feedForward, moe } = block;
    const init = normal(0.02);
    const residualInit = normal(0.02 / Math.sqrt(2 * layers));
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.blocks = new Stack({ layers }, () => new Block({ ...block, init, residualInit }), { remat, unroll });
    this.norm = makeNorm(block);
    this.head = new Linear({ embed }, { vocab }, { bias, init });
    this.dtype = dtype;
    this.sinusoidal = sinusoidal;
    const jitters = [feedForward, moe].some((layer) => typeof layer === "object" && (layer.jitter ?? 0) > 0);
    this.random = dropout > 0 || jitters;
  }

  run(tokens: Tensor<"batch" | "seq">, { positions, segments, cache, key }: RunOptions = {}): Hidden {
    const { sinusoidal, dtype } = this;
    const seq = { seq: tokens.size("seq") };
    const at: Tensor =
      positions ??
      (sinusoidal
        ? iota(seq)
            .broadcast({ batch: tokens.size("batch") })
            .ordered(["batch", "seq"])
        : iota(seq));
    const keys = key && this.random ? split(key(), { layers: this.blocks.length }) : undefined;
    const x = sinusoidal ? this.placed(tokens, at) : this.tokens.call(tokens, dtype);
    // In stages each part of the batch takes along where its own tokens stand.
    const own = stagesOf("layers") && !cache ? { positions, segments } : undefined;
    const [h, stacked] = this.blocks.scanWith(
      { x, own },
      { cache: cache?.blocks, keys },
      (block, { x, own }, layer) => {
        const places = { positions: own?.positions ?? at, segments: own ? own.segments : segments };
        const [out, seen] = block.call(x, { ...places, cache: layer.cache, key: layer.keys });
        return [{ x: out, own }, seen];
      },
    );
    return { hidden: this.norm.call(h.x), cache: { blocks: stacked } };
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
