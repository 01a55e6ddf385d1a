/**
 * How the language is tested: tables of cases, each a function of tensors and the same in JAX. `agrees` draws sizes, orders of axes and
 * elements for all cases of a table, runs them with their first and second derivatives as one program, and compares with JAX.
 */
import fc from "fast-check";
import type { DType } from "../../compiler/ir.js";
import { leaves, mapLeaves } from "../../compiler/tree.js";
import { tensor } from "../../ops/array.js";
import { grad, vjp } from "../../ops/control.js";
import { scalar } from "../../ops/functions.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import type { WireTensor } from "../../runtime-bridge/worker.js";
import { encode, expectClose, jaxEval, jaxVjp, type Tolerance } from "../oracle/oracle.js";

/** A tensor of a case: its axes in the order of JAX's dimensions, its element type, the range of its elements. */
export interface Slot {
  readonly axes: readonly string[];
  /** Sizes that are not drawn. */
  readonly fixed: Readonly<Record<string, number>>;
  readonly dtype: DType;
  readonly range: Range;
}

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Also infinities, NaN and both zeros. */
  readonly special?: boolean;
}

/** `slot("f32")("batch seq:4", { min: 0 })`. An axis without a size has one from 1 to 4, the same all over the case; that of a result may be told to differ. */
export const slot =
  (dtype: DType) =>
  (text: string, range: Range = {}): Slot => {
    const parts = text.split(" ").filter(Boolean);
    const fixed = parts.map((p) => p.split(":")).filter((p) => p.length > 1);
    return {
      axes: parts.map((p) => p.split(":")[0]!),
      fixed: Object.fromEntries(fixed.map(([name, size]) => [name!, Number(size)])),
      dtype,
      range,
    };
  };
export const f32 = slot("f32");
export const i32 = slot("i32");
export const i1 = (text: string): Slot => slot("i1")(text, { min: 0, max: 1 });

export interface Case {
  readonly inputs: readonly Slot[];
  /** Gives a tensor or a tree of them. */
  readonly run: (...xs: any[]) => unknown;
  /** The same in Python, on arrays. */
  readonly jax: string;
  /** The results: `"batch seq"` are floats of the case's type, `i32("batch")` says otherwise. */
  readonly out: string | Slot | readonly (string | Slot)[];
  /** First and second derivatives are compared, or the first alone, or none. Default: both. */
  readonly derivatives?: 0 | 1 | 2;
  /** Also with these element types in the place of f32, values and first derivatives. */
  readonly also?: readonly DType[];
  readonly tolerance?: Tolerance;
}

const full = process.env.XENARC_FULL === "1";
const DRAWS = full ? 5 : 2;
const SEED = full ? Date.now() % 2 ** 31 : 1;

/** Each case of a table computes what JAX computes, and has its derivatives. */
export function agrees(title: string, table: Readonly<Record<string, Case>>): void {
  describe(title, () => {
    const failures = new Map<string, string>();
    beforeAll(async () => {
      const cases = Object.entries(table).flatMap(([name, c]) => variants(c).map((v) => [name, v] as const));
      for (const drawn of fc.sample(fc.tuple(...cases.map(([name, c]) => trial(name, c))), {
        numRuns: DRAWS,
        seed: SEED,
      })) {
        await compare(drawn, failures);
      }
    }, 600_000 * DRAWS);
    test.each(Object.keys(table))("%s", (name) => {
      const failure = failures.get(name);
      if (failure !== undefined) throw new Error(`${failure}\n(drawn with the seed ${SEED})`);
    });
  });
}

/** A case in all its element types, and its second derivative. */
function variants(c: Case): Case[] {
  const retyped = (c.also ?? []).map((dtype): Case => {
    const to = (s: Slot): Slot => (s.dtype === "f32" ? { ...s, dtype } : s);
    return {
      ...c,
      inputs: c.inputs.map(to),
      out: outputs(c).map(to),
      derivatives: Math.min(c.derivatives ?? 1, 1) as 0 | 1,
    };
  });
  return [
    c,
    ...retyped,
    ...((c.derivatives ?? 2) === 2 && floats(c).length && outputs(c).some((s) => isFloat(s.dtype))
      ? [gradientOf(c)]
      : []),
  ];
}

const isFloat = (d: string): boolean => d.startsWith("f") || d === "bf16";
const outputs = (c: Case): Slot[] => [c.out].flat().map((o) => (typeof o === "string" ? f32(o) : (o as Slot)));
const floats = (c: Case): number[] => c.inputs.flatMap((s, i) => (isFloat(s.dtype) ? [i] : []));
const replaced = <T>(xs: readonly T[], at: readonly number[], by: readonly T[]): T[] =>
  xs.map((x, i) => (at.includes(i) ? by[at.indexOf(i)]! : x));

