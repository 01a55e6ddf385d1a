/** Low-rank adapters: a model's linear layers get small maps beside their own, and these alone are trained. */
import { z } from "zod";
import { XenarcError } from "../compiler/errors.js";
import { matching } from "../compiler/patterns.js";
import { joinPath, mapLeaves } from "../compiler/tree.js";
import type { Parameter } from "../ops/module.js";
import { Tensor } from "../ops/tensor.js";
import { Linear } from "./layers/linear.js";

/** The section `lora`; without it there are no adapters. */
export const loraSchema = z.strictObject({
  /** The adapters' rank. */
  rank: z.int().positive(),
  /** What an adapter adds is times alpha / rank. */
  alpha: z.number().positive().default(16),
  /** Patterns of the linear layers that get one: `*` for one name or a part of it, `**` for any number of names. */
  match: z.array(z.string().min(1)).min(1).default(["**"]),
});
/** A resolved section `lora`. */
export type LoraConfig = z.infer<typeof loraSchema>;

/** Whether a parameter is an adapter's, by its path. */
export const isAdapter = (path: string): boolean => /(^|\/)lora\/[ab]$/.test(path);

/**
 * A model whose linear layers that `match` names have adapters (`.../lora/a`, `.../lora/b`), and whose own parameters are frozen unless a
 * rule of `train.parameters` frees them.
 * @throws XenarcError for a pattern that matches no linear layer.
 */
export function adapted<M>(model: M, { rank, alpha, match }: LoraConfig): M {
  const frozen = mapLeaves(model, (leaf) => (leaf as Parameter).frozen());
  const linears = new Map(linearsOf(frozen));
  const paths = [...linears.keys()];
  if (paths.length === 0)
    throw new XenarcError({
      what: "lora: the model has no linear layers.",
      fix: "Adapters stand beside layers of the class Linear.",
    });
  const chosen = new Set(match.flatMap((pattern, i) => matching(pattern, paths, `lora.match[${i}]`, "linear layer")));
  for (const path of chosen) linears.get(path)!.adapt({ rank, scale: alpha / rank });
  return frozen;
}

function linearsOf(tree: unknown, path = "", out: [string, Linear<string, string>][] = []): typeof out {
  if (tree === null || typeof tree !== "object" || tree instanceof Tensor) return out;
  if (tree instanceof Linear) out.push([path, tree]);
  for (const [key, child] of Object.entries(tree)) linearsOf(child, joinPath(path, key), out);
  return out;
}
