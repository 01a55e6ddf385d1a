/** Llama: a decoder with RMSNorm, rotary positions, groups of heads that share keys and values, gated feed-forward layers, no biases. */
import { z } from "zod";
import { Decoder, headsDivide } from "./decoder.js";
import { defineModel } from "./define.js";
import type { HuggingFaceMap } from "./hugging_face.js";
import { computationKeys, normKeys } from "./keys.js";
import type { BlockOptions } from "./layers/index.js";

/** The section `model` of the configuration; every key has a default. */
export const llamaConfig = z
  .strictObject({
    /** Longest sequence. */
    context: z.int().positive().default(128),
    /** Entries of the vocabulary; 256: bytes. */
    vocab: z.int().positive().default(256),
    /** Blocks of attention and a feed-forward layer, one after the other. */
    layers: z.int().positive().default(4),
    /** Heads of attention, each of the width embed / heads. */
    heads: z.int().positive().default(4),
    /** Heads of keys and values, each shared by heads / kvHeads heads (Ainslie et al. 2023, arXiv:2305.13245). */
    kvHeads: z.int().positive().default(2),
    /** Width of the residual stream. */
    embed: z.int().positive().default(128),
    /** Width inside the feed-forward layer. */
    mlp: z.int().positive().default(352),
    /** Base of the rotary positions' wavelengths. */
    theta: z.number().positive().default(10_000),
    ...normKeys,
    ...computationKeys,
  })
  .refine(...headsDivide)
  .refine(({ heads, kvHeads }) => heads % kvHeads === 0, { path: ["kvHeads"], message: "kvHeads must divide heads" });
/** A resolved configuration of {@link Llama}. */
export type LlamaConfig = z.infer<typeof llamaConfig>;

/** Configurations by name: `tiny` to read and test, `7b` with the sizes of the first Llama's second smallest (Touvron et al. 2023, table 2). */
export const llamaPresets = {
  tiny: { context: 16, layers: 2, heads: 4, kvHeads: 2, embed: 32, mlp: 48, vocab: 64 },
  "7b": {
    context: 4096,
    vocab: 32_768,
    layers: 32,
    heads: 32,
    kvHeads: 32,
    embed: 4096,
    mlp: 11_008,
    dtype: "bf16",
    remat: "nothing",
  },
} as const satisfies Record<string, Partial<LlamaConfig>>;

/**
 * The decoder of Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language Models", arXiv:2302.13971: RMSNorm in front of
 * either branch, rotary positions, SwiGLU, a head that shares no weights with the embedding; and of its successors, with grouped
 * queries (arXiv:2307.09288). Tokens `[batch, seq]` are i32, scores `[batch, seq, vocab]`.
 */
export class Llama extends Decoder {
  /** `feedForward`: what stands in the place of the gated layer. */
  constructor(
    readonly config: LlamaConfig,
    feedForward: NonNullable<BlockOptions["feedForward"]> = "swiglu",
  ) {
    super({ ...config, norm: "rms", bias: false, rotary: config.theta, feedForward });
  }
}

/** Names and axes of what this file's `Llama` shares with its relatives, as `transformers` has them. */
const shared = {
  "tokens/weight": ["model.embed_tokens.weight", "vocab", "embed"],
  "blocks/attentionNorm/scale": ["model.layers.{layers}.input_layernorm.weight", "embed"],
  "blocks/attention/query/weight": ["model.layers.{layers}.self_attn.q_proj.weight", "heads headDim", "embed"],
  "blocks/attention/key/weight": ["model.layers.{layers}.self_attn.k_proj.weight", "kvHeads headDim", "embed"],
  "blocks/attention/value/weight": ["model.layers.{layers}.self_attn.v_proj.weight", "kvHeads headDim", "embed"],
  "blocks/attention/output/weight": ["model.layers.{layers}.self_attn.o_proj.weight", "embed", "heads headDim"],
  "blocks/mlpNorm/scale": ["model.layers.{layers}.post_attention_layernorm.weight", "embed"],
  "norm/scale": ["model.norm.weight", "embed"],
  "head/weight": ["lm_head.weight", "vocab", "embed"],
} as const;

type Described = Pick<
  LlamaConfig,
  "context" | "vocab" | "layers" | "heads" | "kvHeads" | "embed" | "mlp" | "theta" | "epsilon"
>;

/** A decoder like Llama's in `transformers`: the pairs of rotary positions are in halves there as they are here. */
export const likeLlama = (c: Described, architecture: string, type: string): HuggingFaceMap => ({
  config: {
    architectures: [architecture],
    model_type: type,
    hidden_act: "silu",
    hidden_size: c.embed,
    intermediate_size: c.mlp,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    num_key_value_heads: c.kvHeads,
    head_dim: c.embed / c.heads,
    vocab_size: c.vocab,
    max_position_embeddings: c.context,
    rms_norm_eps: c.epsilon,
    // The first two for releases before 5, the third for those since.
    rope_theta: c.theta,
    rope_scaling: null,
    rope_parameters: { rope_type: "default", rope_theta: c.theta },
    tie_word_embeddings: false,
  },
  floats: ["rms_norm_eps", "rope_theta"],
  tensors: shared,
});

/** Llama's map to `transformers`. */
export function llamaHuggingFace(c: Described): HuggingFaceMap {
  const { config, floats, tensors } = likeLlama(c, "LlamaForCausalLM", "llama");
  return {
    floats,
    config: { ...config, attention_bias: false, mlp_bias: false },
    tensors: {
      ...tensors,
      "blocks/mlp/gate/weight": ["model.layers.{layers}.mlp.gate_proj.weight", "mlp", "embed"],
      "blocks/mlp/up/weight": ["model.layers.{layers}.mlp.up_proj.weight", "mlp", "embed"],
      "blocks/mlp/down/weight": ["model.layers.{layers}.mlp.down_proj.weight", "embed", "mlp"],
    },
  };
}

/** The model as a definition to compile, with its configuration. */
export const llama = defineModel({
  name: "llama",
  config: llamaConfig,
  build: (c) => new Llama(c),
  huggingFace: llamaHuggingFace,
});

export default llama;