/** The gradient of sum(sin(f(x))) as a case: its own derivative is the second one. */
function gradientOf(c: Case): Case {
  const by = floats(c);
  const total = (tree: unknown): Scalar =>
    (leaves(tree) as Tensor[])
      .filter((y) => isFloat(y.dtype))
      .reduce((sum, y) => sum.add(y.sin().sum(y.names).cast("f32") as Scalar), scalar(0));
  return {
    ...c,
    run: (...xs) => grad((wrt: Tensor[]) => total(c.run(...replaced(xs, by, wrt))))(by.map((i) => xs[i])),
    jax: `lambda *a: jax.grad(lambda *x: sum(jnp.sum(jnp.sin(y)) for y in jax.tree.leaves((${c.jax})(*x)) if jnp.issubdtype(y.dtype, jnp.inexact)), (${by.map((i) => `${i},`).join("")}))(*a)`,
    out: by.map((i) => c.inputs[i]!),
    derivatives: 1,
  };
}

/** A case with inputs. */
interface Trial {
  readonly name: string;
  readonly of: Case;
  readonly sizes: Readonly<Record<string, number>>;
  /** Elements in the order of JAX's dimensions, and the order in which the language gets these. */
  readonly inputs: readonly Drawn[];
  /** For the float results. */
  readonly cotangents: readonly Drawn[];
}
interface Drawn {
  readonly of: Slot;
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly order: readonly number[];
}

function trial(name: string, of: Case): fc.Arbitrary<Trial> {
  const fixed: Record<string, number> = Object.assign({}, ...of.inputs.map((s) => s.fixed));
  const axes = [...new Set([...of.inputs, ...outputs(of)].flatMap((s) => s.axes))];
  return fc
    .tuple(...axes.map((a) => (a in fixed ? fc.constant(fixed[a]!) : fc.integer({ min: 1, max: 4 }))))
    .chain((drawn) => {
      const sizes = Object.fromEntries(axes.map((a, i) => [a, drawn[i]!]));
      const differentiated = (of.derivatives ?? 2) > 0;
      const seeds = outputs(of)
        .filter((s) => isFloat(s.dtype))
        .map((s) => ({ ...s, range: differentiated ? {} : { min: 0, max: 0 } }));
      return fc
        .record({
          inputs: fc.tuple(...of.inputs.map((s) => elements(s, sizes))),
          cotangents: fc.tuple(...seeds.map((s) => elements(s, sizes))),
        })
        .map((given) => ({ name, of, sizes, ...given }));
    });
}

function elements(of: Slot, sizes: Readonly<Record<string, number>>): fc.Arbitrary<Drawn> {
  const shape = of.axes.map((a) => of.fixed[a] ?? sizes[a]!);
  const n = product(shape);
  const { min = -3, max = 3, special = false } = of.range;
  // Floats are multiples of 1/64: exact in every element type, with ties now and then.
  const one = isFloat(of.dtype)
    ? fc.integer({ min: Math.ceil(64 * min), max: Math.floor(64 * max) }).map((x) => x / 64)
    : fc.integer({ min, max });
  const element = special
    ? fc.oneof({ weight: 2, arbitrary: one }, fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0))
    : one;
  return fc.record({
    of: fc.constant(of),
    shape: fc.constant(shape),
    data: fc.array(element, { minLength: n, maxLength: n, size: "max" }),
    order: fc.shuffledSubarray(
      shape.map((_, d) => d),
      { minLength: shape.length },
    ),
  });
}

const product = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
const encoded = ({ of, shape, data }: Drawn): WireTensor => encode(of.dtype, shape, data);

/** The drawn elements as a tensor of the language. */
function named({ of, shape, data, order }: Drawn): Tensor {
  const sizes = Object.fromEntries(order.map((d) => [of.axes[d]!, shape[d]!]));
  return tensor(sizes, transposed(data, shape, order), of.dtype) as unknown as Tensor;
}

/** Elements with the dimensions in another order. */
export function transposed<T>(data: ArrayLike<T>, shape: readonly number[], order: readonly number[]): T[] {
  const strides = shape.map((_, d) => product(shape.slice(d + 1)));
  const out: T[] = [];
  const walk = (d: number, at: number): void => {
    if (d === order.length) out.push(data[at]!);
    else for (let i = 0; i < shape[order[d]!]!; i++) walk(d + 1, at + i * strides[order[d]!]!);
  };
  walk(0, 0);
  return out;
}

/** A result with its axes in the order of JAX's dimensions. */
export function inOrder(t: Tensor, axes: readonly string[]): WireTensor {
  if (t.names.length !== axes.length || axes.some((a) => !t.has(a)))
    throw new Error(`the result has the axes ${t.names.join(" ")}, not ${axes.join(" ")}`);
  const order = axes.map((a) => t.position(a));
  const { shape } = t.value.type;
  const numbers = Array.from(t.data as ArrayLike<number>, Number);
  return encode(
    t.dtype,
    order.map((d) => shape[d]!),
    transposed(numbers, shape, order),
  );
}

