import { XenarcError } from "../../compiler/errors.js";
import { matching } from "../../compiler/patterns.js";
import { type Parameter, parameters } from "../../ops/module.js";
import type { OptimizerName, TrainConfig } from "./config.js";

/** How a parameter is trained. */
export interface Treatment {
  readonly path: string;
  /** As declared. */
  readonly of: Parameter;
  readonly optimizer: OptimizerName;
  /** Its learning rate is the schedule's times this. */
  readonly learningRateScale: number;
  /** Decoupled weight decay, a step times its learning rate. */
  readonly weightDecay: number;
  /** It stays as it is. */
  readonly freeze: boolean;
}

/**
 * How each of a model's parameters is trained: as it is declared, and as the rules of the configuration say, the last one first.
 * @throws XenarcError for a rule that matches no parameter, and when all are frozen.
 */
export function treatments(model: unknown, c: TrainConfig): Treatment[] {
  const declared = parameters(model);
  const paths = declared.map(([path]) => path);
  const rules = c.parameters.map(({ match, ...rule }, i) => ({
    paths: new Set(matching(match, paths, `train.parameters[${i}].match`, "parameter")),
    rule: Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)),
  }));
  const all = declared.map(([path, of]): Treatment => {
    const weightDecay = c.decayAll || of.decay ? c.weightDecay : 0;
    const optimizer = suited(c.optimizer, of);
    const base = { path, of, optimizer, learningRateScale: 1, weightDecay, freeze: of.freeze };
    return Object.assign(base, ...rules.filter(({ paths }) => paths.has(path)).map(({ rule }) => rule));
  });
  if (all.length > 0 && all.every(({ freeze }) => freeze)) {
    throw new XenarcError({
      what: "train.parameters freezes every parameter: nothing is left to train.",
      fix: 'Let a later rule free some: { match: "head", freeze: false }.',
    });
  }
  return all;
}

/**
 * The optimizer of a parameter where nothing else is said of it: Muon is for the matrices inside of a model. Embeddings, heads (what maps from or to
 * the vocabulary), norms and biases are AdamW's.
 */
const suited = (name: OptimizerName, { matrix, names }: Parameter): OptimizerName =>
  name === "muon" && (matrix === undefined || names.includes("vocab")) ? "adamw" : name;
