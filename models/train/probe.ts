/** What is seen of a model on a batch. */
import { leavesWithPaths, mapLeaves } from "../../compiler/tree.js";
import { valueAndGrad } from "../../ops/control.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import type { LanguageModel } from "../language_model.js";
import { gradientSummaries, look, type ProbeConfig, type Seen, type Summary, summary, wanted } from "../probes.js";
import { type Batch, examplesOf } from "./batch.js";
import type { TrainConfig } from "./config.js";
import { treatments } from "./parameters.js";

/** The first micro-batch, looked at as `log` asks for; gradients are those of its mean loss. `declared` is the model as declared. */
export function probe(
  declared: LanguageModel<object>,
  params: LanguageModel<object>,
  batch: Batch<"accumulation" | "batch">,
  { train, log }: { readonly train: TrainConfig; readonly log: ProbeConfig },
): Seen<Summary> & { readonly gradients: Readonly<Record<string, Summary>> } {
  const first = mapLeaves(batch, (leaf) => (leaf as Tensor).at("accumulation", 0)) as unknown as Batch<"batch">;
  const asked = {
    activations: wanted("log.activations", log.activations),
    attention: wanted("log.attention", log.attention),
    numbers: (result: Tensor) => summary(result),
    queries: { first: log.attentionPositions },
  };
  const { inputs, targets, ...places } = examplesOf(first);
  const run = (params: LanguageModel<object>): readonly [Scalar, Seen<Summary>] => {
    const [{ sum, count }, seen] = look(declared, asked, () =>
      params.loss(inputs, targets, { ...places, chunk: train.lossChunk }),
    );
    return [sum.div(count.cast("f32").maximum(1)) as Scalar, seen];
  };
  if (log.gradients === false) return { ...run(params)[1], gradients: {} };
  const frozen = new Set(treatments(declared, train).flatMap(({ path, freeze }) => (freeze ? [path] : [])));
  const [[, seen], gradients] = valueAndGrad(run)(params);
  const trained = (leavesWithPaths(gradients) as [string, Tensor][]).filter(([path]) => !frozen.has(path));
  return { ...seen, gradients: gradientSummaries(declared, new Map(trained), log) };
}
