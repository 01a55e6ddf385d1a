/** The configuration of what a run saves: `checkpoint`. */
import { z } from "zod";

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
});

/** A resolved section `checkpoint`. */
export type CheckpointConfig = z.infer<typeof checkpointSchema>;
