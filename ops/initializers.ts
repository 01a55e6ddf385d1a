/** How parameters begin. Each draws float32 values of the given sizes from a key. */
import { full } from "./functions.js";
import { normal as drawNormal, truncatedNormal as drawTruncated, uniform as drawUniform, type Key } from "./random.js";
import type { Sizes, Tensor } from "./tensor.js";

/** Values of a parameter from a key and its sizes by axis name. */
export type Initializer = (key: Key, sizes: Sizes<string>) => Tensor<string>;

/** All equal. */
export const constantly =
  (value: number): Initializer =>
  (_, sizes) =>
    full(sizes, value);
/** All 0: biases. */
export const zeros: Initializer = constantly(0);
/** All 1: the scales of norms. */
export const ones: Initializer = constantly(1);

/** Normal with mean 0. */
export const normal =
  (std: number): Initializer =>
  (key, sizes) =>
    drawNormal(key, sizes).mul(std);

/** Normal cut at two standard deviations, scaled so that `std` is that of the values drawn. */
export const truncatedNormal =
  (std: number): Initializer =>
  (key, sizes) =>
    drawTruncated(key, sizes, -2, 2).mul(std / 0.87962566103423978);

/** Uniform in [-limit, limit). */
export const uniform =
  (limit: number): Initializer =>
  (key, sizes) =>
    drawUniform(key, sizes, -limit, limit);
