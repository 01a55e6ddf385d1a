/** The whole optimizer step as one program: forward, loss, backward, accumulation, clipping, schedule, optimizer, metrics. */
import { leaves as anyLeaves, mapLeaves, withValues } from "../../compiler/tree.js";
import { scan, shard, valueAndGrad } from "../../ops/control.js";
import { full, iota, where, zeros } from "../../ops/functions.js";
import { parameters } from "../../ops/module.js";
import { foldIn } from "../../ops/random.js";
import { collect, type Reports } from "../../ops/report.js";
import { type AnyTensor, oneCall, type Scalar, type Tensor, tensorError } from "../../ops/tensor.js";
import { asMetrics, assessing, assessmentOf, observed } from "../control/assessment.js";
import type { ControlConfig } from "../control/config.js";
import type { LanguageModel } from "../language_model.js";
import { dropping } from "../lora.js";
import { type Batch, examplesOf, targetsOf, typesOf } from "./batch.js";
import type { TrainConfig } from "./config.js";
import { averages } from "./ema.js";
import { judge } from "./health.js";
import { type Treatment, treatments } from "./parameters.js";
import { learningRate } from "./schedule.js";
import type { TrainState } from "./state.js";
import { byPath, updated } from "./update.js";

const leaves = (tree: unknown) => anyLeaves(tree) as Tensor[];

/** What is logged of a step (f32): these, and what layers report. */
export interface Metrics {
  readonly [reported: string]: AnyTensor;
  /** Mean cross-entropy of the step's targets, nats. */
  readonly loss: Scalar;
  /** Global norm of the gradient before clipping. */
  readonly grad_norm: Scalar;
  readonly learning_rate: Scalar;
  /** Global norm of the parameters before the step. */
  readonly param_norm: Scalar;
}

/**
 * One step. Gradients are those of the mean over all targets of the step, however they are spread over micro-batches, and of the
 * losses that layers report. Parameters whose next value a layer reports get that instead of the optimizer's; both, like reported
 * metrics, are means over the micro-batches. `declared` is the model as declared: it knows which parameters decay. With `control` the step is
 * assessed, and says what a controller observes; `types`: how many types there are of what tokens are of.
 */
export function trainStep<M extends LanguageModel<object>>(
  declared: M,
  state: TrainState<M>,
  batch: Batch<"accumulation" | "batch">,
  c: TrainConfig,
  control?: ControlConfig & { readonly types?: number | undefined },
): { state: TrainState<M>; metrics: Metrics; observed?: Tensor<"observation"> | undefined } {
  const real = targetsOf(batch).ge(0);
  const count = real.cast("f32").sum(["accumulation", "batch", "seq"]).maximum(1);
  const treated = treatments(declared, c).filter(({ freeze }) => !freeze);
  const { params: trained, whole } = trainedPart(state.params, treated);
  const share = valueAndGrad((trained: M, micro: Batch<"batch">, index: Scalar): readonly [Scalar, Beside] => {
    const { inputs, targets, ...places } = examplesOf(micro);
    const [sum, { losses, metrics, updates, observations }] = collect(() => {
      const key = () => foldIn(foldIn(state.key, state.step), index);
      const own = control && { assess: assessing(control.positions), types: typesOf(micro, control.types) };
      const options = { ...places, key, chunk: c.lossChunk, ...own };
      const { sum } = dropping(whole(trained), key).loss(inputs, targets, options);
      return sum;
    });
    const loss = sum.div(count);
    const total = losses.reduce((all, l) => all.add(l.mul(1 / batch.tokens.size("accumulation"))), loss);
    return [total, { loss, metrics, updates, ...(control && { observed: observed({ observations }) }) }];
  });

  const { loss, gradients, metrics, updates, ...seen } = accumulate(share, trained, batch);

  const gradNorm = globalNorm(gradients);
  const paramNorm = globalNorm(state.params);
  const scale = c.clip === 0 ? full({}, 1) : where(gradNorm.lt(c.clip), full({}, 1), full({}, c.clip).div(gradNorm));
  const rate = learningRate(state.step, c);
  const step = state.step.add(1);
  const verdict = state.health && judge(state.health, { loss, grad_norm: gradNorm }, c);
  const t = (verdict?.health.applied ?? step).cast("f32");
  const good = verdict?.good;

  const paths = parameters(declared).map(([path]) => path);
  const unknown = Object.keys(updates).find((path) => !paths.includes(path));
  if (unknown !== undefined) throw tensorError(`report.update: the model has no parameter "${unknown}".`, []);
  const given = { params: state.params, optimizer: state.optimizer, gradients, updates };
  const { params, optimizer } = updated(given, treated, { t, rate, scale, good }, c);
  const ema = state.ema && c.ema && averages(state.ema, params, t, c.ema.decay, good);
  return {
    state: { params, optimizer, ema, health: verdict?.health, step, key: state.key },
    metrics: {
      loss,
      grad_norm: gradNorm,
      learning_rate: rate,
      param_norm: paramNorm,
      ...verdict?.metrics,
      ...metrics,
      ...(control && asMetrics(assessmentOf(loss, metrics))),
    },
    ...seen,
  };
}

