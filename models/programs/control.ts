/** The entry points of the controller of a model's values of the run: one learns from steps of training, the other acts while text is written. */
import { XenarcError } from "../../compiler/errors.js";
import type { Program } from "../../compiler/program.js";
import { traceProgram } from "../../compiler/trace.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { type Assessment, METRICS } from "../control/assessment.js";
import { Controller } from "../control/controller.js";
import type { LanguageModel } from "../language_model.js";
import type { ProgramConfig } from "./config.js";

type Model = LanguageModel<object>;

/** The controller of a configuration; undefined where there is none. @throws XenarcError when the model has nothing to be controlled, or has adapters. */
export function controllerOf(model: Model, { control, lora }: ProgramConfig): Controller | undefined {
  if (control && lora) {
    throw new XenarcError({
      what: "The sections `control` and `lora` are both there: checkpoints of adapters leave out what is set and not trained.",
      fix: "Leave one of them out.",
    });
  }
  return control && new Controller(model, control);
}

const observedSpec = (model: Model): Tensor<"observation"> =>
  spec({ observation: model.controlled()!.observations }, "f32");

/** By the paths of parameters, as the tree that the training state has. */
const asParams = (values: Readonly<Record<string, Tensor>>) => ({ params: values });

/** Learns from what a train step gave, and sets the values of the next: its outputs take the place of those in the training state. */
export function controlStep(model: Model, c: ProgramConfig): Program {
  const controller = controllerOf(model, c)!;
  const assessment = Object.fromEntries(METRICS.map((name) => [name, spec({}, "f32")])) as unknown as Assessment;
  const inputs = { state: { control: controller.spec() }, argument: { observed: observedSpec(model), assessment } };
  return traceProgram("control_step", inputs, ({ state, argument }) => {
    const next = controller.step(state.control, argument);
    return { state: { control: next.state, ...asParams(next.values) }, metric: { control: next.metrics } };
  });
}

/** Sets the values for the tokens behind those that were observed. */
export function controlAct(model: Model, c: ProgramConfig): Program {
  const controller = controllerOf(model, c)!;
  const inputs = { state: { control: controller.actorSpec() }, argument: { observed: observedSpec(model) } };
  return traceProgram("control_act", inputs, ({ state, argument }) => ({
    state: asParams(controller.act(state.control, argument.observed)),
  }));
}
