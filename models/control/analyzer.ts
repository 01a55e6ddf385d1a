import { grad, valueAndGrad } from "../../ops/control.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { type Learner, type LearnerConfig, learnt } from "./learner.js";
import type { Perceptron } from "./perceptron.js";
import type { Part } from "./run_value.js";
import { type Knob, partOf } from "./values.js";

/**
 * The causal analyzer: a network that learns what comes of actions. How far an action is from the policy's mean is drawn by chance, which makes it
 * an intervention (Pearl 2009, "Causality"): what goes with it is caused by it.
 */
export type Analyzer = Perceptron<"outcome">;

/** The outcome that is expected of an action. */
const expected = (analyzer: Analyzer, action: Tensor<"action">): Scalar =>
  (analyzer.call(action.rename("action", "observation") as never) as Tensor).at("outcome", 0) as unknown as Scalar;

/** An analyzer that has seen one more action and its outcome, and by how much its expectation was off. */
export function analyzed(
  declared: Analyzer,
  learner: Learner<Analyzer>,
  { action, outcome }: { readonly action: Tensor<"action">; readonly outcome: Scalar },
  c: LearnerConfig,
): Learner<Analyzer> {
  const off = (params: Analyzer): Scalar => expected(params, action).sub(outcome).square();
  const [, gradients] = valueAndGrad(off)(learner.params);
  return learnt(declared, learner, gradients, c);
}

/** How strongly the outcome hangs on what each part is given, by layer where there are layers (f32): where the most is to be won or lost. */
export function bottlenecks(
  analyzer: Analyzer,
  knobs: readonly Knob[],
  action: Tensor<"action">,
): Readonly<Partial<Record<Part, Tensor>>> {
  const slope = grad((a: Tensor<"action">) => expected(analyzer, a))(action);
  const found: Partial<Record<Part, Tensor>> = {};
  for (const knob of knobs) {
    const squares = partOf(knob, slope).square() as Tensor;
    const inner = squares.names.filter((n) => n !== "layers");
    const own = inner.length ? (squares.sum(inner) as unknown as Tensor) : squares;
    found[knob.part] = found[knob.part] ? (found[knob.part]!.add(own as never) as Tensor) : own;
  }
  return Object.fromEntries(Object.entries(found).map(([part, x]) => [part, x.sqrt()]));
}
