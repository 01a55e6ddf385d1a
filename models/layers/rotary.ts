import { customVjp } from "../../ops/control.js";
import { concatenate } from "../../ops/functions.js";
import type { Tensor } from "../../ops/tensor.js";
import { angles } from "./sinusoidal_positions.js";

/**
 * Rotates the pairs (i, i + d / 2) of an axis by angles proportional to the position, theta^(-i / (d / 2)) a position: products of
 * two rotated vectors depend on the distance of their positions (Su et al. 2021, "RoFormer", arXiv:2104.09864, the pairs in halves).
 * `positions`: integers, axes among those of x. Computed in float32; the result has x's element type.
 */
export function rotary<A extends string, P extends A, K extends A>(
  x: Tensor<A>,
  positions: Tensor<P>,
  axis: K,
  { theta = 10000 }: { readonly theta?: number } = {},
): Tensor<A> {
  const phase = angles(positions as Tensor, axis, x.size(axis), theta);
  return rotation(axis)(x as Tensor, phase.cos(), phase.sin()) as Tensor;
}

// Inside, `place` stands for the axes of the positions, `row` for all other axes, `pair` for the one that is rotated.
type Angles = Tensor<"place" | "pair">;

/** A rotation; its derivative is the rotation back. The angles are constants to it. */
const rotation = (axis: string) =>
  customVjp(
    (x: Tensor<"place" | "row" | "pair">, cos: Angles, sin: Angles) =>
      [rotated(x, axis as "pair", cos, sin), { cos, sin }] as const,
    ({ cos, sin }, ct) => [rotated(ct, axis as "pair", cos, sin.neg()), undefined, undefined],
  );

function rotated(
  x: Tensor<"place" | "row" | "pair">,
  axis: "pair",
  cos: Angles,
  sin: Angles,
): Tensor<"place" | "row" | "pair"> {
  const half = x.size(axis) / 2;
  const wide = x.cast("f32");
  const [p, q] = [wide.slice(axis, 0, half), wide.slice(axis, half)];
  return concatenate([p.mul(cos).sub(q.mul(sin)), q.mul(cos).add(p.mul(sin))], axis).cast(x.dtype);
}
