/** Low-rank adapters: a model's linear layers get small maps beside their own, and these alone are trained. */
import { z } from "zod";
import { XenarcError } from "../compiler/errors.js";
import { matching } from "../compiler/patterns.js";
import { joinPath, mapLeaves } from "../compiler/tree.js";
import type { Parameter } from "../ops/module.js";
import type { Key } from "../ops/random.js";
import { Tensor } from "../ops/tensor.js";
import { Linear } from "./layers/linear.js";
import { LowRank } from "./layers/low_rank.js";
import { pathHash } from "./train/initialize.js";

/** The section `lora`; without it there are no adapters. */
export const loraSchema = z.strictObject({
  /** The adapters' rank. */
  rank: z.int().positive(),
  /** What an adapter adds is times alpha / rank. */
  alpha: z.number().positive().default(16),
  /** The part of an adapter's input that is dropped while training. */
  dropout: z.number().min(0).lt(1).default(0),
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
export function adapted<M>(model: M, { rank, alpha, dropout, match }: LoraConfig): M {
  const frozen = mapLeaves(model, (leaf) => (leaf as Parameter).frozen());
  const linears = new Map(modulesOf(frozen, (module) => module instanceof Linear));
  const paths = [...linears.keys()];
  if (paths.length === 0)
    throw new XenarcError({
      what: "lora: the model has no linear layers.",
      fix: "Adapters stand beside layers of the class Linear.",
    });
  const chosen = new Set(match.flatMap((pattern, i) => matching(pattern, paths, `lora.match[${i}]`, "linear layer")));
  const experts = [...chosen].filter((path) => linears.get(path)!.side.length > 0);
  if (dropout > 0 && experts.length > 0)
    throw new XenarcError({
      what: `lora.dropout is ${dropout}, and there are adapters on experts (${experts.join(", ")}), which have no dropout.`,
      expected: "what PEFT can do as well: dropout on adapters of other layers alone",
      fix: 'Leave the experts out (lora.match: ["**/attention/*"]), or set lora.dropout to 0.',
    });
  for (const path of chosen) linears.get(path)!.adapt({ rank, scale: alpha / rank, dropout });
  return frozen;
}

/** A model whose adapters drop a part of their inputs, each by a key of its own; one without dropout is given back as it is. */
export function dropping<M>(model: M, key: () => Key): M {
  const adapters = (model: M) => modulesOf(model, (module) => module instanceof LowRank);
  if (!adapters(model).some(([, lora]) => lora.random)) return model;
  const [copy, base] = [mapLeaves(model, (leaf) => leaf), key()];
  for (const [path, lora] of adapters(copy)) lora.seed(base, pathHash(path));
  return copy;
}

function modulesOf<T>(
  tree: unknown,
  is: (tree: object) => tree is T & object,
  path = "",
  out: [string, T][] = [],
): typeof out {
  if (tree === null || typeof tree !== "object" || tree instanceof Tensor) return out;
  if (is(tree)) out.push([path, tree]);
  for (const [key, child] of Object.entries(tree)) modulesOf(child, is, joinPath(path, key), out);
  return out;
}
