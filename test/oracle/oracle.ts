/**
 * What tests hold xenarc to: JAX computing the same thing (`jaxEval`, `jaxVjp`, `trainNanogpt`), MLIR's own verdict
 * (`verify`, `canonical`), numeric comparison that says where it fails, and random tensors for fast-check.
 */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { startWorker, type WireTensor, type Worker } from "../../runtime-bridge/worker.js";
import { encode, numbers } from "./values.js";

export { encode, numbers } from "./values.js";

let shared: Promise<Worker> | undefined;

/** The worker of the test run, which has the JAX methods; one is started when the test runs without `npm test`. */
export function worker(): Promise<Worker> {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  shared ??= startWorker({ plugins: [at("plugin.py")], extraLocks: [at("../../bench/requirements.lock")] });
  return shared;
}

/** What MLIR has against a program, or undefined. */
export const verify = async (text: string): Promise<string | undefined> => (await worker()).verify(text);

/** The program as jaxlib prints it; with locations if `debug`. */
export const canonical = async (text: string, debug = false): Promise<string> =>
  (await worker()).canonical(text, debug);

/** Runs a program's `@main`. */
export const execute = async (text: string, inputs: readonly WireTensor[]): Promise<WireTensor[]> =>
  (await worker()).execute(text, inputs);

/** How JAX is to compute. */
export interface JaxOptions {
  /** JAX's 64-bit mode: without it, 64-bit inputs become 32-bit. */
  readonly x64?: boolean;
}

/**
 * A JAX function applied to tensors, its results in tree order. `source` is a Python expression with jnp, jax, lax, nn, np,
 * random (jax.random), optax and contrib (optax.contrib) in scope, and `reference(name)`, a module of test/systems/reference:
 * `jaxEval("lambda x, y: jnp.tanh(x) * y", [x, y])`.
 */
export async function jaxEval(
  source: string,
  inputs: readonly WireTensor[],
  options: JaxOptions = {},
): Promise<WireTensor[]> {
  return (await (await worker()).call("jax.eval", { source, ...options }, inputs)).tensors;
}

/**
 * A JAX function's results and the gradients of its inputs. `cotangents`: one for each floating-point result. `argnums`: the
 * inputs to differentiate by; by default all of floating point.
 */
export async function jaxVjp(
  source: string,
  inputs: readonly WireTensor[],
  cotangents: readonly WireTensor[],
  options: JaxOptions & { readonly argnums?: readonly number[] } = {},
): Promise<{ outputs: WireTensor[]; grads: WireTensor[] }> {
  const params = { source, inputs: inputs.length, ...options };
  const { result, tensors } = await (await worker()).call("jax.vjp", params, [...inputs, ...cotangents]);
  const { outputs } = result as { outputs: number };
  return { outputs: tensors.slice(0, outputs), grads: tensors.slice(outputs) };
}

/**
 * Trains the plain-JAX character model of bench/jax/nanogpt.py from given weights on given batches (tokens and targets
 * [steps, batch, seq]). Names and shapes of the weights are stated there, as are the fields of `config`.
 */
export async function trainNanogpt(
  weights: Readonly<Record<string, WireTensor>>,
  tokens: WireTensor,
  targets: WireTensor,
  config: Readonly<Record<string, number | boolean>> = {},
): Promise<{ losses: number[]; weights: Record<string, WireTensor> }> {
  const names = Object.keys(weights);
  const inputs = [...Object.values(weights), tokens, targets];
  const { result, tensors } = await (await worker()).call("reference.nanogpt", { names, config }, inputs);
  const { losses } = result as { losses: number[] };
  return { losses, weights: Object.fromEntries(names.map((name, i) => [name, tensors[i] as WireTensor])) };
}

