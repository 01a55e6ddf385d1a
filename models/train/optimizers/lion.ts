import type { TrainConfig } from "../config.js";
import type { Optimizer } from "./optimizer.js";

/** Lion: the sign of an average (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675). */
export const lion = ({ beta1, beta2 }: TrainConfig): Optimizer => ({
  slots: ({ sizes }) => ({ mu: sizes }),
  update:
    () =>
    ({ g, kept }) => ({
      direction: kept
        .mu!.mul(beta1)
        .add(g.mul(1 - beta1))
        .sign(),
      kept: { mu: kept.mu!.mul(beta2).add(g.mul(1 - beta2)) },
    }),
});
