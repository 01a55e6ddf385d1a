/** The configuration of what a run tells: `log`. */
import { z } from "zod";

const count = z.int().positive();

/** Text that is generated while a model is trained, to see what it has learnt. */
export const samplesSchema = z.strictObject({
  /** Steps between samples. */
  every: count,
  /** What each sample begins with. */
  prompts: z.array(z.string().min(1)).min(1).default(["\n"]),
  /** How many tokens follow it. */
  tokens: count.default(100),
  /** 0 takes the likeliest token. */
  temperature: z.number().nonnegative().default(0.8),
});

/** What a run tells of itself, where, and how often. */
export const logSchema = z.strictObject({
  /** Steps between log lines, and between the numbers in metrics.jsonl, TensorBoard and W&B. */
  every: count.default(10),
  /** Write TensorBoard's event files into the run's folder. */
  tensorboard: z.boolean().default(true),
  /** Weights & Biases, whose Python package must be installed. */
  wandb: z
    .strictObject({
      /** The project there that the run is part of. */
      project: z.string().min(1),
      /** The run's name there. Default: that of its folder. */
      name: z.string().min(1).optional(),
      /** Default: `online` where the environment has WANDB_API_KEY, else `offline`, which only writes files. */
      mode: z.enum(["online", "offline"]).optional(),
    })
    .optional(),
  samples: samplesSchema.optional(),
  /**
   * Modules of whose results the run keeps histograms, means, root mean squares and shares of zeros: patterns of paths such as
   * `blocks/attention`; `*` is one name or a part of it, `**` any number of names. Of a stack, each layer has its own.
   */
  activations: z.array(z.string().min(1)).default([]),
  /** The same of the gradients of parameters: all of them, or patterns. */
  gradients: z.union([z.boolean(), z.array(z.string().min(1)).min(1)]).default(false),
  /** Modules whose attention is kept as pictures: the probabilities of the first sequence of a batch, by head. Patterns. */
  attention: z.array(z.string().min(1)).default([]),
  /** How many positions such a picture has, from the first. */
  attentionPositions: count.default(64),
  /** Steps between such looks into the model. */
  histogramsEvery: count.default(100),
});

/** A resolved section `log`. */
export type LogConfig = z.infer<typeof logSchema>;
