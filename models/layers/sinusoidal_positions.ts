import { concatenate, constant, iota } from "../../ops/functions.js";
import { type Distinct, type Sizes, type Tensor, tensorError } from "../../ops/tensor.js";

/**
 * Sines, then cosines, of positions `[...]` (integers) at geometrically falling frequencies, 10000^(-i / (d / 2)): `[..., D]` (f32).
 * (Vaswani et al. 2017, "Attention Is All You Need", section 3.5, with the two kinds in halves instead of interleaved.)
 */
export function sinusoidalPositions<A extends string, D extends string>(
  positions: Tensor<A>,
  to: Sizes<D> & Distinct<A, D>,
): Tensor<A | D> {
  const [[axis, size]] = Object.entries(to) as [[string, number]];
  const phase = angles(positions as Tensor, axis, size, 10000);
  return concatenate([phase.sin(), phase.cos()], axis as "pair") as Tensor;
}

/** Positions times the frequencies theta^(-i / (size / 2)), times the factors if given, along a new axis of half the size (f32). */
export function angles(
  positions: Tensor<"place">,
  axis: string,
  size: number,
  theta: number,
  factors?: readonly number[],
): Tensor<"place" | "pair"> {
  if (size % 2) {
    throw tensorError(`Positions are encoded in pairs along "${axis}", which is ${size}.`, [positions], {
      expected: "an even size",
    });
  }
  const half = { [axis]: size / 2 } as Sizes<"pair">;
  const frequencies = iota(half, "f32")
    .mul(-Math.log(theta) / (size / 2))
    .exp();
  const all = factors ? frequencies.mul(constant(half, factors)) : frequencies;
  return positions.cast("f32").broadcast(half).mul(all);
}
