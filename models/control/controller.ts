/**
 * What sets a model's values of the run while it is trained and while it writes. It acts on what it observed of the tokens before: what a token is
 * given depends on nothing behind it.
 */
import { cond, valueAndGrad } from "../../ops/control.js";
import { clamp, constant, full, iota, stack, zeros } from "../../ops/functions.js";
import { spec } from "../../ops/module.js";
import { foldIn, type Key } from "../../ops/random.js";
import type { Scalar, Sizes, Tensor } from "../../ops/tensor.js";
import type { LanguageModel } from "../language_model.js";
import { type Analyzer, analyzed, bottlenecks } from "./analyzer.js";
import { type Assessment, METRICS } from "./assessment.js";
import type { ControlConfig } from "./config.js";
import { firstLearner, type Learner, learnerSpec, learnt } from "./learner.js";
import { Perceptron } from "./perceptron.js";
import { ActorCritic, drawAction, improved, logDensity, type Rollout } from "./ppo.js";
import { type Knob, knobsOf, startOf, valuesOf } from "./values.js";

/** The self-assessment: from what is observed, what a step is assessed by, in deviations from the mean of the last steps. */
export type Assessor = Perceptron<"metric">;

/** The action that a step is taken with. */
type Pending = Readonly<Record<Exclude<keyof Rollout, "reward">, Tensor>>;

/** What is kept of steps. */
interface Memory {
  readonly rollout: Rollout;
  readonly pending: Pending;
  /** What the last steps were assessed by (f32). */
  readonly history: Tensor<"moment" | "metric">;
  /** Steps so far (i32). */
  readonly step: Scalar;
}

/** What a controller carries from step to step. */
export interface ControllerState extends Memory {
  readonly agent: Learner<ActorCritic>;
  readonly assessor: Learner<Assessor>;
  readonly analyzer: Learner<Analyzer>;
  readonly key: Key;
}

/** What of it acts without learning. */
export interface Actor {
  readonly agent: { readonly params: ActorCritic };
  readonly assessor: { readonly params: Assessor };
  readonly history: Tensor<"moment" | "metric">;
  readonly step: Scalar;
}

/** Values of the run by the paths of their parameters. */
type Values = Readonly<Record<string, Tensor>>;

/** What a step gave. */
export interface Outcome {
  readonly observed: Tensor<"observation">;
  readonly assessment: Assessment;
}

/** A controller of a model's values of the run. */
export class Controller {
  readonly knobs: readonly Knob[];
  readonly agent: ActorCritic;
  readonly assessor: Assessor;
  readonly analyzer: Analyzer;
  private readonly c: ControlConfig;
  private readonly observation: number;
  private readonly start: readonly number[];

  /** @throws XenarcError when the model has no such values, and for bounds that do not fit it. */
  constructor(model: LanguageModel<object>, c: ControlConfig) {
    this.c = c;
    this.knobs = knobsOf(model, c);
    this.start = startOf(this.knobs);
    this.observation = model.controlled()!.observations;
    const sizes = { observation: this.observation, action: this.start.length, hidden: c.hidden };
    this.agent = new ActorCritic(sizes, { deviation: c.deviation, start: this.start });
    this.assessor = new Perceptron(sizes, { metric: METRICS.length });
    this.analyzer = new Perceptron({ ...sizes, observation: sizes.action }, { outcome: 1 });
  }

  /** The state in which it begins. */
  first(key: Key): ControllerState {
    const memory = this.memory((sizes) => zeros(sizes));
    return {
      agent: firstLearner(this.agent, foldIn(key, 0)),
      assessor: firstLearner(this.assessor, foldIn(key, 1)),
      analyzer: firstLearner(this.analyzer, foldIn(key, 2)),
      ...memory,
      pending: { ...memory.pending, action: constant({ action: this.start.length }, this.start) as Tensor },
      step: iota({ step: 1 }).at("step", 0),
      key: foldIn(key, 3),
    };
  }

  /** The state, to be traced. */
  spec(): ControllerState {
    return {
      agent: learnerSpec(this.agent),
      assessor: learnerSpec(this.assessor),
      analyzer: learnerSpec(this.analyzer),
      ...this.memory((sizes) => spec(sizes)),
      key: spec({ threefry: 2 }, "ui32"),
    };
  }