/** What the plain-JAX reference of a system makes of weights and batches; see `system` in plugin.py. */
export async function referenceOf(
  name: string,
  weights: Readonly<Record<string, WireTensor>>,
  [tokens, targets]: readonly [WireTensor, WireTensor],
  { config, settings }: Readonly<Record<"config" | "settings", object>>,
): Promise<{ scores: WireTensor; gradients: WireTensor[]; losses: number[]; weights: WireTensor[] }> {
  const names = Object.keys(weights);
  const params = { name, names, config, settings };
  const inputs = [...Object.values(weights), tokens, targets];
  const { result, tensors } = await (await worker()).call("reference.system", params, inputs);
  const [scores, ...rest] = tensors as [WireTensor, ...WireTensor[]];
  const { losses } = result as { losses: number[] };
  return { scores, gradients: rest.slice(0, names.length), losses, weights: rest.slice(names.length) };
}

/** How far an element may be from what is expected: `atol + rtol * |expected|`. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

/** What a result of each type is compared with by default; integers and booleans must be equal. */
const TOLERANCES: Readonly<Record<string, Required<Tolerance>>> = {
  f64: { rtol: 1e-10, atol: 1e-12 },
  f32: { rtol: 1e-5, atol: 1e-6 },
  "complex<f64>": { rtol: 1e-10, atol: 1e-12 },
  "complex<f32>": { rtol: 1e-5, atol: 1e-6 },
  f16: { rtol: 2e-3, atol: 1e-4 },
  bf16: { rtol: 2e-2, atol: 1e-3 },
};

/**
 * Fails unless both tensors have one type and shape and all elements are close. NaN is close to NaN, an infinity to itself.
 * The error names the element that is farthest off, relative to what is allowed.
 */
export function expectClose(actual: WireTensor, expected: WireTensor, tolerance: Tolerance = {}): void {
  const type = (t: WireTensor): string => `tensor<${[...t.shape, t.dtype].join("x")}>`;
  if (type(actual) !== type(expected)) throw new Error(`expected ${type(expected)}, got ${type(actual)}`);
  const { rtol, atol } = { ...(TOLERANCES[actual.dtype] ?? { rtol: 0, atol: 0 }), ...tolerance };
  const [a, e] = [numbers(actual), numbers(expected)];
  let worst = -1;
  let excess = 1;
  let wrong = 0;
  for (let i = 0; i < e.length; i++) {
    const [x, y] = [a[i] as number, e[i] as number];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const ratio = Math.abs(x - y) / (atol + rtol * Math.abs(y));
    // Written so that NaN, and an infinity expected or given, count as wrong.
    if (ratio <= 1 && Number.isFinite(y)) continue;
    wrong++;
    const size = Number.isFinite(ratio) ? ratio : Number.POSITIVE_INFINITY;
    if (worst < 0 || size > excess) [worst, excess] = [i, size];
  }
  if (worst < 0) return;
  const index = indexOf(worst, expected.shape, e.length / Math.max(1, count(expected.shape)));
  throw new Error(
    `${wrong} of ${e.length} elements of ${type(expected)} are off (rtol ${rtol}, atol ${atol}); ` +
      `the worst at [${index.join(", ")}]: expected ${e[worst]}, got ${a[worst]}, ` +
      `${Number.isFinite(excess) ? `${excess.toPrecision(3)} times the tolerance` : "not comparable"}`,
  );
}

/** {@link expectClose} for lists of tensors. */
export function expectAllClose(
  actual: readonly WireTensor[],
  expected: readonly WireTensor[],
  tolerance: Tolerance = {},
): void {
  if (actual.length !== expected.length) throw new Error(`expected ${expected.length} tensors, got ${actual.length}`);
  actual.forEach((tensor, i) => {
    try {
      expectClose(tensor, expected[i] as WireTensor, tolerance);
    } catch (error) {
      throw new Error(`tensor ${i}: ${(error as Error).message}`);
    }
  });
}

/** `max |actual - expected| / max |expected|`: how training results are compared, where single elements may be tiny. */
export function relativeError(actual: WireTensor, expected: WireTensor): number {
  const [a, e] = [numbers(actual), numbers(expected)];
  const largest = (values: readonly number[]): number => values.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  return largest(e.map((y, i) => (a[i] as number) - y)) / Math.max(largest(e), Number.MIN_VALUE);
}

