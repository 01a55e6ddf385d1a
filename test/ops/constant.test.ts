import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { ops } from "../../ops/hlo/index.js";
import { arrayOf, type Data } from "../../ops/hlo/literal.js";
import type { WireTensor } from "../../runtime-bridge/worker.js";
import { numbers } from "../oracle/oracle.js";
import { agrees, anyShape, anyTensor, DTYPES, jaxConstant, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.boolean, ...DTYPES.integer, ...DTYPES.float, ...DTYPES.complex];
const dataOf = ({ dtype, data }: WireTensor): Data => {
  const array = arrayOf(dtype as DType);
  return new array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / array.BYTES_PER_ELEMENT);
};

/** Bulk data: splats, nested lists, blobs (more than a hundred elements). */
const bulk = (dtype: DType) =>
  fc
    .oneof(anyShape(), anyShape({ min: 2, max: 2 }, { min: 10, max: 12 }), fc.constant([2, 0, 3]))
    .chain((shape) => anyTensor({ shape, dtype }))
    .map((x): Use => {
      const type = { shape: x.shape, dtype };
      return { inputs: [], build: (b) => b.constantData(type, dataOf(x)), jax: `lambda: ${jaxConstant(x)}` };
    });
agrees("constant of bulk data", fc.tuple(...dtypes.map(bulk)));

/** One value for all elements. */
const splat = (dtype: DType) =>
  fc.record({ shape: anyShape(), x: anyTensor({ shape: [], dtype }) }).map(({ shape, x }): Use => {
    const [re, im] = numbers(x) as [number, number];
    const value = DTYPES.complex.includes(dtype) ? ([re, im] as const) : is64(dtype) ? (dataOf(x)[0] as bigint) : re;
    return {
      inputs: [],
      build: (b) => b.constant({ shape, dtype }, value),
      jax: `lambda: jnp.broadcast_to(${jaxConstant(x)}, ${JSON.stringify(shape)})`,
    };
  });
const is64 = (d: DType) => d === "i64" || d === "ui64";
agrees("constant of one value", fc.tuple(...dtypes.map(splat)), { runs: 2 });

/** Numbers rather than their bytes. */
const list = (dtype: DType) =>
  anyShape()
    .chain((shape) => anyTensor({ shape, dtype }, { min: 0, max: 1 }))
    .map((x): Use => {
      const type = { shape: x.shape, dtype };
      return { inputs: [], build: (b) => b.constantData(type, numbers(x)), jax: `lambda: ${jaxConstant(x)}` };
    });
agrees("constant of numbers", fc.tuple(...dtypes.map(list)), { runs: 1 });

refuses(ops.constant, {
  C1: [
    { operands: [], results: ["2xi8"], attrs: { value: 256 }, mlir: "value = dense<256> : tensor<2xi8>" },
    // MLIR takes it for -128.
    {
      operands: [],
      results: ["2xi8"],
      attrs: { value: 128 },
      mlir: "value = dense<128> : tensor<2xi8>",
      accepted: true,
    },
    { operands: [], results: ["2xui8"], attrs: { value: -1 }, mlir: "value = dense<-1> : tensor<2xui8>" },
    { operands: [], results: ["2xi32"], attrs: { value: 0.5 }, mlir: "value = dense<0.5> : tensor<2xi32>" },
    { operands: [], results: ["2xi1"], attrs: { value: 2 }, mlir: "value = dense<2> : tensor<2xi1>" },
    {
      operands: [],
      results: ["2xf32"],
      attrs: { data: new Float32Array(3) },
      mlir: "value = dense<[0.0, 0.0, 0.0]> : tensor<2xf32>",
    },
    {
      operands: [],
      results: ["2xf32"],
      attrs: { data: new Float64Array(2) },
      mlir: "value = dense<0.0> : tensor<2xf64>",
    },
    { operands: [], results: ["2xf32"], attrs: { value: [1, 2] }, mlir: false },
  ],
});
