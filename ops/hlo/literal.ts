/** How MLIR writes constants: `dense<...>` with floats as its printer gives them, bulk data as a hexadecimal blob. */
import { type DType, elements, type TensorType } from "../../compiler/ir.js";
import { kinds, partType } from "./define.js";

/** One element. Complex numbers are `[real, imaginary]`, or their real part alone. */
export type Scalar = number | boolean | bigint | readonly [real: number, imaginary: number];

/** Elements in row-major order, in the array type that `arrayOf` tells; complex numbers as pairs. */
export type Data =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * The typed array that holds elements of a type: `bf16`, `f16` and the eight-bit floats as their bits, booleans as bytes 0 and
 * 1, integers below eight bits one in a byte.
 */
export function arrayOf(dtype: DType) {
  switch (dtype) {
    case "i2":
    case "i4":
    case "i8":
      return Int8Array;
    case "i1":
    case "ui2":
    case "ui4":
    case "ui8":
    case "f8E4M3FN":
    case "f8E5M2":
      return Uint8Array;
    case "i16":
      return Int16Array;
    case "ui16":
    case "bf16":
    case "f16":
      return Uint16Array;
    case "i32":
      return Int32Array;
    case "ui32":
      return Uint32Array;
    case "i64":
      return BigInt64Array;
    case "ui64":
      return BigUint64Array;
    case "f32":
    case "complex<f32>":
      return Float32Array;
    case "f64":
    case "complex<f64>":
      return Float64Array;
  }
}

/** Numbers as the array that holds them, floats rounded to the element type. */
export function dataOf(numbers: readonly number[], dtype: DType): Data {
  const array = arrayOf(dtype);
  if (array === BigInt64Array || array === BigUint64Array) return new array(numbers.map(BigInt));
  const stored = kinds.float(dtype) && array !== Float32Array && array !== Float64Array;
  return new (array as typeof Float64Array)(stored ? numbers.map((x) => Number(floatBits(x, dtype))) : numbers);
}

interface FloatFormat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  /** No infinities; NaN is all ones (the "FN" formats). */
  readonly finite?: true;
}
const formats: Partial<Record<DType, FloatFormat>> = {
  f8E4M3FN: { exponentBits: 4, mantissaBits: 3, finite: true },
  f8E5M2: { exponentBits: 5, mantissaBits: 2 },
  bf16: { exponentBits: 8, mantissaBits: 7 },
  f16: { exponentBits: 5, mantissaBits: 10 },
  f32: { exponentBits: 8, mantissaBits: 23 },
  f64: { exponentBits: 11, mantissaBits: 52 },
};

const scratch = new DataView(new ArrayBuffer(8));

/** The bits of a number in a floating-point format, rounded to nearest, ties to even. */
export function floatBits(x: number, dtype: DType): bigint {
  scratch.setFloat64(0, x);
  const double = scratch.getBigUint64(0);
  if (dtype === "f64") return double;
  if (dtype === "f32") {
    scratch.setFloat32(0, x);
    return BigInt(scratch.getUint32(0));
  }
  const { exponentBits, mantissaBits, finite } = formats[dtype]!;
  const largest = finite ? 2 ** (exponentBits + mantissaBits) - 2 : (2 ** exponentBits - 1) * 2 ** mantissaBits;
  const negative = double >> 63n ? 2 ** (exponentBits + mantissaBits) : 0;
  if (Number.isNaN(x)) return BigInt(negative + largest + (finite ? 1 : 2 ** (mantissaBits - 1)));
  const smallest = 2 - 2 ** (exponentBits - 1);
  const exponent = Math.max(Number((double >> 52n) & 0x7ffn) - 1023, smallest);
  const units = Math.abs(x) === Infinity ? Infinity : roundToEven(Math.abs(x) * 2 ** (mantissaBits - exponent));
  // A mantissa that rounds up to the next power of two carries into the exponent by itself.
  const magnitude = (exponent - smallest) * 2 ** mantissaBits + units;
  return BigInt(negative + (magnitude <= largest ? magnitude : largest + (finite ? 1 : 0)));
}

