import type { TrainConfig } from "../config.js";
import type { Optimizer } from "./optimizer.js";

/**
 * Gradient descent with momentum: a sum of gradients, older ones weighing less; by Nesterov's variant the next gradient is looked for
 * ahead (Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning"). Momentum 0 keeps nothing.
 */
export const sgd = ({ sgd: { momentum, nesterov } }: TrainConfig): Optimizer => ({
  slots: ({ sizes }) => (momentum === 0 ? {} : { trace: sizes }),
  update:
    () =>
    ({ g, kept }) => {
      if (momentum === 0) return { direction: g, kept };
      const trace = kept.trace!.mul(momentum).add(g);
      return { direction: nesterov ? trace.mul(momentum).add(g) : trace, kept: { trace } };
    },
});
