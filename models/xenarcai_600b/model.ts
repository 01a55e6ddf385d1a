/**
 * XenArcAI 600B for TPU: a decoder with rotary positions whose layers have a feed-forward layer and, beside it, a mixture of experts
 * of which a token takes as many as its router is unsure about. docs/models/xenarcai_600b.md goes through its document.
 */
import { z } from "zod";
import { Decoder, headsDivide } from "../decoder.js";
import { defineModel } from "../define.js";
import { blockwiseKeys, computationKeys, normKeys } from "../keys.js";
import { causalKeys, fewEnough, mixtureKeys, mixtureOf } from "../mixtral.js";

/** The section `model` of the configuration; every key has a default. */
export const xenarcai600bConfig = z
  .strictObject({
    /** Longest sequence. */
    context: z.int().positive().default(128),
    /** Entries of the vocabulary; 256: bytes. */
    vocab: z.int().positive().default(256),
    /** Blocks of attention and a feed-forward layer, one after the other. */
    layers: z.int().positive().default(4),
    /** Heads of attention, each of the width embed / heads. */
    heads: z.int().positive().default(4),
    /** Width of the residual stream. */
    embed: z.int().positive().default(128),
    /** Width inside the feed-forward layer. */
    mlp: z.int().positive().default(256),
    /** Width inside each expert. */
    expertWidth: z.int().positive().default(64),
    ...mixtureKeys,
    /** A token takes the fewest experts whose probabilities add up to this, at most `perToken`. Default: all of `perToken`. */
    threshold: z.number().gt(0).max(1).optional(),
    ...causalKeys,
    /** Balances without a loss: the step by which an expert's bias goes up or down. Default: none. */
    biasRate: z.number().nonnegative().optional(),
    /** Feed-forward layer and experts are gated (SwiGLU) instead of having a GELU. */
    gated: z.boolean().default(false),
    /** Base of the rotary positions' wavelengths; null: no positions. */
    theta: z.number().positive().nullable().default(10_000),
    ...normKeys,
    ...blockwiseKeys,
    ...computationKeys,
  })
  .refine(...headsDivide)
  .refine(...fewEnough);
/** A resolved configuration of {@link xenarcai600b}. */
export type Xenarcai600bConfig = z.infer<typeof xenarcai600bConfig>;

/** The model as a definition to compile, with its configuration. */
export const xenarcai600b = defineModel({
  name: "xenarcai-600b",
  config: xenarcai600bConfig,
  build: (c) => {
    const feedForward = c.gated ? "swiglu" : "gelu";
    const { threshold, priority, biasRate, expertWidth: mlp } = c;
    const moe = { ...mixtureOf(c), feedForward, mlp, threshold, priority, biasRate } as const;
    return new Decoder({ ...c, norm: "rms", bias: false, rotary: c.theta ?? undefined, feedForward, moe });
  },
});

export default xenarcai600b;
