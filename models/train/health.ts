import { full, where } from "../../ops/functions.js";
import type { Scalar } from "../../ops/tensor.js";
import type { TrainConfig } from "./config.js";

/** What is kept to tell bad steps from good ones: scalars. */
export interface Health {
  /** Good steps so far (i32): the steps of the optimizer, whose state a bad step leaves as it is. */
  readonly applied: Scalar;
  /** Running means and variances (f32) of the loss and the gradient's norm; where spikes are looked for. */
  readonly running?: { readonly loss: Running; readonly grad_norm: Running };
}
interface Running {
  readonly mean: Scalar;
  readonly variance: Scalar;
}

/** Why a step is bad, as the metric `bad_reason` has it. */
export const BAD_REASONS = { none: 0, loss_not_finite: 1, gradient_not_finite: 2, spike: 3 } as const;

/** Whether the program itself judges its steps: the runtime stops at a loss that is not finite without. */
export const judges = ({ badSteps }: TrainConfig): boolean =>
  badSteps.policy !== "abort" || badSteps.spike !== undefined;

/** The first state; undefined where nothing is judged. `make` is given the element type. */
export function healthState(c: TrainConfig, make: (dtype: "i32" | "f32") => Scalar): Health | undefined {
  if (!judges(c)) return undefined;
  const running = (): Running => ({ mean: make("f32"), variance: make("f32") });
  const spikes = c.badSteps.spike !== undefined;
  return { applied: make("i32"), ...(spikes && { running: { loss: running(), grad_norm: running() } }) };
}

/** A verdict on a step. */
export interface Verdict {
  /** Whether it is to count (i1). */
  readonly good: Scalar;
  readonly health: Health;
  /** f32. */
  readonly metrics: Readonly<Record<string, Scalar>>;
}

/**
 * Judges a step by its loss and the norm of its gradient. A spike is a value so many deviations above the mean of the good steps before
 * it. Both are looked at: a batch that is bad shows in the gradient before it does harm, and weights that have gone astray in the loss.
 */
export function judge(health: Health, seen: { loss: Scalar; grad_norm: Scalar }, { badSteps }: TrainConfig): Verdict {
  const { policy, spike, memory } = badSteps;
  const { applied, running } = health;
  const known = applied.cast("f32");
  const deviates = ({ mean, variance }: Running, x: Scalar) => x.gt(mean.add(variance.sqrt().mul(spike!)));
  const spikes =
    running &&
    applied.ge(memory).and(deviates(running.loss, seen.loss).or(deviates(running.grad_norm, seen.grad_norm)));
  const reasons: [bad: Scalar, reason: number][] = [
    ...(spikes ? [[spikes, BAD_REASONS.spike] as [Scalar, number]] : []),
    [seen.grad_norm.isFinite().not(), BAD_REASONS.gradient_not_finite],
    [seen.loss.isFinite().not(), BAD_REASONS.loss_not_finite],
  ];
  const reason = reasons.reduce((r, [bad, number]) => where(bad, full({}, number), r), full({}, BAD_REASONS.none));
  const good = reason.eq(BAD_REASONS.none);
  const bad = good.not().cast("f32");
  // A mean of all good steps at first, later one in which older steps weigh less.
  const weight = full({}, 1)
    .div(known.add(1))
    .maximum(1 / memory);
  const next = (before: Running, x: Scalar): Running => {
    const off = x.sub(before.mean);
    const variance = before.variance.add(off.square().mul(weight)).mul(weight.neg().add(1));
    return {
      mean: where(good, before.mean.add(off.mul(weight)), before.mean),
      variance: where(good, variance, before.variance),
    };
  };
  return {
    good,
    health: {
      applied: applied.add(good.cast("i32")),
      ...(running && {
        running: { loss: next(running.loss, seen.loss), grad_norm: next(running.grad_norm, seen.grad_norm) },
      }),
    },
    metrics: { bad_step: bad, bad_reason: reason, ...(policy === "skip" && { skipped: bad }) },
  };
}
