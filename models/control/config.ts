/** The section `control` of the configuration: what sets a model's values of the run, from what it observes, and by what it learns to. */
import { z } from "zod";

const count = z.int().positive();
const weight = z.number().nonnegative();
const share = z.number().min(0).max(1);

/** How values of the run are controlled; without the section they stay as they are configured. */
export const controlSchema = z.strictObject({
  /** Width inside the networks of policy, value, self-assessment and analysis. */
  hidden: count.default(64),
  /** Steps of training whose actions are learnt from together. */
  rollout: count.default(16),
  /** Steps along the gradient for each rollout. */
  epochs: count.default(4),
  /** Learning rate of these networks. */
  learningRate: z.number().positive().default(1e-3),
  /** Largest global norm of a gradient. */
  maxNorm: z.number().positive().default(0.5),
  /** How far the ratio of an action's density to that by which it was drawn may be from 1. */
  clip: z.number().positive().default(0.2),
  /** Weight of the policy's entropy. */
  entropy: weight.default(0.01),
  /** Weight of the value network's error. */
  valueWeight: weight.default(0.5),
  /** What the reward of a step later counts. Default 0: values hold for one step, and what comes after is mostly of other actions. */
  discount: share.default(0),
  /** Lambda of the generalized advantage estimate; with a discount of 0 it has no effect. */
  trace: share.default(0.95),
  /** Standard deviations of actions as they begin, parts of the way from the least to the most; times epsilon, they are drawn with. */
  deviation: z.number().positive().default(0.3),
  /** How much is explored: from one number to another over so many steps, and from then on. */
  epsilon: z
    .strictObject({
      /** How much in the first step. */
      from: z.number().positive().default(0.9),
      /** How much in the end. */
      to: z.number().positive().default(0.1),
      /** Steps of training from the one to the other. */
      steps: count.default(2000),
    })
    .prefault({}),
  /** What the reward weighs of what a step is assessed by: the loss and the hallucination count against it. */
  reward: z
    .strictObject({
      /** Weight of the mean cross-entropy, which counts against it. */
      loss: weight.default(1),
      /** Weight of the part of the targets that are the likeliest token. */
      accuracy: weight.default(1),
      /** Weight of the mean distance of the likeliest token from the target, which counts against it. */
      hallucination: weight.default(1),
      /** Weight of the part of the positions up to its own that a token does not attend to. */
      efficiency: weight.default(0.5),
    })
    .prefault({}),
  /** Below `target`, values that reach further back are raised: by `gain` times what is lacking, of the way from the least to the most. */
  recall: z
    .strictObject({
      /** The least mean cosine of final hidden states and their targets' directions. */
      target: z.number().default(0.3),
      /** What of the way a value is raised by, for each 1 that is lacking. */
      gain: weight.default(1),
    })
    .prefault({}),
  /** How many steps means and deviations of what a step is assessed by are over. */
  history: count.default(64),
  /** How many positions of each sequence have their predictions assessed. */
  positions: count.default(128),
  /** The least and the most of values, by their names: `window: [1024, 8192]`. Default: as the model says. */
  bounds: z.record(z.string(), z.tuple([z.number(), z.number()])).prefault({}),
});
/** A resolved section `control`. */
export type ControlConfig = z.infer<typeof controlSchema>;