/** Random shapes; small, since what can go wrong with sizes goes wrong with small ones. */
export const shapes = (rank: { min?: number; max?: number } = {}, size = { min: 1, max: 5 }): fc.Arbitrary<number[]> =>
  fc.array(fc.integer(size), { minLength: rank.min ?? 0, maxLength: rank.max ?? 4 });

/** What values a random tensor has. */
export interface Values {
  /** Range of the values. Default: -3 to 3 for floating point, the type's own (at most 32 bits) for integers. */
  readonly min?: number;
  readonly max?: number;
  /** Also NaN, infinities, both zeros, the least and the greatest of the type. Floating point only. */
  readonly special?: boolean;
}

/** Random tensors of one type and shape. */
export function tensors(dtype: string, shape: readonly number[], values: Values = {}): fc.Arbitrary<WireTensor> {
  const complex = dtype.startsWith("complex");
  const length = count(shape) * (complex ? 2 : 1);
  return fc
    .array(element(dtype, values), { minLength: length, maxLength: length, size: "max" })
    .map((elements) => encode(dtype, shape, elements));
}

/** A tensor of given numbers, row-major: `tensor("f32", [2, 2], [1, 2, 3, 4])`. */
export const tensor = (dtype: string, shape: readonly number[], elements: readonly number[]): WireTensor =>
  encode(dtype, shape, elements);

/** A float32 tensor of standard normal values that depend on the seed alone, for tests too large for fast-check. */
export function normal(shape: readonly number[], seed = 0): WireTensor {
  const next = uniform(seed);
  const box = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return encode("f32", shape, Array.from({ length: count(shape) }, box));
}

/** An int32 tensor of uniform integers below `below` that depend on the seed alone. */
export function tokens(shape: readonly number[], below: number, seed = 0): WireTensor {
  const next = uniform(seed);
  return encode(
    "i32",
    shape,
    Array.from({ length: count(shape) }, () => Math.floor(next() * below)),
  );
}

function element(dtype: string, { min, max, special = false }: Values): fc.Arbitrary<number> {
  if (dtype === "i1") return fc.integer({ min: 0, max: 1 });
  const integer = /^(u?)i(\d+)$/.exec(dtype);
  if (integer !== null) {
    const bits = Math.min(Number(integer[2]), 32);
    const [least, most] = integer[1] ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
    return fc.integer({ min: min ?? least, max: max ?? most });
  }
  const ordinary = fc.double({ min: min ?? -3, max: max ?? 3, noNaN: true, noDefaultInfinity: true });
  if (!special) return ordinary;
  const [least, most] = EXTREMES[/\w+\d+\w*(?=>?$)/.exec(dtype)?.[0] ?? ""] ?? [2 ** -126, 3.4028234663852886e38];
  const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, least, -least, most, -most];
  return fc.oneof({ weight: 3, arbitrary: ordinary }, fc.constantFrom(...specials));
}

/** The least normal and the greatest finite number. */
const EXTREMES: Readonly<Record<string, readonly [number, number]>> = {
  f64: [2 ** -1022, Number.MAX_VALUE],
  f32: [2 ** -126, 3.4028234663852886e38],
  bf16: [2 ** -126, 3.3895313892515355e38],
  f16: [2 ** -14, 65504],
};

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Row-major index of an element; `parts` numbers make one (two of a complex element). */
function indexOf(position: number, shape: readonly number[], parts: number): number[] {
  let rest = Math.floor(position / parts);
  const index: number[] = [];
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** Uniform numbers in [0, 1): a multiplicative congruential generator (Park and Miller), enough to fill tensors. */
function uniform(seed: number): () => number {
  let state = ((seed * 7919 + 12345) % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return (state - 1) / 2147483646;
  };
}
