/** The entry points of a language model: what an artifact is made of. */
import { didYouMean, XenarcError } from "../../compiler/errors.js";
import { withKernels } from "../../compiler/kernels.js";
import { anomalyProgram } from "../../compiler/passes/anomaly.js";
import type { Program } from "../../compiler/program.js";
import { builderFor, type TraceOptions, traceProgram } from "../../compiler/trace.js";
import { spec } from "../../ops/module.js";
import { foldIn } from "../../ops/random.js";
import { collect } from "../../ops/report.js";
import type { LanguageModel } from "../language_model.js";
import { edges, probes } from "../probes.js";
import { batchSpec, examplesOf } from "../train/batch.js";
import { type Bucket, bucketsOf } from "../train/buckets.js";
import type { TrainConfig } from "../train/config.js";
import { weightsOf } from "../train/ema.js";
import { initialize } from "../train/initialize.js";
import { probe } from "../train/probe.js";
import { firstState, stateSpec } from "../train/state.js";
import { trainStep } from "../train/train_step.js";
import type { ProgramConfig } from "./config.js";
import { controlAct, controllerOf, controlStep } from "./control.js";
import {
  cacheOf,
  decodeStep,
  prefill,
  probeDecodeStep,
  probePrefill,
  promptSpec,
  remember,
  sessionOf,
} from "./generation.js";

/** The first training state from a key. */
export const init = (model: LanguageModel<object>, c: ProgramConfig): Program =>
  traceProgram(
    "init",
    { argument: { key: spec({ threefry: 2 }, "ui32") } },
    ({ argument: { key } }) => {
      const params = initialize(model, foldIn(key, 0));
      const state = firstState(model, params, foldIn(key, 1), c.train);
      const control = controllerOf(model, c)?.first(foldIn(key, 2));
      return { state: { ...state, ...(control && { control }) } };
    },
    { ...onHost(c.train), declared: stateSpec(model, c.train) },
  );

/** What of the training state lies in the host's memory. */
const onHost = ({ offload }: TrainConfig): TraceOptions => ({ host: offload.optimizer ? ["optimizer"] : [] });

/** One optimizer step; the state is donated. Sequences are as long as a `bucket` says, by default as the model's context. */
export function trainStepProgram(model: LanguageModel<object>, c: ProgramConfig, bucket?: Bucket): Program {
  const control = c.control && { ...c.control, types: c.data.types?.values.length };
  const { name, context, batch } = bucket ?? { name: "train_step", context: c.model.context, batch: c.train.batch };
  return traceProgram(
    name,
    {
      state: stateSpec(model, c.train),
      batch: batchSpec(
        { accumulation: c.train.accumulation, batch },
        context,
        c.data,
        model.accepts(),
        c.control !== undefined,
      ),
    },
    ({ state, batch }) => {
      const { state: next, metrics, observed } = trainStep(model, state, batch, c.train, control);
      return { state: next, metric: metrics, ...(observed && { result: { observed } }) };
    },
    onHost(c.train),
  );
}

/** The summed loss (nats) and the number of targets of a batch of the validation text, and what layers report of it. */
export function evalStep(model: LanguageModel<object>, c: ProgramConfig): Program {
  const weights = weightsOf(model, c.train);
  const batch = batchSpec({ batch: c.train.batch }, c.model.context, c.data, model.accepts());
  return traceProgram("eval_step", { state: weights.state, batch }, ({ state, batch }) => {
    const { inputs, targets, ...places } = examplesOf(batch);
    const options = { ...places, chunk: c.train.lossChunk };
    const [{ sum, count }, { metrics }] = collect(() => weights.model(state).loss(inputs, targets, options));
    return { metric: { loss_sum: sum, count, ...metrics } };
  });
}

/** Tokens to scores. */
export function forward(model: LanguageModel<object>, c: ProgramConfig): Program {
  const weights = weightsOf(model, c.train);
  const { length: _, ...argument } = promptSpec(model, c);
  return traceProgram("forward", { state: weights.state, argument }, ({ state, argument: { tokens, ...options } }) => ({
    result: { logits: weights.model(state).call(tokens, options).cast("f32").ordered(["batch", "seq", "vocab"]) },
  }));
}

