/**
 * Proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347) of normally distributed actions, with advantages as in Schulman et al.
 * 2016, arXiv:1506.02438.
 */
import { scan, stopGradient, valueAndGrad } from "../../ops/control.js";
import { clamp, concatenate, constant, full, iota } from "../../ops/functions.js";
import { constantly, normal } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import { type Key, normal as normalNumbers } from "../../ops/random.js";
import type { Scalar, Sizes, Tensor } from "../../ops/tensor.js";
import { type Learner, type LearnerConfig, learnt } from "./learner.js";
import { Perceptron } from "./perceptron.js";

/** How a policy is improved. */
export interface PpoConfig extends LearnerConfig {
  /** How far the ratio of a probability to the one that was acted by may be from 1. */
  readonly clip: number;
  /** Weight of the policy's entropy. */
  readonly entropy: number;
  /** Weight of the value's error. */
  readonly valueWeight: number;
  /** What the reward of a step later counts. */
  readonly discount: number;
  /** How far advantages trust rewards more than values: lambda of the generalized advantage estimate. */
  readonly trace: number;
  /** Steps along the gradient for each rollout. */
  readonly epochs: number;
}

/** What was done and what came of it, step after step (f32). */
export interface Rollout {
  readonly observation: Tensor<"time" | "observation">;
  readonly action: Tensor<"time" | "action">;
  /** What the deviations were times: see {@link ActorCritic}. */
  readonly epsilon: Tensor<"time">;
  /** The logarithm of the density of the action, as it was drawn. */
  readonly logDensity: Tensor<"time">;
  /** What the value network expected. */
  readonly value: Tensor<"time">;
  readonly reward: Tensor<"time">;
}

/** A normal distribution of actions. */
export interface Distribution<A extends string = never> {
  readonly mean: Tensor<A | "action">;
  readonly deviation: Tensor<A | "action">;
}

/** A policy and the value of what it observes, each a network of three layers, and the logarithms of the actions' standard deviations. */
export class ActorCritic extends Module {
  readonly policy: Perceptron<"action">;
  readonly critic: Perceptron<"value">;
  readonly logDeviation: Tensor<"action">;
  private readonly start: readonly number[];
  /**
   * @param deviation what standard deviations begin with.
   * @param start what the policy's network adds to, for each action. Default 0.
   */
  constructor(
    { observation, action, hidden }: Sizes<"observation" | "action" | "hidden">,
    {
      deviation,
      start = Array<number>(action).fill(0),
    }: { readonly deviation: number; readonly start?: readonly number[] },
  ) {
    super();
    this.start = start;
    // A policy begins as nearly the same for all that is observed.
    const lastInit = normal(0.01 * hidden ** -0.5);
    this.policy = new Perceptron({ observation, hidden }, { action }, { lastInit });
    this.critic = new Perceptron({ observation, hidden }, { value: 1 });
    this.logDeviation = param({ action }, constantly(Math.log(deviation)), { decay: false });
  }

  /** How actions are distributed; epsilon: what deviations are times, 0 for none. */
  call<A extends string = never>(observation: Tensor<A | "observation">, epsilon: Tensor<A>): Distribution<A> {
    const { start } = this;
    const action = start.length;
    const mean = (this.policy.call<A>(observation) as Tensor).add(constant({ action }, start) as Tensor);
    return { mean, deviation: (epsilon as Tensor).broadcast({ action }).mul(this.logDeviation.exp()) as Tensor };
  }

  /** The discounted sum of rewards that is expected. */
  value<A extends string = never>(observation: Tensor<A | "observation">): Tensor<A> {
    return (this.critic.call<A>(observation) as Tensor).at("value", 0) as Tensor;
  }
}

const HALF_LOG_TAU = 0.5 * Math.log(2 * Math.PI);

