/** The character-level transformer: bytes, sinusoidal positions, pre-LayerNorm causal blocks, cross-entropy. */
import { z } from "zod";
import { Decoder } from "./decoder.js";
import { defineModel } from "./define.js";
import { computationKeys } from "./keys.js";

/** The section `model` of the configuration; every key has a default. */
export const charTransformerConfig = z.strictObject({
  /** Longest sequence. */
  context: z.int().positive().default(64),
  /** Entries of the vocabulary: bytes. */
  vocab: z.int().positive().default(256),
  /** Blocks of attention and a feed-forward layer, one after the other. */
  layers: z.int().positive().default(4),
  /** Heads of attention, each of the width embed / heads. */
  heads: z.int().positive().default(4),
  /** Width of the residual stream. */
  embed: z.int().positive().default(128),
  /** Width of the feed-forward layer; default four times the residual stream's. */
  mlp: z.int().positive().optional(),
  /** Sines of the positions added to the embeddings, which are scaled for it; without, a token knows of the order by the causal mask alone. */
  sinusoidal: z.boolean().default(true),
  /** Biases in linear layers and norms. */
  bias: z.boolean().default(true),
  /** The part of either branch's result that is dropped while training. */
  dropout: z.number().min(0).lt(1).default(0),
  ...computationKeys,
});
/** A resolved configuration of {@link CharTransformer}. */
export type CharTransformerConfig = z.infer<typeof charTransformerConfig>;

/**
 * A character-level transformer: embeddings scaled by the square root of the width, sinusoidal positions (Vaswani et al. 2017,
 * "Attention Is All You Need"), pre-LayerNorm causal blocks, a linear head. Tokens `[batch, seq]` are i32, scores `[batch, seq, vocab]`.
 */
export class CharTransformer extends Decoder {
  constructor(readonly config: CharTransformerConfig) {
    super({ ...config, mlp: config.mlp ?? 4 * config.embed });
  }
}

/** The model as a definition to compile, with its configuration. */
export const charTransformer = defineModel({
  name: "char-transformer",
  config: charTransformerConfig,
  build: (c) => new CharTransformer(c),
});

export default charTransformer;
