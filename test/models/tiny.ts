/** A small model that trains in a moment, and the same in plain JAX with an optimizer of optax: what optimizer tests compare. */
import { z } from "zod";
import { compile } from "../../emit/compile.js";
import { defineModel } from "../../models/define.js";
import { LanguageModel, type RunOptions } from "../../models/language_model.js";
import { Embedding, Linear } from "../../models/layers/index.js";
import { Module, Stack } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import type { WireTensor } from "../../runtime-bridge/worker.js";
import { tokens as drawTokens, execute, jaxEval, numbers, tensor } from "../oracle/oracle.js";

const [vocab, embed, context] = [32, 8, 12];

class Layer extends Module {
  readonly up = new Linear({ embed }, { heads: 3, headDim: 4 });
  readonly down = new Linear({ heads: 3, headDim: 4 }, { embed }, { bias: false });
  call(x: Tensor<"batch" | "seq" | "embed">) {
    return x.add(this.down.call<"batch" | "seq">(this.up.call<"batch" | "seq">(x).tanh()));
  }
}

class Tiny extends LanguageModel<object> {
  readonly tokens = new Embedding({ vocab }, { embed });
  readonly blocks = new Stack({ layers: 2 }, () => new Layer());
  readonly head = new Linear({ embed }, { vocab }, { bias: false });
  run(tokens: Tensor<"batch" | "seq">, _: RunOptions<object> = {}) {
    return { hidden: this.blocks.scan(this.tokens.call(tokens), (layer, x) => layer.call(x)), cache: {} };
  }
  logits<A extends string>(hidden: Tensor<A | "embed">) {
    return this.head.call<A>(hidden);
  }
}

/** Its parameters are those of `PATHS`. */
export const tiny = defineModel({
  name: "tiny",
  config: z.strictObject({ context: z.int().default(context) }),
  build: () => new Tiny(),
});

export const PATHS = [
  "tokens/weight",
  "blocks/up/weight",
  "blocks/up/bias",
  "blocks/down/weight",
  "head/weight",
] as const;

/** A training state by port name. */
export type State = Readonly<Record<string, WireTensor>>;

/** What training came to after each step. */
export interface Trained {
  readonly start: State;
  /** The state and the metrics. */
  readonly steps: readonly State[];
}

/** Batches, one for each step: [accumulation, batch, window]. */
export const batches = (steps: number, accumulation = 1, batch = 4): WireTensor[] =>
  Array.from({ length: steps }, (_, i) => drawTokens([accumulation, batch, context + 1], vocab, i + 1));

/** Trains the model by its programs. `before` may change what a step is given, `after` sees what it gave. */
export async function trainTiny(
  train: object,
  given: readonly WireTensor[],
  before: (state: State, step: number) => State = (state) => state,
  after: (state: State, step: number) => void = () => {},
): Promise<Trained> {
  const compiled = await compile(tiny, { train: { batch: 4, ...train } }, { only: ["init", "train_step"] });
  const run = async (name: string, inputs: State): Promise<State> => {
    const { text, program } = compiled.program(name);
    const out = await execute(
      text,
      program.inputs.map((port) => inputs[port.name]!),
    );
    return Object.fromEntries(program.outputs.map((port, i) => [port.name, out[i]!]));
  };
  const start = await run("init", { key: tensor("ui32", [2], [0, 42]) });
  const steps: State[] = [];
  for (const [i, tokens] of given.entries()) {
    steps.push(await run("train_step", { ...before(steps.at(-1) ?? start, i), tokens }));
    after(steps.at(-1)!, i);
  }
  return { start, steps };
}

/** The number of a scalar of a state. */
export const value = (state: State, name: string): number => (numbers(state[name]!) as number[])[0]!;

const LAYER = `(lambda p, l, h: h + jnp.einsum("bshd,hde->bse",
  jnp.tanh(jnp.einsum("bse,ehd->bshd", h, p["blocks/up/weight"][l]) + p["blocks/up/bias"][l]), p["blocks/down/weight"][l]))`;
const LOSS = `(lambda p, t: optax.softmax_cross_entropy_with_integer_labels(
  ${LAYER}(p, 1, ${LAYER}(p, 0, p["tokens/weight"][t[:, :-1]])) @ p["head/weight"], t[:, 1:]).mean())`;

/**
 * The same by JAX and optax: losses, and each parameter after each step [steps, ...]. `optimizer` is the source of a transformation
 * of optax over a dictionary by path.
 */
export async function trainByOptax(
  start: State,
  given: readonly WireTensor[],
  optimizer: string,
): Promise<{ losses: number[]; params: Readonly<Record<string, WireTensor>> }> {
  const names = [...PATHS].sort();
  const source = `(lambda names, tx: lambda tokens, *values: (lambda start:
    lax.scan(lambda c, t: (lambda loss, g: (lambda u, s: (lambda p: ((p, s), (loss, p)))(optax.apply_updates(c[0], u)))(
      *tx.update(g, c[1], c[0])))(*jax.value_and_grad(${LOSS})(c[0], t)), (start, tx.init(start)), tokens)[1]
    )(dict(zip(names, values))))(${JSON.stringify(names)}, ${optimizer})`;
  const [, , window] = given[0]!.shape as [number, number, number];
  const rows = given[0]!.shape[0]! * given[0]!.shape[1]!;
  const all = tensor(
    "i32",
    [given.length, rows, window],
    given.flatMap((t) => numbers(t) as number[]),
  );
  const [losses, ...params] = await jaxEval(source, [all, ...names.map((name) => start[`params/${name}`]!)]);
  return {
    losses: numbers(losses!) as number[],
    params: Object.fromEntries(names.map((name, i) => [name, params[i]!])),
  };
}