function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

const texts = new Map<string, string>();

/** A float as MLIR prints it: `%e` with six decimals where that reads back as the same bits, else more digits, else hexadecimal. */
export function floatText(bits: bigint, dtype: DType): string {
  const key = `${dtype} ${bits}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = writeFloat(bits, dtype);
  texts.set(key, text);
  return text;
}

function writeFloat(bits: bigint, dtype: DType): string {
  const { exponentBits, mantissaBits, finite } = formats[dtype]!;
  const hex = `0x${bits.toString(16).toUpperCase()}`;
  const field = Number((bits >> BigInt(mantissaBits)) & (2n ** BigInt(exponentBits) - 1n));
  const fraction = bits & (2n ** BigInt(mantissaBits) - 1n);
  const sign = bits >> BigInt(exponentBits + mantissaBits) ? "-" : "";
  if (field === 2 ** exponentBits - 1 && (!finite || fraction === 2n ** BigInt(mantissaBits) - 1n)) return hex;
  if (field === 0 && fraction === 0n) return `${sign}0.000000e+00`;
  const significand = field === 0 ? fraction : fraction + 2n ** BigInt(mantissaBits);
  const exponent = Math.max(field, 1) - (2 ** (exponentBits - 1) - 1) - mantissaBits;
  const short = `${sign}${scientific(decimal(significand, exponent, SHORT), SHORT)}`;
  if (floatBits(Number(short), dtype) === bits) return short;
  // As many digits as tell all numbers of the format apart.
  const digits = 2 + Math.floor(((mantissaBits + 1) * 59) / 196);
  const long = natural(decimal(significand, exponent, digits), digits);
  return long.includes(".") ? `${sign}${long}` : hex;
}

/** Significant digits of the short form, and its decimals. */
const SHORT = 6;

/** `digits * 10^exponent`, without trailing zeros. */
interface Decimal {
  readonly digits: string;
  readonly exponent: number;
}

/**
 * `significand * 2^exponent` to so many significant digits. Byte for byte LLVM's: digits are first cut off by a bound computed
 * from the number of bits (196/59 is just above the binary logarithm of 10), and only what is then still too long is rounded, half up.
 */
function decimal(significand: bigint, exponent: number, precision: number): Decimal {
  while ((significand & 1n) === 0n) {
    significand >>= 1n;
    exponent++;
  }
  let n = exponent >= 0 ? significand << BigInt(exponent) : significand * 5n ** BigInt(-exponent);
  let power = Math.min(exponent, 0);
  const surplus = n.toString(2).length - Math.floor((precision * 196 + 58) / 59);
  const cut = Math.max(0, Math.floor((surplus * 59) / 196));
  n /= 10n ** BigInt(cut);
  power += cut;
  let all = n.toString();
  const excess = all.replace(/0+$/, "").length - precision;
  if (excess > 0) {
    const up = all[precision]! >= "5";
    power += all.length - precision;
    all = (BigInt(all.slice(0, precision)) + (up ? 1n : 0n)).toString();
  }
  const digits = all.replace(/0+$/, "");
  return { digits, exponent: power + all.length - digits.length };
}

/** `1.250000e-03` */
function scientific({ digits, exponent }: Decimal, decimals: number): string {
  const e = exponent + digits.length - 1;
  const power = String(Math.abs(e)).padStart(2, "0");
  return `${digits[0]}.${digits.slice(1).padEnd(decimals, "0")}e${e < 0 ? "-" : "+"}${power}`;
}

/** `0.699999988`, `3.14159274`, `1.17549435E-38`, and integers without a point. */
function natural({ digits, exponent }: Decimal, precision: number): string {
  const leading = exponent + digits.length - 1;
  const padded =
    exponent >= 0 ? exponent > MAX_PADDING || digits.length + exponent > precision : -leading > MAX_PADDING;
  if (padded) {
    return `${digits[0]}.${digits.slice(1) || "0"}E${leading < 0 ? "-" : "+"}${Math.abs(leading)}`;
  }
  if (exponent >= 0) return digits + "0".repeat(exponent);
  return leading >= 0
    ? `${digits.slice(0, leading + 1)}.${digits.slice(leading + 1)}`
    : `0.${"0".repeat(-leading - 1)}${digits}`;
}
const MAX_PADDING = 3;

/** One element as MLIR writes it inside `dense<...>`. */
export function scalarText(value: Scalar, dtype: DType): string {
  if (kinds.complex(dtype)) {
    const [re, im] = typeof value === "object" ? value : [Number(value), 0];
    const part = (x: number) => floatText(floatBits(x, partType(dtype)), partType(dtype));
    return `(${part(re)},${part(im)})`;
  }
  if (dtype === "i1") return value ? "true" : "false";
  if (kinds.float(dtype)) return floatText(floatBits(Number(value), dtype), dtype);
  return BigInt(value as number | bigint | boolean).toString();
}

/** Whether a value is one of the type: integers lie in its range, booleans are booleans or 0 and 1. */
export function representable(value: Scalar, dtype: DType): boolean {
  if (typeof value === "object") return kinds.complex(dtype);
  if (dtype === "i1") return typeof value === "boolean" || value === 0 || value === 1;
  if (!kinds.integer(dtype)) return true;
  if (typeof value === "number" && !Number.isInteger(value)) return false;
  const width = BigInt(/\d+/.exec(dtype)![0]);
  const low = kinds.signed(dtype) ? -(2n ** (width - 1n)) : 0n;
  return BigInt(value) >= low && BigInt(value) < low + 2n ** width;
}

/** More elements than this are written as a blob. */
const LISTED = 100;

/** `dense<...>` of bulk data: a splat where all elements have the same bits, a nested list when short, else a blob. */
export function dataText({ shape, dtype }: TensorType, data: Data): string {
  const n = elements({ shape, dtype });
  if (n === 0) return "dense<>";
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const width = bytes.length / n;
  if (bytes.every((byte, i) => i < width || byte === bytes[i - width])) return `dense<${elementText(data, 0, dtype)}>`;
  if (n > LISTED) return `dense<"0x${hexadecimal(bytes, dtype)}">`;
  let next = 0;
  const nested = (d: number): string =>
    d === shape.length
      ? elementText(data, next++, dtype)
      : `[${Array.from({ length: shape[d]! }, () => nested(d + 1)).join(", ")}]`;
  return `dense<${nested(0)}>`;
}

function elementText(data: Data, i: number, dtype: DType): string {
  if (kinds.complex(dtype)) {
    const part = partType(dtype);
    return `(${floatText(storedBits(data, 2 * i, part), part)},${floatText(storedBits(data, 2 * i + 1, part), part)})`;
  }
  if (kinds.float(dtype)) return floatText(storedBits(data, i, dtype), dtype);
  return scalarText(data[i]!, dtype);
}

/** A float's bits as they stand in memory, so that NaN keeps its payload. */
function storedBits(data: Data, i: number, dtype: DType): bigint {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === "f32") return BigInt(view.getUint32(4 * i, true));
  if (dtype === "f64") return view.getBigUint64(8 * i, true);
  return BigInt(data[i]!);
}

function hexadecimal(bytes: Uint8Array, dtype: DType): string {
  // Integers below eight bits stand in a byte each, their upper bits zero.
  const mask = dtype === "i2" ? 0x03 : dtype === "i4" ? 0x0f : 0xff;
  const masked = mask === 0xff ? bytes : bytes.map((byte) => byte & mask);
  return Buffer.from(masked.buffer, masked.byteOffset, masked.byteLength).toString("hex").toUpperCase();
}
