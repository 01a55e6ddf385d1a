/** Tensors as numbers and as bytes, for every element type that tests use. */
import type { WireTensor } from "../../runtime-bridge/worker.js";

interface Codec {
  readonly bytes: number;
  get(view: DataView, offset: number): number;
  set(view: DataView, offset: number, value: number): void;
}

const little = true;

const CODECS: Readonly<Record<string, Codec>> = {
  i1: { bytes: 1, get: (v, o) => v.getUint8(o), set: (v, o, x) => v.setUint8(o, x ? 1 : 0) },
  i8: { bytes: 1, get: (v, o) => v.getInt8(o), set: (v, o, x) => v.setInt8(o, x) },
  i16: { bytes: 2, get: (v, o) => v.getInt16(o, little), set: (v, o, x) => v.setInt16(o, x, little) },
  i32: { bytes: 4, get: (v, o) => v.getInt32(o, little), set: (v, o, x) => v.setInt32(o, x, little) },
  i64: {
    bytes: 8,
    get: (v, o) => Number(v.getBigInt64(o, little)),
    set: (v, o, x) => v.setBigInt64(o, BigInt(x), little),
  },
  ui8: { bytes: 1, get: (v, o) => v.getUint8(o), set: (v, o, x) => v.setUint8(o, x) },
  ui16: { bytes: 2, get: (v, o) => v.getUint16(o, little), set: (v, o, x) => v.setUint16(o, x, little) },
  ui32: { bytes: 4, get: (v, o) => v.getUint32(o, little), set: (v, o, x) => v.setUint32(o, x, little) },
  ui64: {
    bytes: 8,
    get: (v, o) => Number(v.getBigUint64(o, little)),
    set: (v, o, x) => v.setBigUint64(o, BigInt(x), little),
  },
  f32: { bytes: 4, get: (v, o) => v.getFloat32(o, little), set: (v, o, x) => v.setFloat32(o, x, little) },
  f64: { bytes: 8, get: (v, o) => v.getFloat64(o, little), set: (v, o, x) => v.setFloat64(o, x, little) },
  bf16: {
    bytes: 2,
    get: (v, o) => singleOf(v.getUint16(o, little) << 16),
    set: (v, o, x) => v.setUint16(o, nearestBfloat(x), little),
  },
  f16: {
    bytes: 2,
    get: (v, o) => fromHalf(v.getUint16(o, little)),
    set: (v, o, x) => v.setUint16(o, nearestHalf(x), little),
  },
};

/** A tensor of numbers, row-major, each rounded to the type; a complex element is two numbers, its parts. */
export function encode(dtype: string, shape: readonly number[], values: readonly number[]): WireTensor {
  const codec = codecOf(dtype);
  const data = new Uint8Array(values.length * codec.bytes);
  const view = new DataView(data.buffer);
  for (const [i, value] of values.entries()) codec.set(view, i * codec.bytes, value);
  return { dtype, shape, data };
}

/** The numbers of a tensor, row-major; a complex element gives two. */
export function numbers({ dtype, data }: WireTensor): number[] {
  const codec = codecOf(dtype);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.byteLength / codec.bytes }, (_, i) => codec.get(view, i * codec.bytes));
}

function codecOf(dtype: string): Codec {
  const codec = CODECS[/^complex<(.*)>$/.exec(dtype)?.[1] ?? dtype];
  if (codec === undefined) throw new Error(`tests have no numbers for tensors of ${dtype}; compare their bytes`);
  return codec;
}

const scratch = new DataView(new ArrayBuffer(4));

function singleOf(bits: number): number {
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
}

/** Rounds to float32, then to bfloat16, ties to even. */
function nearestBfloat(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Rounds to float16, ties to even. */
function nearestHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  // The spacing of float16 near the value; below 2^-14 it no longer shrinks.
  const exponent = Math.max(-14, Math.min(15, Math.floor(Math.log2(magnitude || 1))));
  const steps = magnitude / 2 ** (exponent - 10);
  const floor = Math.floor(steps);
  const rounded = steps - floor > 0.5 || (steps - floor === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // An exponent of e and a fraction of 1024 is an exponent of e + 1: the sum below carries by itself.
  return sign | (rounded < 1024 ? rounded : ((exponent + 14) << 10) + rounded);
}
