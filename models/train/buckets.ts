/** Train steps on shorter sequences, for documents that need no more. */
import { XenarcError } from "../../compiler/errors.js";
import { type LayoutConfig, layoutOf } from "../layout.js";
import type { TrainConfig } from "./config.js";
import type { DataConfig } from "./data.js";

/** A train step on sequences of one length. */
export interface Bucket {
  /** The entry point: `train_step_512` for 512 tokens. */
  readonly name: string;
  /** Length of its sequences. */
  readonly context: number;
  /** How many of them a micro-batch has. */
  readonly batch: number;
}

/** The sections of the configuration that buckets come from. */
interface BucketConfig extends LayoutConfig {
  readonly model: { readonly context: number };
  readonly train: TrainConfig;
  readonly data: DataConfig;
}

/**
 * The buckets of a configuration besides `train_step` itself, which is the longest, shortest first. Each has as many sequences as make
 * up the tokens of `train_step`, rounded down to what the mesh and the stages divide.
 * @throws XenarcError for a length that is not below the context.
 */
export function bucketsOf(c: BucketConfig): Bucket[] {
  const lengths = [...new Set(c.data.buckets)].sort((a, b) => a - b).filter((length) => length !== c.model.context);
  if (lengths.length === 0) return [];
  const longest = lengths.at(-1)!;
  if (longest > c.model.context) {
    throw new XenarcError({
      what: `data.buckets: ${longest} tokens are more than the model sees at once, ${c.model.context}.`,
      expected: "lengths below model.context",
    });
  }
  const layout = layoutOf(c);
  const microBatches = layout?.stages("layers", c.train.batch)?.microBatches ?? 1;
  const unit = microBatches * (layout?.parts("activations", "batch") ?? 1);
  return lengths.map((context) => {
    const most = Math.floor((c.train.batch * c.model.context) / context);
    return { name: `train_step_${context}`, context, batch: Math.max(1, Math.floor(most / unit)) * unit };
  });
}
