/** The character-level transformer: bytes, sinusoidal positions, pre-LayerNorm causal blocks, cross-entropy. */
import { z } from "zod";
import { stagesOf } from "../compiler/trace.js";
import { iota } from "../ops/functions.js";
import { normal } from "../ops/initializers.js";
import { Stack } from "../ops/module.js";
import { split } from "../ops/random.js";
import type { Tensor } from "../ops/tensor.js";
import { defineModel } from "./define.js";
import { type Hidden, LanguageModel, type RunOptions } from "./language_model.js";
import { Block, Embedding, LayerNorm, Linear, sinusoidalPositions } from "./layers/index.js";
import { rematSchema } from "./train/config.js";

/** The section `model` of the configuration; every key has a default. */
export const charTransformerConfig = z.strictObject({
  /** Longest sequence. */
  context: z.int().positive().default(64),
  /** Entries of the vocabulary: bytes. */
  vocab: z.int().positive().default(256),
  layers: z.int().positive().default(4),
  heads: z.int().positive().default(4),
  /** Width of the residual stream. */
  embed: z.int().positive().default(128),
  /** Width of the feed-forward layer; default four times the residual stream's. */
  mlp: z.int().positive().optional(),
  /** Biases in linear layers and norms. */
  bias: z.boolean().default(true),
  dropout: z.number().min(0).lt(1).default(0),
  /** Element type of the computation; weights are float32. */
  dtype: z.enum(["f32", "bf16"]).default("f32"),
  /** What of a layer is kept for the backward pass: `everything`, `nothing`, or names, those of `offload` in the host's memory. */
  remat: rematSchema.default("everything"),
  /** Layers written one after the other instead of a loop. */
  unroll: z.boolean().default(false),
});
/** A resolved configuration of {@link CharTransformer}. */
export type CharTransformerConfig = z.infer<typeof charTransformerConfig>;

/**
 * A character-level transformer: embeddings scaled by the square root of the width, sinusoidal positions (Vaswani et al. 2017,
 * "Attention Is All You Need"), pre-LayerNorm causal blocks, a linear head. Tokens `[batch, seq]` are i32, scores `[batch, seq, vocab]`.
 */
export class CharTransformer extends LanguageModel {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: LayerNorm<"embed">;
  readonly head: Linear<"embed", "vocab">;

  constructor(readonly config: CharTransformerConfig) {
    super();
    const { layers, heads, embed, vocab, bias, dropout, remat, unroll } = config;
    const init = normal(0.02);
    const residual = normal(0.02 / Math.sqrt(2 * layers));
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.blocks = new Stack(
      { layers },
      () => new Block({ embed, heads, mlp: config.mlp ?? 4 * embed, bias, dropout, init, residualInit: residual }),
      { remat, unroll },
    );
    this.norm = new LayerNorm({ embed }, { bias });
    this.head = new Linear({ embed }, { vocab }, { bias, init });
  }

  run(tokens: Tensor<"batch" | "seq">, { positions, segments, cache, key }: RunOptions = {}): Hidden {
    const { embed, dtype, layers } = this.config;
    const at =
      positions ??
      iota({ seq: tokens.size("seq") })
        .broadcast({ batch: tokens.size("batch") })
        .ordered(["batch", "seq"]);
    const embedded = this.tokens.call(tokens).mul(Math.sqrt(embed));
    const x = embedded.add(sinusoidalPositions(at, { embed }));
    const keys = key && this.config.dropout > 0 ? split(key(), { layers }) : undefined;
    // In stages each part of the batch takes along which documents its own tokens are of.
    const own = stagesOf("layers") ? segments : undefined;
    const [h, stacked] = this.blocks.scanWith(
      { x: x.cast(dtype), own },
      { cache: cache?.blocks, keys },
      (block, { x, own }, layer) => {
        const places = { positions: at, segments: own ?? segments };
        const [out, seen] = block.call(x, { ...places, cache: layer.cache, key: layer.keys });
        return [{ x: out, own }, seen];
      },
    );
    return { hidden: this.norm.call(h.x), cache: { blocks: stacked } };
  }

  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }
}

/** The model as a definition to compile, with its configuration. */
export const charTransformer = defineModel({
  name: "char-transformer",
  config: charTransformerConfig,
  build: (c) => new CharTransformer(c),
});

export default charTransformer;
