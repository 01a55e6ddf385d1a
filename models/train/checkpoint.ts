/** The configuration of what a run saves: `checkpoint`. */
import { z } from "zod";
import { byteCount } from "./formats.js";

const count = z.int().positive();

/** When checkpoints are written, where, and which of them stay. */
export const checkpointSchema = z.strictObject({
  /** Steps between checkpoints; 0: only at the end. */
  every: z.int().nonnegative().default(500),
  /** How many of the last ones stay. */
  keep: count.default(2),
  /** Those of steps that this divides stay for good. Default: of none. */
  keepEvery: count.optional(),
  /** How many of those with the lowest validation losses stay; one is written after every evaluation that is among these. */
  best: z.int().nonnegative().default(0),
  /**
   * With adapters (`lora`) that began with `train.from`: the weights that they stand beside are in every checkpoint, too, instead of being
   * read again from where they were.
   */
  base: z.boolean().default(false),
  /** A second, more distant tier, such as a mounted disk of the network or a bucket. */
  remote: z
    .strictObject({
      /** Each run has a folder with its name in this one. */
      path: z.string().min(1),
      /** Steps between the checkpoints that are written there too. */
      every: count,
      /** How many of the last ones stay there. */
      keep: count.default(2),
    })
    .optional(),
  /** The weights alone, as `xenarc export` writes them, in `RUN/weights/STEP`: while training goes on, from the step's checkpoint. */
  weights: z
    .strictObject({
      /** Steps between them; of each a checkpoint is written, too. */
      every: count,
      /** How many of the last ones stay. */
      keep: count.default(2),
      /** The most that the tensors of a file take: `10GB`, or bytes. */
      shardSize: z
        .union([
          count,
          z.string().refine((text) => byteCount(text) !== undefined, "must be a size, such as 5GB or 500MB"),
        ])
        .transform((size) => (typeof size === "number" ? size : byteCount(size)!))
        .default(5e9),
      /** What numbers are written as. Default: as they are stored. */
      dtype: z.enum(["f32", "bf16", "f16"]).optional(),
    })
    .optional(),
});

/** A resolved section `checkpoint`. */
export type CheckpointConfig = z.infer<typeof checkpointSchema>;