  /** What acts, to be traced. */
  actorSpec(): Actor {
    const { history, step } = this.memory((sizes) => spec(sizes));
    return { agent: { params: this.agent }, assessor: { params: this.assessor }, history, step };
  }

  private memory(make: (sizes: Sizes<string>) => Tensor): Memory {
    const sizes = { observation: { observation: this.observation }, action: { action: this.start.length } };
    const one = (more: Sizes<string>): Pending => ({
      observation: make({ ...more, ...sizes.observation }),
      action: make({ ...more, ...sizes.action }),
      epsilon: make(more),
      logDensity: make(more),
      value: make(more),
    });
    const time = { time: this.c.rollout };
    return {
      rollout: { ...one(time), reward: make(time) } as Rollout,
      pending: one({}),
      history: make({ moment: this.c.history, metric: METRICS.length }) as Tensor<"moment" | "metric">,
      step: spec({}, "i32"),
    };
  }

  /**
   * Learns from a step of training that was taken with the values before, and sets those of the next. A step of which a figure is not finite
   * leaves everything as it is.
   */
  step(
    before: ControllerState,
    { observed, assessment }: Outcome,
  ): { state: ControllerState; values: Values; metrics: Readonly<Record<string, Tensor>> } {
    const figures = stack(
      METRICS.map((name) => assessment[name]),
      "metric",
    ) as Tensor<"metric">;
    const good = figures.isFinite().all("metric").and(observed.isFinite().all("observation"));
    const state = cond(
      good,
      () => this.learnt(before, observed, figures),
      () => before,
    );
    const { pending, agent } = state;
    const { mean, deviation } = recent(state);
    const values = valuesOf(this.knobs, pending.action as Tensor<"action">, this.lack(mean));
    const found = bottlenecks(state.analyzer.params, this.knobs, pending.action as Tensor<"action">);
    const scores = state.assessor.params.call<never>(observed).mul(deviation).add(mean);
    const named = <T>(prefix: string, all: Readonly<Record<string, T>>) =>
      Object.fromEntries(Object.entries(all).map(([name, x]) => [`${prefix}/${name}`, x])) as Record<string, Tensor>;
    return {
      state,
      values,
      metrics: {
        reward: this.reward(figures) as unknown as Tensor,
        epsilon: pending.epsilon,
        value: agent.params.value<never>(observed) as unknown as Tensor,
        ...named("expected", Object.fromEntries(METRICS.map((name, i) => [name, scores.at("metric", i)]))),
        ...named("bottleneck", found),
        ...named("values", Object.fromEntries(this.knobs.map(({ name, path }) => [name, values[path]!]))),
      },
    };
  }

  /** The values for what is observed while nothing is learnt: those that are most likely. */
  act({ agent, assessor, history, step }: Actor, observed: Tensor<"observation">): Values {
    const { mean: action } = agent.params.call(observed, full({}, 1));
    const { mean, deviation } = recent({ history, step });
    const scores = assessor.params.call<never>(observed).mul(deviation).add(mean);
    return valuesOf(this.knobs, action, this.lack(scores).mul(step.gt(0).cast("f32")));
  }

  /** The state after a step whose figures are these `[metric]`. */
  private learnt(before: ControllerState, observed: Tensor<"observation">, figures: Tensor<"metric">): ControllerState {
    const { c } = this;
    const { step, pending, key } = before;
    const outcome = this.gain(before, figures);
    const taken = { ...pending, reward: outcome as unknown as Tensor };
    const place = step.add(c.rollout - 1).rem(c.rollout);
    const put = (into: Tensor, x: Tensor) => into.update("time", place, x.broadcast({ time: 1 }) as Tensor) as Tensor;
    const rollout = Object.fromEntries(
      Object.entries(taken).map(([name, x]) => [name, put(before.rollout[name as keyof Rollout] as Tensor, x)]),
    ) as unknown as Rollout;
    const isFull = step.ge(c.rollout).and(step.rem(c.rollout).eq(0));
    const last = before.agent.params.value<never>(observed);
    const agent = cond(
      isFull,
      () => improved(this.agent, before.agent, rollout, last, c),
      () => before.agent,
    );
    const history = before.history.update("moment", step.rem(c.history), figures.broadcast({ moment: 1 }) as never);
    const memory = { history, step: step.add(1) };
    return {
      agent,
      assessor: this.assessed(before.assessor, observed, figures, memory),
      analyzer: analyzed(
        this.analyzer,
        before.analyzer,
        { action: clamp(pending.action, 0, 1) as Tensor<"action">, outcome: outcome.div(this.spread(before)) },
        c,
      ),
      rollout,
      pending: this.next(agent.params, observed, step, foldIn(key, step)),
      ...memory,
      key,
    };
  }

