/** The configuration of how a model is judged while it is trained: `eval`. */
import { z } from "zod";

const count = z.int().positive();

/** When the loss over the validation data is computed, and what follows from it. */
export const evalSchema = z.strictObject({
  /** Steps between evaluations; 0: only at the end. */
  every: z.int().nonnegative().default(250),
  /** How many batches of the validation data an evaluation reads. Default: all. */
  batches: count.optional(),
  /** Early stopping: the run ends when so many evaluations in a row were no better than the best before them. Default: it does not. */
  patience: count.optional(),
  /** By how much less a loss is better, nats. */
  minDelta: z.number().nonnegative().default(0),
});

/** A resolved section `eval`. */
export type EvalConfig = z.infer<typeof evalSchema>;