/** The parameters that are trained, and the whole of the model with others in their place; what is frozen is a constant to it. */
function trainedPart<M>(params: M, treated: readonly Treatment[]): { params: M; whole: (trained: M) => M } {
  const paths = new Set(treated.map(({ path }) => path));
  return {
    params: mapLeaves(params, (leaf, path) => (paths.has(path) ? leaf : undefined)),
    whole: (trained) => {
      const given = byPath(trained);
      return mapLeaves(params, (leaf, path) => given.get(path) ?? leaf);
    },
  };
}

/** What a micro-batch gives beside the gradient: its share of the loss, and what layers report. */
type Beside = { readonly loss: Scalar; readonly observed?: Tensor<"observation"> } & Pick<
  Reports,
  "metrics" | "updates"
>;

/** Loss and gradient added up over the micro-batches, in float32, and the means of what is reported; one micro-batch needs no loop. */
function accumulate<M>(
  share: (params: M, micro: Batch<"batch">, index: Scalar) => [readonly [Scalar, Beside], M],
  params: M,
  batch: Batch<"accumulation" | "batch">,
): Beside & { readonly gradients: M } {
  const n = batch.tokens.size("accumulation");
  // Gradients meet where the optimizer wants them: each device sums up its part, and nothing is whole anywhere.
  const placed: typeof share = (...given) => {
    const [value, gradients] = share(...given);
    return [value, mapLeaves(gradients, (leaf) => shard(leaf as Tensor, "optimizer"))];
  };
  if (n === 1) {
    const micro = mapLeaves(batch as object, (leaf) => (leaf as Tensor).at("accumulation", 0)) as Batch<"batch">;
    const [[, beside], gradients] = placed(params, micro, full({}, 0, "i32"));
    return { ...beside, gradients };
  }
  const start = leaves(params).map((p) => zeros(p.sizes as Record<string, number>));
  const [[loss, sums], reported] = scan(
    "accumulation",
    [full({}, 0), start] as const,
    { batch, index: iota({ accumulation: n }) },
    ([loss, sums], micro) => {
      const [[, { loss: more, ...reported }], gradients] = placed(params, micro.batch as Batch<"batch">, micro.index);
      const added = sums.map((s, i) => s.add(leaves(gradients)[i]!.cast("f32")));
      return [[loss.add(more), added] as never, reported] as const;
    },
  );
  const means = mapLeaves(reported, (leaf) => (leaf as Tensor).mean("accumulation"));
  const gradients = withValues(
    params,
    sums.map((s, i) => s.ordered(leaves(params)[i]!.names).value),
  );
  return { ...(means as Omit<Beside, "loss">), loss, gradients };
}

/** The Euclidean norm of all elements of a tree (f32). */
export function globalNorm(tree: unknown): Scalar {
  return oneCall(() => {
    const squares = leaves(tree).map((t) => t.cast("f32").square().sum(t.names) as unknown as Scalar);
    return squares.reduce((a, b) => a.add(b)).sqrt();
  });
}
