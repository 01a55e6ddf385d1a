/** Keys that the configurations of several models have. */
import { z } from "zod";
import { rematSchema } from "./train/config.js";

/** How a model computes. */
export const computationKeys = {
  /** Element type of the computation; weights are float32. */
  dtype: z.enum(["f32", "bf16"]).default("f32"),
  /** What of a layer is kept for the backward pass: `everything`, `nothing`, or names, those of `offload` in the host's memory. */
  remat: rematSchema.default("everything"),
  /** Layers written one after the other instead of a loop. */
  unroll: z.boolean().default(false),
};

/** Of models that take vectors of another origin in the place of tokens. */
export const embeddingKeys = {
  /** Vectors that may stand in the place of tokens, by name: each kind is brought to the model's width by a linear map of its own. */
  embeddings: z
    .record(
      z.string().regex(/^[a-z][A-Za-z0-9_]*$/, "must be a name: a letter, then letters, digits or _"),
      z.strictObject({
        /** The most dimensions of a vector; the dimensions that a narrower one lacks count as 0. */
        width: z.int().positive(),
        /** The most vectors in a sequence. */
        most: z.int().positive().default(16),
      }),
    )
    .prefault({}),
};

/** Of models with RMSNorm. */
export const normKeys = {
  /** Added to the mean square in norms. */
  epsilon: z.number().positive().default(1e-5),
};

/** Of models whose attention goes block by block. */
export const blockwiseKeys = {
  /** Queries and keys that attention works on at a time; beyond it takes memory that is linear in the sequence. */
  blockSize: z.int().positive().default(512),
};
