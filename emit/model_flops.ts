/** The operations that a model needs, however often a program computes them: what MFU counts. */
import type { Program } from "../compiler/program.js";

/** Tokens that one run of an entry point takes in. */
export function tokensOf(program: Program): number {
  const port = program.inputs.find(({ name }) => name === "tokens" || name === "token");
  const sizes = port?.axes.map((axis, d) => port.shape[d]! - (axis === "window" ? 1 : 0)) ?? [];
  return sizes.reduce((a, b) => a * b, 1);
}

/** Of a step of training, on all devices: three forward passes (one, and two for the gradients) of as many tokens. `forward` is `eval_step`. */
export const stepFlops = (step: Program, forward: Program): number =>
  (3 * tokensOf(step) * forward.cost.flops) / tokensOf(forward);
