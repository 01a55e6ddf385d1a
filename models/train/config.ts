/** The configuration of training, data and generation: one schema for the compiler, the CLI and the runtime. */
import { z } from "zod";

const count = z.int().positive();
const rate = z.number().nonnegative();

/** How gradients become steps. */
const optimizer = z.enum(["adamw", "adafactor", "lion", "muon", "sgd"]);

/** How some of the parameters are trained. */
const parameterRuleSchema = z.strictObject({
  /** A pattern of paths: `*` for one name or a part of it, `**` for any number of names; a module is all that is in it. */
  match: z.string().min(1),
  /** Their optimizer. */
  optimizer: optimizer.optional(),
  /** The learning rate is times this. */
  learningRateScale: rate.optional(),
  /** Their weight decay. */
  weightDecay: rate.optional(),
  /** Whether they stay as they are: no gradient is computed, and no optimizer's state kept. */
  freeze: z.boolean().optional(),
});

/** How a model is trained. */
export const trainSchema = z
  .strictObject({
    /** Optimizer steps. */
    steps: count.default(1000),
    /** Sequences in a micro-batch. */
    batch: count.default(12),
    /** Micro-batches whose gradients are added up to one step. */
    accumulation: count.default(1),
    /**
     * How many positions of what a device has of each sequence have their scores at a time: what the loss takes of memory. Default: all,
     * unless their scores would take more than 256 MiB of it.
     */
    lossChunk: count.optional(),
    /** What lies in the memory of the host, beside that of the devices, and comes to them layer by layer. */
    offload: z
      .strictObject({
        /** The optimizer's moments. */
        optimizer: z.boolean().default(false),
      })
      .prefault({}),
    /** How layers run in stages on a mesh with an axis `stage`. */
    pipeline: z
      .strictObject({
        /** Parts of a batch that follow each other through the stages. Default: as many as there are stages. */
        microBatches: count.optional(),
        /** How often a part comes round: groups of layers that each stage has. More of them leave less idle, and send more. */
        repeats: count.default(1),
      })
      .prefault({}),
    /**
     * Weights to begin with instead of drawn ones: a run (its newest checkpoint), RUN/checkpoints/N, a folder of safetensors files under
     * xenarc's names, or Hugging Face's where the model has a map to them; or a folder of adapters in PEFT's format.
     */
    from: z.string().min(1).optional(),
    /** Seed of the first weights, the batches and dropout. */
    seed: z.int().nonnegative().max(0xffffffff).default(1337),
    /** How gradients become steps; each optimizer has its settings below. */
    optimizer: optimizer.default("adamw"),
    /**
     * How the learning rate goes on after the warm-up: down to `minLearningRate` at the last step by `cosine` or `linear`, `constant`, constant
     * and then down (`wsd`), or as 1 / sqrt(step) (`inverse_sqrt`), but never below `minLearningRate`.
     */
    schedule: z.enum(["cosine", "linear", "constant", "wsd", "inverse_sqrt"]).default("cosine"),
    /** Of the schedule `wsd` (warm-up, stable, decay): the decay at the end. */
    wsd: z
      .strictObject({
        /** The share of all steps. */
        share: z.number().min(0).max(1).default(0.1),
        /** The number of steps, instead of the share. */
        steps: count.optional(),
        /** `sqrt`: 1 - sqrt(x). */
        shape: z.enum(["linear", "cosine", "sqrt"]).default("linear"),
      })
      .prefault({}),
    /** Highest learning rate, reached at the end of the warm-up. */
    learningRate: rate.default(1e-3),
    /** Learning rate at the last step. */
    minLearningRate: rate.default(1e-4),
    /** Steps over which the learning rate rises from 0. */
    warmup: z.int().nonnegative().default(100),
    /** Decay of the first moment (adamw, and what muon leaves to it); how much the average counts against the gradient (lion). */
    beta1: z.number().min(0).lt(1).default(0.9),
    /** Decay of the second moment (adamw), of the average (lion). */
    beta2: z.number().min(0).lt(1).default(0.99),
    /** Added to the root of the second moment (adamw). */
    epsilon: z.number().positive().default(1e-8),
    /** Settings of adafactor alone. */
    adafactor: z
      .strictObject({
        /** The second moment keeps 1 - t^-decay of itself in step t. */
        decay: z.number().gt(0).default(0.8),
        /** Second moments are kept as rows and columns of the two longest axes, where both are at least so long. */
        factorFrom: count.default(128),
        /** Largest root mean square of a direction; 0: any. */
        clip: rate.default(1),
        /** Steps are relative to the root mean square of the parameter. */
        relative: z.boolean().default(true),
      })
      .prefault({}),
    /** Settings of muon alone. */
    muon: z
      .strictObject({
        /** How much of the average of gradients stays from step to step. */
        momentum: z.number().min(0).lt(1).default(0.95),
        /** The gradient is counted once more in the average. */
        nesterov: z.boolean().default(true),
        /** Newton-Schulz iterations that make the average orthogonal. */
        iterations: count.default(5),
        /** Steps as large as AdamW's (`rms`: 0.2 sqrt(max(rows, columns))), or by the matrix's shape (`shape`: sqrt(max(1, columns / rows))). */
        scale: z.enum(["rms", "shape"]).default("rms"),
      })
      .prefault({}),
    /** Settings of sgd alone. */
    sgd: z
      .strictObject({
        /** How much of the sum of gradients stays from step to step; 0: the gradient alone. */
        momentum: z.number().min(0).lt(1).default(0.9),
        /** The gradient is added once more to what the sum comes to. */
        nesterov: z.boolean().default(false),
      })
      .prefault({}),
    /** Decoupled weight decay, a step times the learning rate. */
    weightDecay: rate.default(0.1),
    /** Weight decay on norms, biases and embeddings too. */
    decayAll: z.boolean().default(false),
    /** What is otherwise for some of the parameters; of several rules that say the same of one, the last holds. */
    parameters: z.array(parameterRuleSchema).default([]),
    /** Largest global norm of the gradient; 0: no clipping. */
    clip: rate.default(1),
    /** An average of the weights over the steps is kept beside them. */
    ema: z
      .strictObject({
        /** How much less weights count with every step that they are old. */
        decay: z.number().gt(0).lt(1).default(0.999),
        /** Evaluation and generation read the averages, not the weights of the last step. */
        evaluate: z.boolean().default(true),
      })
      .optional(),
    /** What becomes of a step whose loss or gradient is not finite, or a spike. */
    badSteps: z
      .strictObject({
        /**
         * `abort`: the run stops. `skip`: the step leaves the state as it is, and the run goes on with the next batch. `rollback`: the run goes
         * on from the last checkpoint, behind the bad batch.
         */
        policy: z.enum(["abort", "skip", "rollback"]).default("abort"),
        /** How many standard deviations above the mean of the steps before it a loss or a gradient norm is a spike. Default: none is. */
        spike: z.number().positive().optional(),
        /** Good steps that the mean goes back over, and that come before the first spike. */
        memory: count.default(128),
        /** How often a run may be rolled back before it stops after all. */
        rollbacks: count.default(10),
      })
      .prefault({}),
    /**
     * Anomaly mode: a step whose loss or gradient is not finite is run again from the same state, looking at every operation, to name the
     * first that was not. The state before a step is kept until it is known to be well, and the artifact has a program more.
     */
    anomaly: z.boolean().default(false),
  })
  .refine(({ schedule, learningRate, minLearningRate }) => schedule === "constant" || minLearningRate <= learningRate, {
    path: ["minLearningRate"],
    message: "minLearningRate must be at most learningRate, from which it comes down: give it, too",
  });

