/** Mixtral: Llama's decoder with a mixture of gated experts in the place of each feed-forward layer. */
import { z } from "zod";
import { defineModel } from "./define.js";
import type { HuggingFaceMap } from "./hugging_face.js";
import type { MoeOptions } from "./layers/index.js";
import { Llama, likeLlama, llamaConfig } from "./llama.js";

/** How a mixture of experts is configured. */
export const mixtureKeys = {
  /** Experts in each layer. */
  experts: z.int().positive().default(8),
  /** Experts a token is given. */
  perToken: z.int().positive().default(2),
  /** An expert takes at most this times its even share of each sequence. Default: all tokens that choose it. */
  capacity: z.number().positive().optional(),
  /** How many of its tokens a device brings to the experts at a time; with a capacity each so many of a sequence have their own. Default: all. */
  expertChunk: z.int().positive().optional(),
  /** Weight of the loss that balances the experts' load. */
  loadBalance: z.number().nonnegative().default(0.02),
  /** Weight of the loss that keeps the router's logits small. */
  zLoss: z.number().nonnegative().default(0),
  /** Noise on the router's input while training: a factor in [1 - jitter, 1 + jitter]. */
  jitter: z.number().min(0).lt(1).default(0),
};
/** How a mixture with a capacity drops; by default so that no token's result depends on those behind it. */
export const causalKeys = {
  /** What of an expert that is full is dropped: later tokens (`token`), or second choices before first ones (`choice`). */
  priority: z.enum(["token", "choice"]).default("token"),
};
type MixtureConfig = z.infer<z.ZodObject<typeof mixtureKeys>>;

/** What a configuration says of a mixture: a sequence at a time, so that tokens are sorted on the device that they are on. */
export function mixtureOf(c: MixtureConfig): MoeOptions {
  const { experts, perToken, capacity, expertChunk: chunk, loadBalance, zLoss, jitter } = c;
  return {
    experts,
    perToken,
    capacity,
    chunk,
    local: capacity === undefined ? [] : ["batch"],
    loadBalance,
    zLoss,
    jitter,
  };
}

/** Where a configuration wants more experts for a token than there are. */
export const fewEnough = [
  ({ experts, perToken }: Pick<MixtureConfig, "experts" | "perToken">) => perToken <= experts,
  { path: ["perToken"] as string[], message: "a token cannot be given more experts than there are" },
] as const;

/** The section `model` of the configuration; every key has a default. */
export const mixtralConfig = llamaConfig
  .safeExtend({
    /** Width inside each expert. */
    mlp: z.int().positive().default(176),
    /** Base of the rotary positions' wavelengths. */
    theta: z.number().positive().default(1e6),
    ...mixtureKeys,
  })
  .refine(...fewEnough);
/** A resolved configuration of {@link Mixtral}. */
export type MixtralConfig = z.infer<typeof mixtralConfig>;

/** Configurations by name: `tiny` to read and test, `moe13b` with Mixtral 8x7B's sizes and experts of a quarter of the width. */
export const mixtralPresets = {
  tiny: { context: 16, layers: 2, heads: 4, kvHeads: 2, embed: 32, mlp: 24, vocab: 64, experts: 4 },
  moe13b: {
    context: 4096,
    vocab: 32_768,
    layers: 32,
    heads: 32,
    kvHeads: 8,
    embed: 4096,
    mlp: 3584,
    capacity: 1.25,
    dtype: "bf16",
    remat: "nothing",
  },
} as const satisfies Record<string, Partial<MixtralConfig>>;

/**
 * The decoder of Jiang et al. 2024, "Mixtral of Experts", arXiv:2401.04088: in each layer a router gives a token to two of eight experts,
 * whose results are weighed by the softmax over these two. Nothing is dropped unless a capacity is given.
 */
export class Mixtral extends Llama {
  constructor(override readonly config: MixtralConfig) {
    super(config, mixtureOf(config));
  }
}

/** Mixtral's map to `transformers`, which has no capacity: there no token is dropped. */
export function mixtralHuggingFace(c: MixtralConfig): HuggingFaceMap {
  const { config, floats, tensors } = likeLlama(c, "MixtralForCausalLM", "mixtral");
  const expert = "model.layers.{layers}.block_sparse_moe.experts.{expert}";
  return {
    floats: [...floats, "router_aux_loss_coef", "router_jitter_noise"],
    config: {
      ...config,
      num_local_experts: c.experts,
      num_experts_per_tok: c.perToken,
      router_aux_loss_coef: c.loadBalance,
      router_jitter_noise: c.jitter,
      sliding_window: null,
    },
    tensors: {
      ...tensors,
      "blocks/mlp/router/weight": ["model.layers.{layers}.block_sparse_moe.gate.weight", "expert", "embed"],
      "blocks/mlp/gate/weight": [`${expert}.w1.weight`, "mlp", "embed"],
      "blocks/mlp/up/weight": [`${expert}.w3.weight`, "mlp", "embed"],
      "blocks/mlp/down/weight": [`${expert}.w2.weight`, "embed", "mlp"],
    },
  };
}

/** The model as a definition to compile, with its configuration. */
export const mixtral = defineModel({
  name: "mixtral",
  config: mixtralConfig,
  build: (c) => new Mixtral(c),
  huggingFace: mixtralHuggingFace,
});

export default mixtral;
