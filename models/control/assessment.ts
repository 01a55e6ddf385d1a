/** What a step is assessed by. */
import { stopGradient } from "../../ops/control.js";
import { argmax, concatenate, dot, full, gather, iota } from "../../ops/functions.js";
import { type Reports, report } from "../../ops/report.js";
import type { AnyTensor, Scalar, Tensor } from "../../ops/tensor.js";
import type { Assess } from "../language_model.js";

/**
 * What a step is assessed by, in the order of the axis `metric`:
 *
 * - `loss`: the mean cross-entropy, nats
 * - `accuracy`: the part of the targets that are the likeliest token
 * - `skip_rate`: the part of the tokens that skip a layer
 * - `context_recall`: the mean cosine of hidden states and the directions of their targets
 * - `hallucination`: the mean cosine distance of the likeliest token's direction from the target's
 * - `attention_efficiency`: the part of the pairs of a token and one before it that are not attended to
 * - `expert_usage_variance`: of the experts' shares of the choices, as parts of an even share
 * - `question_type_balance`: 1 minus the mean distance of the experts' shares for each type of question from those for all
 */
export const METRICS = [
  "loss",
  "accuracy",
  "skip_rate",
  "context_recall",
  "hallucination",
  "attention_efficiency",
  "expert_usage_variance",
  "question_type_balance",
] as const;
/** One of {@link METRICS}. */
export type Metric = (typeof METRICS)[number];

/** The figures of a step, by what it is assessed by; f32. */
export type Assessment = Readonly<Record<Metric, Scalar>>;

const PREFIX = "assessment/";
const SEEN = "embedding/";
type Hidden = Tensor<"batch" | "seq" | "embed">;

/** 1 for the tokens of a text of a length, 0 for what stands behind them (f32). */
export const inLength = (x: Hidden, length: Tensor<"batch">): Tensor<"batch" | "seq"> =>
  length
    .broadcast({ seq: x.size("seq") })
    .gt(iota({ seq: x.size("seq") }))
    .cast("f32");

/** Says what a controller observes of final hidden states, of those that count (f32, 1 or 0). */
export function observe(hidden: Hidden, counted: Tensor<"batch" | "seq">): void {
  const x = stopGradient(hidden).cast("f32") as Tensor;
  const number = counted.sum(["batch", "seq"]).maximum(1);
  const meanOf = (y: Tensor) => dot(y, counted as Tensor, ["batch", "seq"]).div(number as never) as Tensor;
  const mean = meanOf(x);
  report.observation(`${SEEN}mean`, mean);
  report.observation(`${SEEN}variance`, meanOf(x.square()).sub(mean.square()) as Tensor);
}

/** Assesses what a model predicts at some positions of each sequence, evenly spread, and says what a controller observes. */
export const assessing =
  (positions: number): Assess =>
  (model, hidden, targets) => {
    observe(hidden, targets.ge(0).cast("f32"));
    const seq = hidden.size("seq");
    const some = Math.min(positions, seq);
    const at = iota({ place: some }).mul(seq).div(some);
    const params = stopGradient(model);
    const h = gather(stopGradient(hidden) as Tensor, "seq", at) as Tensor;
    const target = gather(targets as Tensor, "seq", at) as Tensor;
    const counted = target.ge(0).cast("f32") as Tensor;
    const number = counted.sum(["batch", "place"]).maximum(1);
    const mean = (x: Tensor) => x.mul(counted).sum(["batch", "place"]).div(number) as unknown as Scalar;
    const best = argmax(params.logits(h as Tensor<"embed">) as Tensor, "vocab") as Tensor;
    const [wanted, said] = [target.maximum(0) as Tensor, best].map((t) => params.directions(t)) as [Tensor, Tensor];
    report.metric(`${PREFIX}accuracy`, mean(best.eq(target).cast("f32") as Tensor));
    report.metric(`${PREFIX}context_recall`, mean(cosine(h, wanted)));
    report.metric(`${PREFIX}hallucination`, mean(cosine(said, wanted).neg().add(1) as Tensor));
  };

/** The cosine of the angle between vectors along `embed` (f32). */
function cosine(x: Tensor, y: Tensor): Tensor {
  const [a, b] = [x.cast("f32"), y.cast("f32")] as [Tensor, Tensor];
  const length = (v: Tensor) => v.square().sum("embed").add(1e-12).sqrt() as Tensor;
  return a
    .mul(b)
    .sum("embed")
    .div(length(a).mul(length(b)) as Tensor) as Tensor;
}

type Figures = Readonly<Record<string, AnyTensor>>;

/** All figures of the last name: of each module of a kind. */
const ofAll = (figures: Figures, name: string): Tensor[] =>
  Object.entries(figures)
    .filter(([path]) => path === name || path.endsWith(`/${name}`))
    .map(([, x]) => x as Tensor);

const meanOf = (all: readonly Tensor[], none: number): Scalar => {
  if (all.length === 0) return full({}, none);
  const each = all.map((x) => (x.names.length ? x.mean(x.names) : x) as unknown as Scalar);
  return each.reduce((a, b) => a.add(b)).mul(1 / all.length);
};

/** The figures of a step, from its loss and what layers report. */
export function assessmentOf(loss: Scalar, metrics: Figures): Assessment {
  const said = (name: Metric, none: number) => (metrics[PREFIX + name] as Scalar | undefined) ?? full({}, none);
  const uneven = (share: Tensor): Tensor => {
    const experts = share.size("expert");
    return share.mul(experts).sub(1).square().mean("expert") as Tensor;
  };
  return {
    loss,
    accuracy: said("accuracy", 0),
    skip_rate: meanOf(ofAll(metrics, "skip_rate"), 0),
    context_recall: said("context_recall", 0),
    hallucination: said("hallucination", 0),
    attention_efficiency: meanOf(ofAll(metrics, "attended"), 1).neg().add(1),
    expert_usage_variance: meanOf(ofAll(metrics, "utilization").map(uneven), 0),
    question_type_balance: meanOf(ofAll(metrics, "type_distance"), 0).neg().add(1),
  };
}

/** The figures as metrics to be logged, by their names. */
export const asMetrics = (assessment: Assessment): Record<string, Scalar> =>
  Object.fromEntries(METRICS.map((name) => [PREFIX + name, assessment[name]]));

/** What a controller observes: means and variances of embeddings, then the mean scores of gates, by their paths. */
export function observed({ observations }: Pick<Reports, "observations">): Tensor<"observation"> {
  const order = Object.keys(observations).sort(
    (a, b) => Number(b.startsWith(SEEN)) - Number(a.startsWith(SEEN)) || (a < b ? -1 : 1),
  );
  const flat = order.map((path) => {
    const x = observations[path] as Tensor;
    const names = [...x.names].sort((a, b) => rank(a) - rank(b));
    return (names.length > 1 ? x.merge(names, "observation") : x.rename(names[0]!, "observation")) as Tensor;
  });
  return concatenate(flat, "observation") as Tensor<"observation">;
}

/** Layers in front: the order of a tensor's axes is the compiler's. */
const rank = (axis: string): number => (axis === "layers" ? 0 : 1);
