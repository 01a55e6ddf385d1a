/**
 * Random numbers by counting: Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"),
 * equal bit for bit to `jax.random` in its default configuration. What is drawn depends on the key and on the sizes in the order
 * they are given, which is the shape in JAX, and on nothing else: not on the device, the sharding or what else the program draws.
 *
 * A key is used once. Several are made of one by `split` and `foldIn`.
 */
import type { DType } from "../compiler/ir.js";
import { argmax, constant, scalar, stack, zeros } from "./functions.js";
import { describe, hlo, oneCall, type Scalar, type Sizes, Tensor, tensorError } from "./tensor.js";

/** A random key: two ui32 along the axis `threefry`. */
export type Key = Tensor<"threefry">;
/** Keys along further axes: what is drawn with them has those axes too, each key drawing for itself. */
export type Keys<B extends string = never> = Tensor<"threefry" | B>;

/**
 * The key of a seed: an integer of 32 bits, or a traced scalar integer. (As `jax.random.key`.)
 * @throws XenarcError when the number is not an integer from 0 to 2^32 - 1.
 */
export function key(seed: number | Scalar): Key {
  if (typeof seed === "number") {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw tensorError(`key: ${seed} is not a seed.`, [], { expected: "an integer from 0 to 2^32 - 1" });
    }
    return constant({ threefry: 2 }, [0, seed], "ui32");
  }
  const wide = seed.dtype === "i64" || seed.dtype === "ui64";
  const high = wide ? seed.shiftRight(32).cast("ui32") : scalar(0, "ui32");
  return stack([high, word(seed)], "threefry");
}

/** An integer's lowest 32 bits. */
function word<B extends string>(x: Tensor<B>): Tensor<B> {
  if (!/^u?i\d\d?$/.test(x.dtype) || x.dtype === "i1")
    throw tensorError(`A key is made of integers, not of ${describe(x)}.`, [x]);
  return x.cast("ui32");
}

/** As many keys as the sizes say, along their axes. (As `jax.random.split` with that shape.) */
export function split<N extends string, B extends string = never>(key: Keys<B>, sizes: Sizes<N>): Keys<B | N> {
  return oneCall(() => {
    key.refuse("split", Object.keys(sizes), []);
    return stack(hash(key, counters(sizes)), "threefry") as Keys<B | N>;
  });
}

/** A key of its own for each number: a step, a layer, an example. Axes of the numbers become axes of keys. (As `jax.random.fold_in`.) */
export function foldIn<B extends string = never, D extends string = never>(
  key: Keys<B>,
  data: number | Tensor<D>,
): Keys<B | D> {
  return oneCall(() => {
    const low = (typeof data === "number" ? scalar(data >>> 0, "ui32") : word(data)) as Tensor;
    return stack(hash(key, [low.mul(0), low]), "threefry") as Keys<B | D>;
  });
}

/** How many bits an integer has. */
export type Width = 8 | 16 | 32 | 64;

/** Uniform unsigned integers of a width. (As `jax.random.bits`.) */
export function bits<A extends string, B extends string = never>(
  key: Keys<B>,
  sizes: Sizes<A>,
  width: Width = 32,
): Tensor<A | Exclude<B, "threefry">> {
  return oneCall(() => {
    key.refuse("random numbers", Object.keys(sizes), []);
    const part = Object.entries(parts).filter(([axis, { at }]) => sizes[axis as A] === at.size(axis));
    const apart = Object.entries(parts).flatMap(([axis, { number }]) => (axis in sizes || !number ? [] : [number]));
    const own = apart.reduce((k, number) => foldIn(k as Key, number) as Keys<B>, key);
    const [high, low] = hash(own, counters(sizes, Object.fromEntries(part)));
    if (width === 64) return high.cast("ui64").shiftLeft(32).or(low.cast("ui64"));
    return high.xor(low).cast(`ui${width}`);
  });
}

/** Element types that can be drawn: bits drawn for one element, bits of its mantissa, 1, the least positive normal number. */
const FLOATS: Readonly<
  Partial<Record<DType, { width: Width; drawn: Width; mantissa: number; one: number | bigint; tiny: number }>>
> = {
  f64: { width: 64, drawn: 64, mantissa: 52, one: 0x3ff0000000000000n, tiny: 2 ** -1022 },
  f32: { width: 32, drawn: 32, mantissa: 23, one: 0x3f800000, tiny: 2 ** -126 },
  f16: { width: 16, drawn: 16, mantissa: 10, one: 0x3c00, tiny: 2 ** -14 },
  bf16: { width: 16, drawn: 8, mantissa: 7, one: 0x3f80, tiny: 2 ** -126 },
};

function floatFormat(dtype: DType): NonNullable<(typeof FLOATS)[DType]> {
  const format = FLOATS[dtype];
  if (!format)
    throw tensorError(`Random numbers of type ${dtype} cannot be drawn.`, [], {
      expected: Object.keys(FLOATS).join(", "),
    });
  return format;
}

