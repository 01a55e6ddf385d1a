/** Tensors whose elements are given: inputs of `evaluate`. */
import { type DType, elements, Value } from "../compiler/ir.js";
import type { TensorData } from "../compiler/tree.js";
import { type Sizes, Tensor, typeOf, wrongNumber } from "./tensor.js";

const HOST: Readonly<Record<string, { from(xs: ArrayLike<number>): TensorData } | undefined>> = {
  f64: Float64Array,
  i1: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  ui8: Uint8Array,
  ui16: Uint16Array,
  ui32: Uint32Array,
  i64: { from: (xs) => BigInt64Array.from(Array.from(xs, (x) => BigInt(x))) },
  ui64: { from: (xs) => BigUint64Array.from(Array.from(xs, (x) => BigInt(x))) },
};

/** A tensor with these elements, row-major in the order of `sizes`. @throws XenarcError when their number is not that of the sizes. */
export function tensor<A extends string = never>(
  sizes: Sizes<A>,
  data: ArrayLike<number> | TensorData,
  dtype: DType = "f32",
): Tensor<A> {
  const type = typeOf(sizes, dtype);
  const names = Object.keys(sizes) as A[];
  if (data.length !== elements(type)) throw wrongNumber("tensor", data.length, sizes);
  const host = ArrayBuffer.isView(data)
    ? (data as TensorData)
    : (HOST[dtype] ?? Float32Array).from(data as ArrayLike<number>);
  return new Tensor(names, new Value(type, names), host);
}
