import { full } from "../../../ops/functions.js";
import type { Scalar } from "../../../ops/tensor.js";
import type { TrainConfig } from "../config.js";
import type { Optimizer } from "./optimizer.js";

/** 1 / (1 - beta^t): what makes an average of `t` gradients that began at zero unbiased. */
export const correction = (beta: number, t: Scalar): Scalar => full({}, 1).div(full({}, beta).pow(t).neg().add(1));

/** AdamW: first and second moments (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101). */
export const adamw = ({ beta1, beta2, epsilon }: TrainConfig): Optimizer => ({
  slots: ({ sizes }) => ({ mu: sizes, nu: sizes }),
  update(t) {
    const correction1 = correction(beta1, t);
    const correction2 = correction(beta2, t);
    return ({ g, kept }) => {
      const mu = kept.mu!.mul(beta1).add(g.mul(1 - beta1));
      const nu = kept.nu!.mul(beta2).add(g.mul(g).mul(1 - beta2));
      const direction = mu.mul(correction1).div(nu.mul(correction2).sqrt().add(epsilon));
      return { direction, kept: { mu, nu } };
    };
  },
});
