import { customVjp } from "../../ops/control.js";
import { concatenate } from "../../ops/functions.js";
import type { Tensor } from "../../ops/tensor.js";
import { angles } from "./sinusoidal_positions.js";

/** Rotary positions stretched to longer sequences (Peng et al. 2023, "YaRN", arXiv:2309.00071). */
export interface Yarn {
  /** How many times longer sequences are than those of `original` positions. */
  readonly factor: number;
  readonly original: number;
  /** Pairs that turn at least so often within `original` positions stay as they are. Default 32. */
  readonly fast?: number;
  /** Pairs that turn at most so often become slower by the factor; between the two, by a part of it. Default 1. */
  readonly slow?: number;
}

/** What YaRN multiplies scores by: (0.1 ln factor + 1)^2. */
export const yarnScale = ({ factor }: Yarn): number => (0.1 * Math.log(factor) + 1) ** 2;

/** What YaRN multiplies the frequencies of `size / 2` pairs by. */
function yarnFactors({ factor, original, fast = 32, slow = 1 }: Yarn, size: number, theta: number): number[] {
  const pairOf = (turns: number) => (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(Math.floor(pairOf(fast)), 0);
  const high = Math.min(Math.ceil(pairOf(slow)), size - 1);
  return Array.from({ length: size / 2 }, (_, i) => {
    const slowed = Math.min(Math.max((i - low) / Math.max(high - low, 1e-3), 0), 1);
    return 1 - slowed + slowed / factor;
  });
}

/**
 * Rotates the pairs (i, i + d / 2) of an axis by angles proportional to the position, theta^(-i / (d / 2)) a position: products of
 * two rotated vectors depend on the distance of their positions (Su et al. 2021, "RoFormer", arXiv:2104.09864, the pairs in halves).
 * `positions`: integers, axes among those of x. Computed in float32; the result has x's element type.
 */
export function rotary<A extends string, P extends A, K extends A>(
  x: Tensor<A>,
  positions: Tensor<P>,
  axis: K,
  { theta = 10000, yarn }: { readonly theta?: number; readonly yarn?: Yarn | undefined } = {},
): Tensor<A> {
  const size = x.size(axis);
  const phase = angles(positions as Tensor, axis, size, theta, yarn && yarnFactors(yarn, size, theta));
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