/** How text is generated. */
export const generateSchema = z.strictObject({
  /** Sequences at once. */
  batch: count.default(1),
  /**
   * Lengths of sequences that there are programs of their own for, below `model.context`: a text is written by those of the shortest that the
   * prompt and all tokens to be written fit. A cache is as long as its programs' sequences.
   */
  lengths: z.array(count).default([]),
  /**
   * Modules that `xenarc generate --trace` looks into, patterns as in `log.activations`: the artifact then has the programs for it.
   * Without, they are made when it is asked to.
   */
  trace: z.array(z.string().min(1)).min(1).optional(),
});

/** Sizes of the mesh's axes inside one slice, outermost first; one may be -1: what is left of the target's devices. */
export const meshSchema = z.record(
  z.string().regex(/^[a-z][A-Za-z0-9_]*$/, "must be a name: a letter, then letters, digits or _"),
  z.union([z.literal(-1), count]),
);

/** How often axes of the mesh are repeated across slices, which the data-centre network connects. */
export const slicesSchema = z.record(z.string(), count);

const rulesSchema = z.record(
  z.string(),
  z.union([z.string().transform((name) => [name]), z.array(z.string()), z.null().transform(() => [])]),
);

/**
 * Mesh axes by the model's axis names, where they differ from the defaults: a name, a list (outermost first), or nothing for
 * "whole on every device".
 */
export const shardingSchema = z.strictObject({
  /** Of the weights, their gradients and, unless said otherwise, the optimizer's state. */
  parameters: rulesSchema.prefault({}),
  /** Of the optimizer's state (ZeRO-1: `embed: data` here alone). */
  optimizer: rulesSchema.prefault({}),
  /** Of everything computed from tokens: activations, batches, caches. */
  activations: rulesSchema.prefault({}),
  /** Between the parts that are split over `tensor`, activations are split over it along the sequence. */
  sequence: z.boolean().default(false),
  /**
   * How attention reads a sequence that is split over the mesh (over `context`): keys and values travel as a ring from device to device,
   * each device gathers all of them, or devices exchange their parts of the sequence for some of the heads of all of it.
   */
  context: z.enum(["ring", "allgather", "alltoall"]).default("ring"),
  /**
   * A sequence that is split over the mesh is trained on in zigzag order: under a causal mask all devices then have the same work. With
   * `alltoall` they have it in order.
   */
  balance: z.boolean().default(true),
});

/** What the programs run on: `cpu`, `cpu:8`, `tpu:v5p:4x4x4`, `tpu:v5e:16x16,slices=2`. */
export const targetSchema = z.string().default("cpu");

/** What XLA is told beside the program. */
export const xlaSchema = z.strictObject({
  /** XLA's flags by name, without dashes; they win over those that xenarc sets for the target. */
  flags: z
    .record(
      z.string().regex(/^xla_\w+$/, "must be a flag of XLA's: xla_..."),
      z.union([z.boolean(), z.number(), z.string()]),
    )
    .prefault({}),
});

/** What of a layer is kept for the backward pass: `everything`, `nothing`, or names, those of `offload` in the host's memory (`carry`: what goes from layer to layer). */
export const rematSchema = z.union([
  z.enum(["everything", "nothing"]),
  z.array(z.string()),
  z.strictObject({
    /** Names of values that are kept on the device. */
    save: z.array(z.string()).optional(),
    /** Names of values that are kept in the host's memory. */
    offload: z.array(z.string()).optional(),
  }),
]);

/** The name of an optimizer. */
export type OptimizerName = z.infer<typeof optimizer>;
/** A resolved section `train`. */
export type TrainConfig = z.infer<typeof trainSchema>;
/** A resolved section `sharding`. */
export type ShardingConfig = z.infer<typeof shardingSchema>;
/** A resolved section `generate`. */
export type GenerateConfig = z.infer<typeof generateSchema>;
