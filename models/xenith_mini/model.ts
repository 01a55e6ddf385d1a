/**
 * Xenith_mini: a decoder whose heads look back through windows of several sizes and at the first tokens, with dense layers first, then a
 * short-term and a long-term memory, and mixtures of experts after them. docs/models/xenith_mini.md goes through its document.
 */
import { z } from "zod";
import { Decoder, headsDivide } from "../decoder.js";
import { defineModel } from "../define.js";
import { blockwiseKeys, computationKeys, normKeys } from "../keys.js";
import { causalKeys, fewEnough, mixtureKeys, mixtureOf } from "../mixtral.js";

/** The memories: `model.memory`. */
const memorySchema = z
  .strictObject({
    /** Tokens that the short-term memory holds: the last ones. A segment is as long. */
    tokens: z.int().positive().default(32),
    /** Tokens that are summarized together; divides `tokens`. */
    chunk: z.int().positive().default(16),
    /** Vectors that a chunk becomes. */
    vectors: z.int().positive().default(1),
    /** Chunks that the long-term memory holds; 0: there is none. */
    chunks: z.int().nonnegative().default(64),
    /** What a full long-term memory does without: its `oldest` chunk, or the `newest`, which is not written. */
    evict: z.enum(["oldest", "newest"]).default("oldest"),
    /** Layers of the summarizer. */
    layers: z.int().positive().default(4),
    /** Heads of the summarizer. */
    heads: z.int().positive().default(4),
    /** Width inside the summarizer's feed-forward layers. */
    mlp: z.int().positive().default(256),
    /** What is read of chunks more than so many segments back has no gradient. Default: all has. */
    through: z.int().nonnegative().optional(),
  })
  .refine(({ tokens, chunk }) => tokens % chunk === 0, { path: ["chunk"], message: "chunk must divide tokens" });

/** The section `model` of the configuration; every key has a default. */
export const xenithMiniConfig = z
  .strictObject({
    /** Longest sequence. */
    context: z.int().positive().default(128),
    /** Entries of the vocabulary; 256: bytes. */
    vocab: z.int().positive().default(256),
    /** Layers in front, with a feed-forward layer each. */
    denseLayers: z.int().positive().default(1),
    /** Layers behind them, with a mixture of experts each. */
    layers: z.int().positive().default(3),
    /** Heads of attention, each of the width embed / heads. */
    heads: z.int().positive().default(8),
    /** Heads of keys and values, each shared by heads / kvHeads heads. */
    kvHeads: z.int().positive().default(4),
    /** Width of the residual stream. */
    embed: z.int().positive().default(128),
    /** Width inside the feed-forward layers. */
    mlp: z.int().positive().default(384),
    /** Width inside each expert. */
    expertWidth: z.int().positive().default(48),
    ...mixtureKeys,
    ...causalKeys,
    /** How far back heads look, their own place counted; heads of keys take these in turn. */
    windows: z.array(z.int().positive()).min(1).default([16, 16, 32, 64]),
    /** So many tokens at the beginning are seen from everywhere behind them. */
    globals: z.int().nonnegative().default(8),
    /** A short-term and a long-term memory between the dense layers and the others; null: none. */
    memory: memorySchema.nullable().default(null),
    /** Base of the rotary positions' wavelengths; null: no positions. */
    theta: z.number().positive().nullable().default(10_000),
    ...normKeys,
    ...blockwiseKeys,
    ...computationKeys,
  })
  .refine(...headsDivide)
  .refine(({ heads, kvHeads }) => heads % kvHeads === 0, { path: ["kvHeads"], message: "kvHeads must divide heads" })
  .refine(({ kvHeads, windows }) => kvHeads % windows.length === 0, {
    path: ["windows"],
    message: "kvHeads must be a multiple of the number of windows",
  })
  .refine(...fewEnough);
/** A resolved configuration of {@link xenithMini}. */
export type XenithMiniConfig = z.infer<typeof xenithMiniConfig>;

/** What of `model.memory` is the memories', and what the summarizer's. */
const memoryOf = ({ layers, heads, mlp, ...memory }: z.infer<typeof memorySchema>) => ({
  ...memory,
  summarizer: { layers, heads, mlp },
});

/** The model as a definition to compile, with its configuration. */
export const xenithMini = defineModel({
  name: "xenith-mini",
  config: xenithMiniConfig,
  build: ({ denseLayers, mlp, expertWidth, windows, theta, memory, ...c }) =>
    new Decoder({
      ...c,
      ...{ norm: "rms", bias: false, rotary: theta ?? undefined, window: windows },
      dense: { layers: denseLayers, mlp },
      memory: memory ? memoryOf(memory) : undefined,
      mlp: expertWidth,
      feedForward: { ...mixtureOf(c), priority: c.priority },
    }),
});

export default xenithMini;
