/**
 * What layers say beside their results: losses to be added, figures to be logged, parameters that are set by a rule instead of a
 * gradient. A layer reports, whoever trains collects; nobody in between has to pass anything on.
 */
import { currentScope } from "../compiler/site.js";
import { escape, takeEscapes, tracing } from "../compiler/trace.js";
import { joinPath, PATH } from "../compiler/tree.js";
import type { Module } from "./module.js";
import { type AnyTensor, describe, type Scalar, Tensor, tensorError } from "./tensor.js";

/** What was reported, by the path of the module and the name: `blocks/mlp/load_balance`. Each layer of a stack adds an axis. */
export interface Reports {
  /** To be added to the training loss (f32). */
  readonly losses: readonly Scalar[];
  /** To be logged (f32); the unweighted losses are among them. Of several under one name the mean. */
  readonly metrics: Readonly<Record<string, AnyTensor>>;
  /** What a controller goes by (f32); not logged. Of several under one name the mean. */
  readonly observations: Readonly<Record<string, AnyTensor>>;
  /** By the path of the parameter: what it is after the step. Of several for one parameter the mean. */
  readonly updates: Readonly<Record<string, AnyTensor>>;
}

/**
 * Reports of the module that is running. Inside of `scan` and `Stack` they are stacked, in a `cond` they are 0 where the other branch
 * runs. Where nobody collects they are not computed. (Flax has `sow` for this.)
 */
export const report = {
  /** A loss (a scalar) that training adds to its own, times `weight`. It is logged as it is. */
  loss(name: string, value: Scalar, weight = 1): void {
    const wide = value.cast("f32");
    this.metric(name, wide);
    escape({ kind: "loss", message: at(name), value: wide.mul(weight).value, names: wide.names });
  },

  /** A figure or several, to be logged. */
  metric(name: string, value: AnyTensor): void {
    const wide = (value as Tensor).cast("f32");
    escape({ kind: "metric", message: at(name), value: wide.value, names: wide.names });
  },

  /** What a controller of the model goes by. */
  observation(name: string, value: AnyTensor): void {
    const wide = (value as Tensor).cast("f32");
    escape({ kind: "observation", message: at(name), value: wide.value, names: wide.names });
  },

  /**
   * What a parameter of the module is after the step, instead of what the optimizer makes of it:
   * `report.update(this, this.bias, next)`.
   * @throws XenarcError when the parameter is not a field of the module, or the value has not its sizes and element type.
   */
  update<A extends string>(module: Module, parameter: Tensor<A>, next: NoInfer<Tensor<A>>): void {
    const name = Object.entries(module).find(([, field]) => field === parameter)?.[0];
    if (name === undefined || describe(parameter) !== describe(next.ordered(parameter.names))) {
      const which = name === undefined ? "no field of the module" : `"${name}"`;
      throw tensorError(
        `report.update: the parameter ${describe(parameter)} is ${which}, and its next value ${describe(next)}.`,
        [parameter, next],
        { expected: "a parameter of the module, and a value of its axes, sizes and element type" },
      );
    }
    const path = joinPath((module as { [PATH]?: string })[PATH] ?? "", name);
    escape({ kind: "update", message: path, value: next.value, names: next.names });
  },
} as const;

const at = (name: string): string => joinPath(currentScope() ?? "", name);

/** The result of `f` and what was reported while it ran. */
export function collect<R>(f: () => R): [R, Reports] {
  const { region } = tracing();
  const before = takeEscapes(region);
  const result = f();
  const given = takeEscapes(region);
  for (const e of [...before, ...given.filter(({ kind }) => kind === "print" || kind === "assert")]) escape(e, region);
  const byName = (kind: "metric" | "observation" | "update") => {
    const found = new Map<string, Tensor[]>();
    for (const e of given.filter((e) => e.kind === kind)) {
      if (kind === "update" && e.when) {
        throw tensorError(`report.update: "${e.message}" is set in one branch of a cond.`, [], {
          fix: "Let the cond return the value, the old one from the other branch, and report it outside.",
        });
      }
      found.set(e.message, [...(found.get(e.message) ?? []), new Tensor<any>(e.names, e.value)]);
    }
    return Object.fromEntries([...found].map(([name, all]) => [name, mean(all)]));
  };
  const losses = given.filter((e) => e.kind === "loss").map((e) => new Tensor<any>(e.names, e.value));
  const total = (l: Tensor) => (l.names.length ? l.sum(l.names) : l) as unknown as Scalar;
  const [metrics, observations, updates] = (["metric", "observation", "update"] as const).map(byName);
  return [result, { losses: losses.map(total), metrics: metrics!, observations: observations!, updates: updates! }];
}

const mean = (all: readonly Tensor[]): Tensor =>
  all.length === 1 ? all[0]! : (all.reduce((a, b) => a.add(b) as Tensor).mul(1 / all.length) as Tensor);