/** Uniform numbers in [low, high). (As `jax.random.uniform`.) */
export function uniform<A extends string, B extends string = never>(
  key: Keys<B>,
  sizes: Sizes<A>,
  low: number | Scalar = 0,
  high: number | Scalar = 1,
  dtype: DType = "f32",
): Tensor<A | Exclude<B, "threefry">> {
  const { width, drawn, mantissa, one } = floatFormat(dtype);
  const bound = (x: number | Scalar) => (typeof x === "number" ? scalar(x, dtype) : x.cast(dtype));
  const [from, to] = [bound(low), bound(high)];
  // Random mantissas under the exponent of 1: numbers in [1, 2), evenly spaced.
  const mantissas = bits(key, sizes, drawn)
    .cast(`ui${width}`)
    .shiftRight(drawn - mantissa);
  const pattern = new Tensor(mantissas.names, hlo().constant(mantissas.value.type, one));
  const ones = new Tensor(mantissas.names, hlo().bitcastConvert(mantissas.or(pattern).value, dtype));
  return ones.sub(1).mul(to.sub(from)).add(from).maximum(from);
}

/** Normal numbers with mean 0 and variance 1. (As `jax.random.normal`.) */
export function normal<A extends string, B extends string = never>(
  key: Keys<B>,
  sizes: Sizes<A>,
  dtype: DType = "f32",
): Tensor<A | Exclude<B, "threefry">> {
  // The error function's inverse is infinite at -1: the draw begins at the next number after it.
  const above = 2 ** -(floatFormat(dtype).mantissa + 1) - 1;
  return uniform(key, sizes, above, 1, dtype).erfInv().mul(Math.SQRT2);
}

/** Normal numbers in the open interval from `lower` to `upper`. (As `jax.random.truncated_normal`.) */
export function truncatedNormal<A extends string, B extends string = never>(
  key: Keys<B>,
  sizes: Sizes<A>,
  lower: number,
  upper: number,
  dtype: DType = "f32",
): Tensor<A | Exclude<B, "threefry">> {
  floatFormat(dtype);
  const bound = (x: number) => scalar(x, dtype);
  const [from, to] = [lower, upper].map((x) => bound(x).div(Math.SQRT2).erf()) as [Scalar, Scalar];
  const inside = (x: number, towards: number) => hlo().nextAfter(bound(x).value, bound(towards).value);
  const x = uniform(key, sizes, from, to, dtype).erfInv().mul(Math.SQRT2);
  return new Tensor(x.names, hlo().clamp(inside(lower, Infinity), x.value, inside(upper, -Infinity)));
}

/**
 * Sizes with their axes in alphabetical order: to draw what goes with a tensor, `alphabetical(x.sizes)`, whose own order of axes is the
 * compiler's.
 */
export const alphabetical = <A extends string>(sizes: Sizes<A>): Sizes<A> =>
  Object.fromEntries(Object.entries(sizes).sort(([a], [b]) => (a < b ? -1 : 1))) as Sizes<A>;

/** The sizes to draw with a key for a tensor: `alphabetical`, without the axes of the key's own, for which each of its elements draws. */
export const drawnBy = (key: Keys<any>, x: Tensor): Sizes<string> =>
  Object.fromEntries(Object.entries<number>(alphabetical(x.sizes)).filter(([axis]) => !key.has(axis)));

/** True with probability `p`: one number, or a tensor with axes among those of the result. (As `jax.random.bernoulli`.) */
export function bernoulli<A extends string, B extends string = never, P extends A | B = never>(
  key: Keys<B>,
  p: number | Tensor<P>,
  sizes: Sizes<A>,
): Tensor<A | Exclude<B, "threefry">> {
  const [dtype, threshold] = typeof p === "number" ? (["f32", p] as const) : [p.dtype, p as Tensor];
  return uniform(key, sizes, 0, 1, dtype).lt(threshold as number);
}

/** Standard Gumbel numbers: -log(-log(u)). (As `jax.random.gumbel`.) */
export function gumbel<A extends string, B extends string = never>(
  key: Keys<B>,
  sizes: Sizes<A>,
  dtype: DType = "f32",
): Tensor<A | Exclude<B, "threefry">> {
  return uniform(key, sizes, floatFormat(dtype).tiny, 1, dtype).log().neg().log().neg();
}

/**
 * Positions along an axis (i32) drawn with the probabilities softmax(logits). (As `jax.random.categorical`, of an array whose
 * dimensions are the other axes in alphabetical order, then `axis`: the order of a tensor's axes is the compiler's.)
 */
export function categorical<A extends string, K extends A>(
  key: Key,
  logits: Tensor<A>,
  axis: K,
): Tensor<Exclude<A, K>> {
  const { [axis]: size, ...others } = alphabetical(logits.sizes);
  const sizes = { ...others, [axis]: size } as unknown as Sizes<A>;
  return argmax(gumbel(key, sizes, logits.dtype).add(logits as Tensor<any>) as Tensor<A>, axis);
}