  /** The assessor after one more step along its gradient. */
  private assessed(
    learner: Learner<Assessor>,
    observed: Tensor<"observation">,
    figures: Tensor<"metric">,
    memory: Pick<Memory, "history" | "step">,
  ): Learner<Assessor> {
    const { mean, deviation } = recent(memory);
    const wanted = figures.sub(mean).div(deviation.add(LEAST));
    const off = (params: Assessor): Scalar => params.call<never>(observed).sub(wanted).square().mean("metric");
    const [, gradients] = valueAndGrad(off)(learner.params);
    return learnt(this.assessor, learner, gradients, this.c);
  }

  /** The action that is drawn for the step after. */
  private next(params: ActorCritic, observed: Tensor<"observation">, step: Scalar, key: Key): Pending {
    const { from, to, steps } = this.c.epsilon;
    const epsilon = step
      .cast("f32")
      .mul(1 / steps)
      .minimum(1)
      .mul(to - from)
      .add(from);
    const distribution = params.call(observed, epsilon);
    const action = drawAction(distribution, key);
    return {
      observation: observed,
      action,
      epsilon,
      logDensity: logDensity(distribution, action),
      value: params.value<never>(observed),
    } as Record<keyof Pending, unknown> as Pending;
  }

  private weights(): Tensor<"metric"> {
    const { loss, accuracy, hallucination, efficiency } = this.c.reward;
    const of: Partial<Record<(typeof METRICS)[number], number>> = {
      loss: -loss,
      accuracy,
      hallucination: -hallucination,
      attention_efficiency: efficiency,
    };
    return constant(
      { metric: METRICS.length },
      METRICS.map((name) => of[name] ?? 0),
    );
  }

  /** The reward of a step. */
  private reward(figures: Tensor<"metric">): Scalar {
    return figures.mul(this.weights()).sum("metric");
  }

  /** By how much it is more than that of the last steps on average: what a model learns anyway is not the action's. */
  private gain(before: Memory, figures: Tensor<"metric">): Scalar {
    const known = before.step.gt(0).cast("f32");
    return this.reward(figures.sub(recent(before).mean)).mul(known);
  }

  /** How far rewards of the last steps were from each other. */
  private spread(before: Memory): Scalar {
    return recent(before).deviation.mul(this.weights().abs()).square().sum("metric").sqrt().add(LEAST);
  }

  /** How much recall there is too little by these figures. */
  private lack(figures: Tensor<"metric">): Scalar {
    const { target, gain } = this.c.recall;
    return figures.at("metric", METRICS.indexOf("context_recall")).neg().add(target).maximum(0).mul(gain);
  }
}

/** Keeps what is divided by a deviation finite. */
const LEAST = 1e-3;

/** Means and standard deviations of what the last steps were assessed by; 0 before the first. */
function recent({ history, step }: Pick<Memory, "history" | "step">): Record<"mean" | "deviation", Tensor<"metric">> {
  const size = history.size("moment");
  const there = iota({ moment: size }).lt(step).cast("f32");
  const number = there.sum("moment").maximum(1);
  const meanOf = (x: Tensor<"moment" | "metric">) =>
    x
      .mul(there as never)
      .sum("moment")
      .div(number as never);
  const mean = meanOf(history) as Tensor<"metric">;
  const variance = meanOf(history.sub(mean as never).square() as never);
  return { mean, deviation: variance.sqrt() as Tensor<"metric"> };
}
