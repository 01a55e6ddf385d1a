/** The operations that a model needs, however often a program computes them: what MFU counts. */
import { changed, type Port, type Program } from "../compiler/program.js";

/** Tokens that one run of an entry point takes in; 0: it takes none. */
export function tokensOf(program: Program): number {
  const port = program.inputs.find(({ name }) => name === "tokens" || name === "token");
  if (port === undefined) return 0;
  const sizes = port.axes.map((axis, d) => port.shape[d]! - (axis === "window" ? 1 : 0));
  return sizes.reduce((a, b) => a * b, 1);
}

/**
 * Of a step of training, on all devices, for as many tokens: a forward pass, one that carries the gradient back, and one for the gradients of
 * the parameters, as far as they are trained. `forward` is `eval_step`.
 */
export function stepFlops(step: Program, forward: Program): number {
  const elements = (ports: readonly Port[]) =>
    ports
      .filter(({ name }) => name.startsWith("params/"))
      .reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  const trained = elements(changed(step)) / elements(step.inputs);
  return ((2 + trained) * tokensOf(step) * forward.cost.flops) / tokensOf(forward);
}