/** Integers in [low, high), all equally likely but for a bias of about (high - low) / 2^64. (As `jax.random.randint`.) */
export function randint<A extends string, B extends string = never>(
  key: Keys<B>,
  sizes: Sizes<A>,
  low: number,
  high: number,
  dtype: DType = "i32",
): Tensor<A | Exclude<B, "threefry">> {
  const [, unsigned, digits] = /^(u?)i(8|16|32)$/.exec(dtype) ?? [];
  if (digits === undefined)
    throw tensorError(`randint: ${dtype} cannot be drawn.`, [], { expected: "i8, i16, i32, ui8, ui16, ui32" });
  const [least, end] = unsigned ? [0, 2 ** Number(digits)] : [-(2 ** (Number(digits) - 1)), 2 ** (Number(digits) - 1)];
  if (!(Number.isInteger(low) && Number.isInteger(high) && least <= low && low < high && high <= end)) {
    throw tensorError(`randint: there are no integers of ${dtype} from ${low} up to, without, ${high}.`, []);
  }
  const span = high - low;
  const [upper, lower] = [0, 1].map((i) => bits(split(key, { half: 2 }).at("half" as never, i) as Keys<B>, sizes));
  // The remainder of the 64-bit number upper * 2^32 + lower, in 32 bits; 2^32 itself as a span changes nothing.
  const rem = (x: Tensor) => (span === 2 ** 32 ? x : x.rem(span)) as Tensor;
  const half = 2 ** 16 % span;
  const offset = rem(
    rem(upper!)
      .mul(((half * half) % 2 ** 32) % span)
      .add(rem(lower!) as Tensor) as Tensor,
  );
  return offset.cast("i32").cast(dtype).add(low) as Tensor<A | Exclude<B, "threefry">>;
}

/** What of a longer axis is at hand. */
export interface Part {
  /** The places along it (i32): its own axis, and others that keys or what is drawn have. */
  readonly at: Tensor;
  /** How long it is. */
  readonly of: number;
  /** The part's number (i32): what is drawn without the axis is each part's own. Default: it is the same for all. */
  readonly number?: Tensor;
}

let parts: Readonly<Record<string, Part>> = {};

/**
 * Runs `f` on parts of tensors, by axis name: what it draws along these axes is what would be drawn for the whole, at the part's places. So a
 * batch that is worked on in micro-batches, or a sequence in another order, sees the same random numbers.
 */
export function asParts<T>(more: Readonly<Record<string, Part>>, f: () => T): T {
  const before = parts;
  parts = { ...before, ...more };
  try {
    return f();
  } finally {
    parts = before;
  }
}

/** Counts 0, 1, 2, ... of the elements in row-major order, as high and low words; of those at some places, where there are parts. */
function counters<A extends string>(
  sizes: Sizes<A>,
  parts: Readonly<Record<string, Part>> = {},
): readonly [Tensor<A>, Tensor<A>] {
  const names = Object.keys(sizes) as A[];
  const shape = names.map((n) => sizes[n]);
  const whole = names.map((n) => parts[n]?.of ?? sizes[n]);
  const total = whole.reduce((n, d) => n * d, 1);
  const dtype = total > 2 ** 32 ? "ui64" : "ui32";
  let stride = 1;
  let count: Tensor | undefined;
  for (let d = names.length - 1; d >= 0; d--) {
    const at = parts[names[d]!]?.at;
    const others = at && Object.fromEntries(names.filter((n) => !at.has(n)).map((n) => [n, sizes[n]]));
    const places = at
      ? (at.cast(dtype).broadcast(others as Sizes<string>) as Tensor)
      : new Tensor<any>(names, hlo().iota({ shape, dtype }, d, names));
    const along = places.mul(stride) as Tensor;
    count = count ? (count.add(along) as Tensor) : along;
    stride *= whole[d]!;
  }
  if (!count) return [zeros(sizes, "ui32"), zeros(sizes, "ui32")];
  if (dtype === "ui32") return [zeros(count.sizes as Sizes<A>, "ui32"), count];
  return [count.shiftRight(32).cast("ui32"), count.cast("ui32")];
}

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** The two words that the counters' words become under a key. */
function hash(key: Tensor, [high, low]: readonly [Tensor, Tensor]): [Tensor, Tensor] {
  const [k0, k1] = [0, 1].map((i) => key.at("threefry", i) as Tensor) as [Tensor, Tensor];
  const keys = [k0, k1, k0.xor(k1).xor(0x1bd11bda) as Tensor];
  const added = Object.fromEntries(k0.names.filter((n) => !high.has(n)).map((n) => [n, k0.size(n)]));
  const spread = (x: Tensor) => (Object.keys(added).length ? x.broadcast(added) : x) as Tensor;
  let x0 = spread(high).add(keys[0]!) as Tensor;
  let x1 = spread(low).add(keys[1]!) as Tensor;
  for (let group = 0; group < 5; group++) {
    for (const r of ROTATIONS[group % 2]!) {
      x0 = x0.add(x1) as Tensor;
      x1 = x0.xor(x1.shiftLeft(r).or(x1.shiftRight(32 - r) as Tensor) as Tensor) as Tensor;
    }
    x0 = x0.add(keys[(group + 1) % 3]!) as Tensor;
    x1 = x1.add(keys[(group + 2) % 3]!.add(group + 1) as Tensor) as Tensor;
  }
  return [x0, x1];
}
