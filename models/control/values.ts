/** Values of the run as the actions of a policy. */
import { didYouMean, XenarcError } from "../../compiler/errors.js";
import { clamp, constant } from "../../ops/functions.js";
import { type Parameter, parameters } from "../../ops/module.js";
import type { Scalar, Sizes, Tensor } from "../../ops/tensor.js";
import type { LanguageModel } from "../language_model.js";
import type { ControlConfig } from "./config.js";
import type { RunValue } from "./run_value.js";

/** A value of the run among the actions: those from `from` on are of its elements. */
export interface Knob extends RunValue {
  readonly name: string;
  readonly of: Parameter;
  readonly from: number;
  readonly size: number;
}

/**
 * The values of a model's that are controlled, with the bounds of the configuration.
 * @throws XenarcError when there are none, for bounds of a value that there is not, and for bounds beyond what the model has room for.
 */
export function knobsOf(model: LanguageModel<object>, { bounds }: ControlConfig): Knob[] {
  const values = model.controlled()?.values ?? [];
  if (values.length === 0) {
    throw new XenarcError({
      what: "The section `control` is there, and the model has no values of the run to be controlled.",
      fix: "Leave the section out, or train a model that has: models/xenarcai_i2/model.ts.",
    });
  }
  const declared = new Map(parameters(model));
  let from = 0;
  const knobs = values.map((value): Knob => {
    const of = declared.get(value.path)!;
    const size = of.value.type.shape.reduce((a, b) => a * b, 1);
    from += size;
    return { ...value, name: nameOf(value.path), of, from: from - size, size };
  });
  for (const [name, [least, most]] of Object.entries(bounds)) {
    const knob = knobs.find((k) => k.name === name);
    const names = knobs.map((k) => k.name);
    if (!knob) {
      throw new XenarcError({
        what: `control.bounds: the model has no value of the run "${name}".${didYouMean(name, names)}`,
        expected: names.join(", "),
      });
    }
    if (!(least < most)) {
      throw new XenarcError({
        what: `control.bounds.${name}: the least is ${least} and the most ${most}.`,
        expected: "[least, most], the least below the most",
      });
    }
    const [lowest, highest] = knob.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    if (least < lowest || most > highest) {
      throw new XenarcError({
        what: `control.bounds.${name} is [${least}, ${most}], and the model has room for ${lowest} to ${highest}.`,
        fix: "Choose bounds within these, or a model with more room: what holds it is among the settings of `model`.",
      });
    }
    Object.assign(knob, { least, most });
  }
  return knobs;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** A number for each element of the value, of one number or one for each layer. */
function each({ of, size }: Knob, numbers: number | readonly number[]): Tensor {
  const { sizes } = of;
  if (typeof numbers === "number") return constant(sizes, Array<number>(size).fill(numbers)) as Tensor;
  const inner = size / numbers.length;
  return constant(
    sizes,
    numbers.flatMap((x) => Array<number>(inner).fill(x)),
  ) as Tensor;
}

/** What an action is of the way from the least to the most as training begins: where the values are what they are configured to be. */
export function startOf(knobs: readonly Knob[]): number[] {
  const at = (numbers: number | readonly number[], layer: number) =>
    typeof numbers === "number" ? numbers : numbers[layer]!;
  return knobs.flatMap((knob) => {
    const layers = knob.of.names[0] === "layers" ? knob.of.value.type.shape[0]! : 1;
    return Array.from({ length: knob.size }, (_, i) => {
      const layer = Math.floor((i * layers) / knob.size);
      const [start, least, most] = [knob.start, knob.least, knob.most].map((x) => at(x, layer)) as [
        number,
        number,
        number,
      ];
      return most > least ? Math.min(Math.max((start - least) / (most - least), 0), 1) : 0;
    });
  });
}

/** The elements of a value among actions, along its own axes. */
export function partOf(knob: Knob, action: Tensor<"action">): Tensor {
  const flat = action.slice("action", knob.from, knob.from + knob.size);
  return (flat.split("action", knob.of.sizes as Sizes<string>) as Tensor).ordered(knob.of.names) as Tensor;
}

/**
 * The values that an action sets, by path: clamped to the least and the most.
 * @param lack how much recall there is too little (f32, at least 0), of the way from the least to the most.
 */
export function valuesOf(
  knobs: readonly Knob[],
  action: Tensor<"action">,
  lack: Scalar,
): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    knobs.map((knob) => {
      const [least, most] = [each(knob, knob.least), each(knob, knob.most)];
      const raw = partOf(knob, action).cast("f32") as Tensor;
      const way = (knob.recalls ? raw.maximum(0).add(lack as never) : raw) as Tensor;
      const limited = clamp(way, 0, 1);
      const value = limited.mul(most.sub(least)).add(least) as Tensor;
      const stepped = knob.step ? value.div(knob.step).round().mul(knob.step) : value;
      return [knob.path, stepped.maximum(least).minimum(most).ordered(knob.of.names) as Tensor];
    }),
  );
}