/** The logarithm of the density of actions. */
export function logDensity<A extends string = never>(
  { mean, deviation }: Distribution<A>,
  action: Tensor<A | "action">,
): Tensor<A> {
  const off = (action as Tensor).sub(mean as Tensor).div(deviation as Tensor) as Tensor;
  const each = off
    .square()
    .mul(-0.5)
    .sub((deviation as Tensor).log())
    .sub(HALF_LOG_TAU) as Tensor;
  return each.sum("action") as Tensor;
}

/** The entropy of actions (nats). */
export function entropy<A extends string = never>({ deviation }: Distribution<A>): Tensor<A> {
  return (deviation as Tensor)
    .log()
    .add(HALF_LOG_TAU + 0.5)
    .sum("action") as Tensor;
}

/** An action, drawn. */
export function drawAction({ mean, deviation }: Distribution, key: Key): Tensor<"action"> {
  return normalNumbers(key, { action: mean.size("action") })
    .mul(deviation)
    .add(mean);
}

/**
 * By how much more came than was expected, from each step on: the generalized advantage estimate.
 * @param last the value of what is observed after the last step.
 */
export function advantages(
  { value, reward }: Pick<Rollout, "value" | "reward">,
  last: Scalar,
  { discount, trace }: Pick<PpoConfig, "discount" | "trace">,
): Tensor<"time"> {
  const next = concatenate([value.slice("time", 1), last.broadcast({ time: 1 })], "time");
  const error = reward.add(next.mul(discount)).sub(value);
  const sum = (later: Scalar, { error }: { readonly error: Scalar }) => {
    const own = error.add(later.mul(discount * trace));
    return [own, own] as const;
  };
  const [, found] = scan("time", full({}, 0), { error } as never, sum as never, { reverse: true });
  return found as Tensor<"time">;
}

/** What a rollout says of its steps (f32): by how much they were better than expected, and what came after all. */
export interface Lessons {
  /** With mean 0 and variance 1. */
  readonly advantage: Tensor<"time">;
  readonly returns: Tensor<"time">;
}

/** The lessons of a rollout. */
export function lessonsOf(rollout: Rollout, last: Scalar, c: PpoConfig): Lessons {
  const raw = advantages(rollout, last, c);
  const centred = raw.sub(raw.mean("time"));
  return {
    advantage: centred.div(centred.square().mean("time").sqrt().add(1e-8)),
    returns: raw.add(rollout.value),
  };
}

/** The loss whose gradient improves policy and value: the clipped surrogate, the value's squared error, the entropy, each with its weight. */
export function ppoLoss(
  model: ActorCritic,
  rollout: Rollout,
  lessons: Lessons,
  { clip, entropy: entropyWeight, valueWeight }: PpoConfig,
): Scalar {
  const distribution = model.call<"time">(rollout.observation, rollout.epsilon);
  const ratio = logDensity<"time">(distribution, rollout.action).sub(rollout.logDensity).exp();
  const limited = clamp(ratio, 1 - clip, 1 + clip);
  const gain = ratio.mul(lessons.advantage).minimum(limited.mul(lessons.advantage)).mean("time");
  const error = model.value<"time">(rollout.observation).sub(lessons.returns).square().mean("time");
  const spread = entropy<"time">(distribution).mean("time");
  return error
    .mul(0.5 * valueWeight)
    .sub(gain)
    .sub(spread.mul(entropyWeight));
}

/** A policy that has learnt from a rollout. `last`: the value of what is observed after its last step; `declared`: the module as declared. */
export function improved(
  declared: ActorCritic,
  learner: Learner<ActorCritic>,
  rollout: Rollout,
  last: Scalar,
  c: PpoConfig,
): Learner<ActorCritic> {
  const lessons = stopGradient(lessonsOf(rollout, last, c));
  const [found] = scan("epoch", learner, { epoch: iota({ epoch: c.epochs }) }, (now) => {
    const [, gradients] = valueAndGrad((params: ActorCritic) => ppoLoss(params, rollout, lessons, c))(now.params);
    return [learnt(declared, now, gradients, c), []] as const;
  });
  return found;
}
