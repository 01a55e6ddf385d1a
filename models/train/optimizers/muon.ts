import { dot } from "../../../ops/functions.js";
import type { Matrix } from "../../../ops/module.js";
import { describe, type Tensor, tensorError } from "../../../ops/tensor.js";
import type { TrainConfig } from "../config.js";
import { correction } from "./adamw.js";
import type { Optimizer } from "./optimizer.js";

/** The quintic polynomial of an iteration: steep at 0, and around 1 where a singular value should be. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
/** Keeps a norm of zero from dividing. */
const EPSILON = 1e-8;

/**
 * Muon: the average of gradients with its singular values made equal (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural
 * networks"). Scaled by `rms` its steps are as large as AdamW's, so that learning rate and decay are the same (Liu et al. 2025, "Muon is
 * Scalable for LLM Training", arXiv:2502.16982).
 *
 * A parameter is a matrix from all of its input axes to all of its output axes: a query's is (embed) x (heads, headDim). Each layer's, each
 * expert's, is one of its own.
 */
export const muon = ({ muon: { momentum, nesterov, iterations, scale } }: TrainConfig): Optimizer => ({
  slots: ({ sizes }) => ({ mu: sizes }),
  update(t) {
    const own = correction(momentum, t);
    const ahead = nesterov ? correction(momentum, t.add(1)) : own;
    return ({ g, kept }, of) => {
      const { matrix } = of;
      if (matrix === undefined) {
        throw tensorError(`train.parameters: muon is for matrices, and the parameter is ${describe(of)}.`, [of], {
          fix: "Give it another optimizer; or declare it with param(sizes, init, { matrix: { from, to } }).",
        });
      }
      const mu = kept.mu!.mul(momentum).add(g.mul(1 - momentum));
      const average = nesterov ? mu.mul(ahead.mul(momentum)).add(g.mul(own.mul(1 - momentum))) : mu.mul(own);
      const [rows, columns] = [matrix.from, matrix.to].map((axes) => axes.reduce((n, axis) => n * of.size(axis), 1));
      const factor =
        scale === "rms" ? 0.2 * Math.sqrt(Math.max(rows!, columns!)) : Math.sqrt(Math.max(1, columns! / rows!));
      return { direction: orthogonal(average as Tensor, matrix, iterations).mul(factor), kept: { mu } };
    };
  },
});

/**
 * About U V^T of matrices U S V^T: singular values end between 0.7 and 1.2. Newton-Schulz iterations along the shorter side; the axes that
 * are neither rows nor columns are of several matrices.
 */
function orthogonal(x: Tensor, { from, to }: Matrix, iterations: number): Tensor {
  // Rows and columns keep the names of their first axes, and lie on a mesh as these do.
  const joined = (x: Tensor, axes: readonly string[]) => (axes.length === 1 ? x : x.merge(axes, axes[0]!)) as Tensor;
  const parted = (y: Tensor, axes: readonly string[]) =>
    (axes.length === 1 ? y : y.split(axes[0]!, Object.fromEntries(axes.map((n) => [n, x.size(n)])))) as Tensor;
  const start = joined(joined(x, from), to);
  const sides = [from[0]!, to[0]!];
  const [short, long] = (start.size(sides[0]!) <= start.size(sides[1]!) ? sides : [...sides].reverse()) as [
    string,
    string,
  ];
  let y = start.div(start.square().sum(sides).sqrt().add(EPSILON)) as Tensor;
  for (let i = 0; i < iterations; i++) {
    const products = dot(y, y.rename(short, "other") as Tensor, long) as Tensor;
    const squares = dot(
      products.rename("other", "inner") as Tensor,
      products.rename(short, "inner") as Tensor,
      "inner",
    );
    const polynomial = products.mul(B).add((squares as Tensor).mul(C));
    y = y.mul(A).add(dot(polynomial, y.rename(short, "other") as Tensor, "other") as Tensor) as Tensor;
  }
  return parted(parted(y, from), to);
}