/** A look into the model: the first micro-batch of a batch of `train_step`, forwards and, for gradients, backwards. */
function probeStep(model: LanguageModel<object>, c: ProgramConfig): Program {
  const { accumulation, batch } = c.train;
  const state = { params: model };
  return traceProgram(
    "probe_step",
    { state, batch: batchSpec({ accumulation, batch }, c.model.context, c.data, model.accepts()) },
    (given) => ({
      result: { edges: edges(), ...probe(model, given.state.params, given.batch, c) },
    }),
  );
}

type EntryPoint = (model: LanguageModel<object>, c: ProgramConfig) => Program;

/** Train steps. In anomaly mode they leave the state as it is, and beside `train_step_512` there is `anomaly_step_512`. */
function trainSteps(c: ProgramConfig): Record<string, EntryPoint> {
  const steps = [undefined, ...bucketsOf(c)].map((bucket): [string, EntryPoint] => [
    bucket?.name ?? "train_step",
    (model, c) => trainStepProgram(model, c, bucket),
  ]);
  if (!c.train.anomaly) return Object.fromEntries(steps);
  return Object.fromEntries([
    ...steps.map(([name, step]) => [name, (model, c) => ({ ...step(model, c), donated: [] })] as [string, EntryPoint]),
    ...steps.map(([name, step]) => lookedAt(name.replace("train", "anomaly"), step)),
  ]);
}

/** A step that is looked at operation by operation, to find what is not finite; without kernels, which hide theirs. */
const lookedAt = (name: string, step: EntryPoint): [string, EntryPoint] => [
  name,
  (model, c) => {
    const program = withKernels([], () => step(model, c));
    return anomalyProgram(name, builderFor(program.region), program);
  },
];

/** The programs that write text. */
const writing = (model: LanguageModel<object>, c: ProgramConfig): Record<string, EntryPoint> => ({
  prefill,
  decode_step: (model, c) => decodeStep(model, c, cacheOf(prefill(model, c))),
  ...(sessionOf(model, c) && { remember: (model, c) => remember(model, c, cacheOf(prefill(model, c))) }),
});

/**
 * The same for each of `generate.lengths`, shortest first: `prefill_512`, ...
 * @throws XenarcError for a length that is not below the context.
 */
function writingShorter(model: LanguageModel<object>, c: ProgramConfig): Record<string, EntryPoint> {
  const { context } = c.model;
  const lengths = [...new Set(c.generate.lengths)].sort((a, b) => a - b).filter((length) => length !== context);
  const longest = lengths.at(-1) ?? 0;
  if (longest > context) {
    throw new XenarcError({
      what: `generate.lengths: ${longest} tokens are more than the model sees at once, ${context}.`,
      expected: "lengths below model.context",
    });
  }
  const entries = lengths.flatMap((length) =>
    Object.entries(writing(model, c)).map(([entry, program]): [string, EntryPoint] => {
      const name = `${entry}_${length}`;
      return [name, (model, c) => ({ ...program(model, { ...c, model: { ...c.model, context: length } }), name })];
    }),
  );
  return Object.fromEntries(entries);
}

/** Every entry point of a configuration, by name; each is traced when it is asked for. */
const entryPoints = (model: LanguageModel<object>, c: ProgramConfig): Readonly<Record<string, EntryPoint>> => ({
  init,
  ...trainSteps(c),
  eval_step: evalStep,
  forward,
  ...writing(model, c),
  ...writingShorter(model, c),
  ...(c.control && { control_step: controlStep, control_act: controlAct }),
  ...(probes(c.log) && { probe_step: probeStep }),
  ...(c.generate.trace && {
    probe_prefill: probePrefill,
    probe_decode_step: (model, c) => probeDecodeStep(model, c, cacheOf(prefill(model, c))),
  }),
});

/**
 * The entry points asked for, or all, in their order.
 * @throws XenarcError for a name that is none of them.
 */
export function programsOf(model: LanguageModel<object>, c: ProgramConfig, only?: readonly string[]): Program[] {
  const all = entryPoints(model, c);
  const names = Object.keys(all);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new XenarcError(
      { what: `There is no entry point "${unknown}".${didYouMean(unknown, names)}`, expected: names.join(", ") },
      "usage",
    );
  }
  return names.filter((name) => only?.includes(name) ?? true).map((name) => all[name]!(model, c));
}