/** Runs trials as one program here and one function in JAX; what is wrong with a case is added to `failures`. */
async function compare(trials: readonly Trial[], failures: Map<string, string>): Promise<void> {
  try {
    for (const [name, what] of await verdicts(trials)) if (!failures.has(name)) failures.set(name, what);
  } catch (error) {
    // One of them cannot be traced or compiled: which?
    if (trials.length === 1)
      failures.set(trials[0]!.name, error instanceof Error ? (error.stack ?? error.message) : String(error));
    else {
      const half = Math.ceil(trials.length / 2);
      await compare(trials.slice(0, half), failures);
      await compare(trials.slice(half), failures);
    }
  }
}

async function verdicts(trials: readonly Trial[]): Promise<[string, string][]> {
  const wrt = trials.map(({ of }) => ((of.derivatives ?? 2) > 0 ? floats(of) : []));
  const results = await evaluate(
    (given: { xs: Tensor[]; cts: Tensor[] }[]) =>
      given.map(({ xs, cts }, k) => {
        const by = wrt[k]!;
        if (by.length === 0) return [trials[k]!.of.run(...xs)];
        const [y, pull] = vjp(
          (...moved: Tensor[]) => trials[k]!.of.run(...replaced(xs, by, moved)),
          ...by.map((i) => xs[i]!),
        );
        let next = 0;
        return [y, pull(mapLeaves(y, (leaf) => (isFloat((leaf as Tensor).dtype) ? cts[next++]! : leaf)))];
      }),
    trials.map((t) => ({ xs: t.inputs.map(named), cts: t.cotangents.map(named) })),
  );
  const expected = await jaxAnswers(trials, wrt);
  return trials.flatMap((t, k): [string, string][] => {
    const slots = [...outputs(t.of), ...wrt[k]!.map((i) => t.of.inputs[i]!)];
    const given = leaves(results[k]) as Tensor[];
    const wrong = slots.flatMap((s, i) => {
      const what = i < outputs(t.of).length ? `result ${i}` : `gradient of input ${wrt[k]![i - outputs(t.of).length]}`;
      try {
        if (!given[i]) throw new Error(`there are only ${given.length} tensors`);
        expectClose(inOrder(given[i], s.axes), expected[k]![i]!, t.of.tolerance ?? TOLERANCES[s.dtype] ?? {});
        return [];
      } catch (error) {
        const shown = t.inputs.map(
          (x) => `${x.of.dtype}[${x.of.axes.map((a, d) => `${a} ${x.shape[d]}`).join(", ")}] ${JSON.stringify(x.data)}`,
        );
        return [`${what} of ${t.of.jax}: ${(error as Error).message}\nwhere the inputs are ${shown.join("; ")}`];
      }
    });
    return wrong.length ? [[t.name, wrong.join("\n")]] : [];
  });
}

/** What may differ where the same is computed in another order. */
const TOLERANCES: Readonly<Partial<Record<DType, Tolerance>>> = {
  f32: { rtol: 2e-5, atol: 2e-5 },
  bf16: { rtol: 4e-2, atol: 4e-2 },
  f16: { rtol: 5e-3, atol: 5e-3 },
};

/** By trial: results, then gradients. */
async function jaxAnswers(trials: readonly Trial[], wrt: readonly (readonly number[])[]): Promise<WireTensor[][]> {
  const starts = trials.map((_, k) => trials.slice(0, k).reduce((n, t) => n + t.inputs.length, 0));
  const calls = trials.map(
    ({ of, inputs }, k) => `*leaves((${of.jax})(*a[${starts[k]}:${starts[k]! + inputs.length}]))`,
  );
  const source = `(lambda leaves: lambda *a: [${calls.join(", ")}])(jax.tree.leaves)`;
  const argnums = wrt.flatMap((by, k) => by.map((i) => starts[k]! + i));
  const inputs = trials.flatMap((t) => t.inputs.map(encoded));
  const cotangents = trials.flatMap((t) => t.cotangents.map(encoded));
  const options = { x64: inputs.some((x) => x.dtype.endsWith("64")) };
  const answer = argnums.length
    ? await jaxVjp(source, inputs, cotangents, { argnums, ...options })
    : { outputs: await jaxEval(source, inputs, options), grads: [] };
  const [results, gradients] = [answer.outputs.values(), answer.grads.values()];
  const take = (from: Iterator<WireTensor>, n: number) =>
    Array.from({ length: n }, () => from.next().value as WireTensor);
  return trials.map((t, k) => [...take(results, outputs(t.of).length), ...take(gradients, wrt[k]!.length)]);
}
