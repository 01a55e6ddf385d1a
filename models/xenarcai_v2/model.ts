/**
 * XenArcAI-v2: a transformer with rotary positions and LayerNorms in front of its branches, attention in either form, and mixtures of
 * experts by a switch. docs/models/xenarcai_v2.md goes through its document.
 */
import { z } from "zod";
import { Decoder, headsDivide } from "../decoder.js";
import { defineModel } from "../define.js";
import { blockwiseKeys, computationKeys } from "../keys.js";
import { causalKeys, fewEnough, mixtureKeys, mixtureOf } from "../mixtral.js";

/** The section `model` of the configuration; every key has a default. */
export const xenarcaiV2Config = z
  .strictObject({
    /** Longest sequence. */
    context: z.int().positive().default(128),
    /** Entries of the vocabulary; 256: bytes. */
    vocab: z.int().positive().default(256),
    /** Blocks of attention and a feed-forward layer, one after the other. */
    layers: z.int().positive().default(4),
    /** Heads of attention, each of the width embed / heads. */
    heads: z.int().positive().default(4),
    /** Heads of keys and values, each shared by heads / kvHeads heads. Default: as many as heads. */
    kvHeads: z.int().positive().optional(),
    /** Width of the residual stream. */
    embed: z.int().positive().default(128),
    /** Width inside the feed-forward layer, or inside each expert. */
    mlp: z.int().positive().default(512),
    /** All scores at once (`multi-head`), or block by block in memory that is linear in the sequence (`memory-linear`). */
    attention: z.enum(["multi-head", "memory-linear"]).default("memory-linear"),
    ...blockwiseKeys,
    /** The part of either branch's result that is dropped while training. */
    dropout: z.number().min(0).lt(1).default(0),
    /** Feed-forward layers and experts are gated (SwiGLU) instead of having a GELU. */
    gated: z.boolean().default(false),
    /** A mixture of experts in the place of each feed-forward layer. */
    moe: z.boolean().default(false),
    ...mixtureKeys,
    ...causalKeys,
    /** Base of the rotary positions' wavelengths; null: no positions. */
    theta: z.number().positive().nullable().default(10_000),
    ...computationKeys,
  })
  .refine(...headsDivide)
  .refine(({ heads, kvHeads = heads }) => heads % kvHeads === 0, {
    path: ["kvHeads"],
    message: "kvHeads must divide heads",
  })
  .refine(...fewEnough);
/** A resolved configuration of {@link xenarcaiV2}. */
export type XenarcaiV2Config = z.infer<typeof xenarcaiV2Config>;

/** The model as a definition to compile, with its configuration. */
export const xenarcaiV2 = defineModel({
  name: "xenarcai-v2",
  config: xenarcaiV2Config,
  build: ({ moe, gated, kvHeads, attention, blockSize, ...c }) => {
    const feedForward = gated ? "swiglu" : "gelu";
    return new Decoder({
      ...c,
      ...(kvHeads && { kvHeads }),
      bias: false,
      normBias: true,
      rotary: c.theta ?? undefined,
      blockSize: attention === "multi-head" ? c.context : blockSize,
      feedForward: moe ? { ...mixtureOf(c), feedForward, priority: c.priority } : feedForward,
    });
  },
});

export default xenarcaiV2;
