/**
 * How every op is tested. `agrees` builds random uses of an op into one program, has MLIR verify it and print it to the same bytes,
 * runs it, and compares values and gradients with JAX. `refuses` has one bad use for each constraint, which the op itself and
 * MLIR's verifier reject. `elementwise` is both, for the ops that are alike.
 */
import fc from "fast-check";
import {
  ConstraintError,
  type DType,
  elements,
  isFloat,
  type OpDef,
  Region,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import { expand } from "../../compiler/passes/expand.js";
import { backward } from "../../compiler/passes/grad.js";
import { printModule } from "../../emit/print.js";
import { kinds as isKind, type Kind } from "../../ops/hlo/define.js";
import { HloBuilder, ops } from "../../ops/hlo/index.js";
import type { WireTensor } from "../../runtime-bridge/worker.js";
import {
  canonical,
  encode,
  execute,
  expectClose,
  jaxEval,
  jaxVjp,
  numbers,
  type Tolerance,
  verify,
} from "../oracle/oracle.js";

/** `type("2x3xf32")` */
export function type(text: string): TensorType {
  const parts = /^((?:\d+x)*)(.+)$/.exec(text)!;
  return { shape: parts[1]!.split("x").slice(0, -1).map(Number), dtype: parts[2] as DType };
}

// Values ----------------------------------------------------------------------------------------------------------------------

/** The element types of each kind that tests use. */
export const DTYPES: Readonly<Record<Kind, readonly DType[]>> = {
  boolean: ["i1"],
  signed: ["i8", "i32", "i64"],
  integer: ["i8", "i32", "i64", "ui8", "ui32", "ui64"],
  float: ["bf16", "f16", "f32", "f64"],
  complex: ["complex<f32>", "complex<f64>"],
};

/** JAX's name of an element type. */
export const jaxName = (dtype: DType): string =>
  dtype === "i1"
    ? "jnp.bool_"
    : `jnp.${dtype
        .replace(/^bf16$/, "bfloat16")
        .replace(/^complex<f(\d+)>$/, (_, bits) => `complex${2 * bits}`)
        .replace(/^f(?=\d)/, "float")
        .replace(/^u?i(?=\d)/, (prefix) => (prefix === "ui" ? "uint" : "int"))}`;

/** A tensor as a Python expression. */
export const jaxConstant = ({ shape, dtype, data }: WireTensor): string =>
  `np.frombuffer(bytes.fromhex("${Buffer.from(data).toString("hex")}"), ${jaxName(dtype as DType)}).reshape(${JSON.stringify(shape)})`;

/** What random values an operand takes. */
export interface Domain {
  readonly min?: number;
  readonly max?: number;
  /** Also infinities, NaN, zeros of both signs, denormals, the largest. Default: unless complex, or a range is given. */
  readonly special?: boolean;
}

const LEAST: Partial<Record<DType, readonly [denormal: number, normal: number, largest: number]>> = {
  f64: [2 ** -1074, 2 ** -1022, Number.MAX_VALUE],
  f32: [2 ** -149, 2 ** -126, 2 ** 128 - 2 ** 104],
  bf16: [2 ** -133, 2 ** -126, 2 ** 128 - 2 ** 120],
  f16: [2 ** -24, 2 ** -14, 65504],
};

const partOf = (dtype: DType): DType => (dtype.startsWith("complex") ? (dtype.slice(8, -1) as DType) : dtype);

/** Random tensors of a type: small numbers (with ties), any in range, and the type's special values. */
export function anyTensor({ shape, dtype }: TensorType, domain: Domain = {}): fc.Arbitrary<WireTensor> {
  const n = elements({ shape, dtype }) * (dtype.startsWith("complex") ? 2 : 1);
  const many = <T>(element: fc.Arbitrary<T>) => fc.array(element, { minLength: n, maxLength: n, size: "max" });
  const integer = /^(u?)i(\d+)$/.exec(dtype);
  if (integer) {
    const [bits, signed] = [BigInt(integer[2]!), integer[1] === "" && dtype !== "i1"];
    const [least, most] = signed ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n];
    const bound = (x: number | undefined, otherwise: bigint) => (x === undefined ? otherwise : BigInt(x));
    const [min, max] = [bound(domain.min, least), bound(domain.max, most)];
    const clip = (x: bigint) => (x < min ? min : x > max ? max : x);
    const element = fc.oneof(
      fc.bigInt({ min: -4n, max: 4n }).map(clip),
      fc.bigInt({ min, max }),
      fc.constantFrom(min, max),
    );
    return many(element).map((values) => integerTensor(dtype, shape, Number(bits), values));
  }
  // What XLA makes of complex arithmetic at infinities and at the edges of the range is its own.
  const tame = dtype.startsWith("complex") || domain.min !== undefined || domain.max !== undefined;
  const { min = -3, max = 3, special = !tame } = domain;
  const uniform = fc.integer({ min: 0, max: 2 ** 24 }).map((x) => min + ((max - min) * x) / 2 ** 24);
  // Without bias: fast-check likes ends of ranges, and complex numbers from there cancel each other.
  if (dtype.startsWith("complex")) return many(fc.noBias(uniform)).map((values) => encode(dtype, shape, values));
  const [low, high] = [Math.ceil(2 * min), Math.floor(2 * max)];
  const usual =
    low > high
      ? uniform
      : fc.oneof(
          uniform,
          fc.integer({ min: low, max: high }).map((x) => x / 2),
        );
  const extremes = LEAST[partOf(dtype)]!.flatMap((x) => [x, -x]);
  const specials = fc.oneof(fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0, ...extremes), fc.double());
  const element = special ? fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: specials }) : usual;
  return many(element).map((values) => encode(dtype, shape, values));
}

function integerTensor(dtype: DType, shape: readonly number[], bits: number, values: readonly bigint[]): WireTensor {
  const bytes = Math.max(1, bits / 8);
  const data = new Uint8Array(values.length * bytes);
  const view = new DataView(data.buffer);
  values.forEach((value, i) => {
    for (let k = 0; k < bytes; k++) view.setUint8(i * bytes + k, Number((value >> BigInt(8 * k)) & 255n));
  });
  return { dtype, shape, data };
}

/** Random shapes, small: what goes wrong with sizes goes wrong with small ones. */
export const anyShape = (
  rank: { min?: number; max?: number } = {},
  size = { min: 1, max: 4 },
): fc.Arbitrary<number[]> => fc.array(fc.integer(size), { minLength: rank.min ?? 0, maxLength: rank.max ?? 3 });

// Agreement with JAX ----------------------------------------------------------------------------------------------------------

/** One use of an op, and the same in JAX. */
export interface Use {
  readonly inputs: readonly TensorType[];
  readonly build: (b: HloBuilder, ...inputs: Value[]) => Value | readonly Value[];
  /** A Python function of the inputs (see `jaxEval`). */
  readonly jax: string;
  /** Values of the inputs, one for all or one for each. */
  readonly values?: Domain | readonly (Domain | undefined)[];
  /** Gradients are compared, too, for all float inputs or those given. Default: true. */
  readonly gradient?: boolean | readonly number[];
  /** How near values must be; default: the same bits, any NaN being like another (complex: `expectClose`'s tolerance). */
  readonly tolerance?: Tolerance;
  /** How near gradients must be; default: see `GRADIENTS`. */
  readonly gradientTolerance?: Tolerance;
}

export interface Agreement {
  /** Uses in one program. Default 1. */
  readonly uses?: number;
  /** Programs. Default 2; 10 times as many in the long form of the tests. */
  readonly runs?: number;
}

const long = process.env.XENARC_FULL === "1" ? 10 : 1;

/** Random uses of an op compute what JAX computes, and have its gradients. */
export function agrees(
  name: string,
  use: fc.Arbitrary<Use | readonly Use[]>,
  { uses = 1, runs = 2 }: Agreement = {},
): void {
  const program = fc
    .array(use, { minLength: uses, maxLength: uses })
    .chain((drawn) => fc.tuple(...drawn.flat().map(trialOf)));
  test(
    `${name}: verified, printed as MLIR prints it, equal to JAX in values and gradients`,
    // A counterexample is small enough as it comes, and says which element is off: each shrinking step would compile.
    () => fc.assert(fc.asyncProperty(program, compare), { numRuns: runs * long, endOnFailure: true }),
    60_000 * long,
  );
}

/** A use with values for its inputs and, where it is differentiated, for the cotangents of its floating-point results. */
interface Trial {
  readonly use: Use;
  readonly inputs: readonly WireTensor[];
  readonly cotangents: readonly WireTensor[];
}

const trialOf = (use: Use): fc.Arbitrary<Trial> => {
  const { inputs, values } = use;
  const domain = (i: number) => (Array.isArray(values) ? values[i] : values) as Domain | undefined;
  const seeds = differentiatedBy(use).length ? resultTypes(use).filter(isFloat) : [];
  return (
    fc
      .record({
        inputs: fc.tuple(...inputs.map((t, i) => anyTensor(t, domain(i)))),
        cotangents: fc.tuple(...seeds.map((t) => anyTensor(t, { min: -3, max: 3 }))),
      })
      // The failure's own message says all there is to say.
      .map((given) => ({ use, ...given, [fc.toStringMethod]: () => use.jax }))
  );
};

/** Which inputs a use is differentiated by. */
const differentiatedBy = ({ inputs, gradient = true }: Use): readonly number[] =>
  gradient === true ? inputs.flatMap((t, i) => (isFloat(t) ? [i] : [])) : gradient === false ? [] : gradient;

function resultTypes(use: Use): readonly TensorType[] {
  const r = regionOf(use.inputs);
  return [use.build(HloBuilder.into(r), ...r.args)].flat().map((v) => (v as Value).type);
}

function regionOf(inputs: readonly TensorType[]): Region {
  const r = new Region();
  for (const t of inputs) r.arg(t);
  return r;
}

/** What a result of the program is, and how near it must be. */
interface Wanted {
  readonly trial: Trial;
  readonly what: string;
  readonly tolerance: Tolerance;
}

/** All trials as one function, and what JAX says to the same. */
interface Program {
  readonly body: Region;
  readonly inputs: WireTensor[];
  /** By result of the function. */
  readonly wanted: Wanted[];
  readonly expected: Promise<WireTensor[]>[];
}

async function compare(trials: readonly Trial[]): Promise<void> {
  const program: Program = { body: new Region(), inputs: [], wanted: [], expected: [] };
  // Uses with gradients are one function of JAX's, those without another: each is compiled once.
  for (const differentiated of [true, false]) {
    const group = trials.filter(({ use }) => differentiatedBy(use).length > 0 === differentiated);
    if (group.length) addGroup(program, group, differentiated);
  }
  const { body } = program;
  for (const op of body.ops) for (const n of Object.values(op.def.cost(op))) expect(n).toBeGreaterThanOrEqual(0);
  const text = printModule({ name: "test", funcs: [{ name: "main", body }] }, { names: "canonical" });
  expect(await verify(text)).toBeUndefined();
  expect(text).toBe(await canonical(text));
  // What the CPU has not runs as what the definition says instead.
  expand(HloBuilder.into(body), body, "cpu");
  const runs = printModule({ name: "test", funcs: [{ name: "main", body }] }, { names: "canonical" });
  const actual = await execute(runs, program.inputs);
  const expected = (await Promise.all(program.expected).catch(unanswered)).flat();
  expect(actual.length).toBe(expected.length);
  const failures = program.wanted.flatMap((wanted, i) => failure(wanted, actual[i]!, expected[i]!) ?? []);
  if (failures.length) throw new Error(failures.join("\n"));
}

/**
 * JAX's own program is one that XLA:CPU makes an invalid one of, as it does of some products whose batch dimensions are permuted: jaxlib 0.10.2's
 * verifier says so. It has no answer, and others are drawn in its place; fast-check gives up where there are many.
 */
function unanswered(error: unknown): never {
  fc.pre(!/INTERNAL: during context \[hlo verifier\]/.test(String(error)));
  throw error;
}

/** Appends trials to the program, the results of all before the gradients of all, as JAX answers. */
function addGroup({ body, inputs, wanted, expected }: Program, group: readonly Trial[], differentiated: boolean): void {
  const b = HloBuilder.into(body);
  const calls: string[] = [];
  const argnums: number[] = [];
  const gradients: (Wanted & { readonly value: Value })[] = [];
  let position = 0;
  for (const trial of group) {
    const { use } = trial;
    const args = use.inputs.map((t) => body.arg(t));
    const seeds = trial.cotangents.map((t) => body.arg(t as TensorType));
    inputs.push(...trial.inputs, ...trial.cotangents);
    const from = body.ops.length;
    const outputs = [use.build(b, ...args)].flat() as Value[];
    body.results.push(...outputs);
    outputs.forEach((v, k) => {
      const tolerance = use.tolerance ?? (v.type.dtype.startsWith("complex") ? {} : EXACT);
      wanted.push({ trial, what: `result ${k}`, tolerance });
    });
    const by = differentiatedBy(use);
    const wrt = by.map((k) => args[k]!);
    const floats = outputs.filter((v) => isFloat(v.type));
    const found = differentiated ? backward(b, from, floats, seeds, wrt) : [];
    found.forEach((gradient, n) => {
      const { type: t } = wrt[n]!;
      gradients.push({
        trial,
        what: `gradient of operand ${by[n]}`,
        tolerance: use.gradientTolerance ?? GRADIENTS[partOf(t.dtype)]!,
        value: gradient ?? b.constant(t, 0),
      });
      argnums.push(position + by[n]!);
    });
    calls.push(`*leaves((${use.jax})(*a[${position}:${position + args.length}]))`);
    position += args.length;
  }
  body.results.push(...gradients.map(({ value }) => value));
  wanted.push(...gradients);
  const source = `(lambda leaves: lambda *a: [${calls.join(", ")}])(jax.tree.leaves)`;
  const [x, ct] = [group.flatMap((t) => t.inputs), group.flatMap((t) => t.cotangents)];
  const answer = differentiated
    ? jaxVjp(source, x, ct, { x64: true, argnums }).then(({ outputs, grads }) => [...outputs, ...grads])
    : jaxEval(source, x, { x64: true });
  answer.catch(() => {}); // awaited by `compare`, unless something fails before
  expected.push(answer);
}

/** What is wrong with a result, at which inputs. */
function failure({ trial, what, tolerance }: Wanted, actual: WireTensor, expected: WireTensor): string | undefined {
  try {
    (tolerance === EXACT ? expectSame : expectClose)(actual, expected, tolerance);
    return undefined;
  } catch (error) {
    const number = (x: number) => (Object.is(x, -0) ? "-0" : String(x));
    const shown = (x: WireTensor) => `${typeText(x as TensorType)} [${numbers(x).map(number)}]`;
    const seeds = what.startsWith("gradient") ? `, cotangents ${trial.cotangents.map(shown)}` : "";
    return `${what} of ${trial.use.jax} at ${trial.inputs.map(shown)}${seeds}: ${(error as Error).message}`;
  }
}

const EXACT: Tolerance = { rtol: 0, atol: 0 };
/** Of gradients by default: formulas of the same worth round differently, which counts in the short formats. */
const GRADIENTS: Partial<Record<DType, Tolerance>> = {
  f64: { rtol: 1e-12, atol: 1e-13 },
  f32: { rtol: 1e-5, atol: 1e-5 },
  f16: { rtol: 1e-2, atol: 1e-2 },
  bf16: { rtol: 5e-2, atol: 5e-2 },
};

/** The same bits, zeros' signs and all; one NaN is like another. */
function expectSame(actual: WireTensor, expected: WireTensor): void {
  expectClose(actual, expected, EXACT);
  const { dtype, data } = expected;
  const [x, y] = [numbers(actual), numbers(expected)];
  const size = data.length / Math.max(1, y.length);
  for (let i = 0; i < y.length; i++) {
    const [p, q] = [actual.data, data].map((bytes) =>
      Buffer.from(bytes.subarray(i * size, (i + 1) * size)).toString("hex"),
    );
    if (p !== q && !(Number.isNaN(x[i]!) && Number.isNaN(y[i]!))) {
      throw new Error(`element ${i} of a tensor of ${dtype} has the bytes ${p} (${x[i]}), expected ${q} (${y[i]})`);
    }
  }
}

// Constraints -----------------------------------------------------------------------------------------------------------------

/** A bad use of an op without regions. */
export interface Misuse {
  /** The types of the operands, as in `type("2x3xf32")`; each becomes an argument of the function around the op. */
  readonly operands: readonly string[];
  readonly results: readonly string[];
  readonly attrs?: unknown;
  /** The attributes in MLIR's generic form, `dimension = 2 : i64`. False: MLIR cannot express the misuse. */
  readonly mlir?: string | false;
  /** MLIR's verifier lets it pass although the specification forbids it. */
  readonly accepted?: true;
}

/** A bad use of any op: emits it, and writes it in the generic form with operands `%arg0`, ... */
export interface MisuseOf {
  readonly inputs: readonly string[];
  readonly emit: (b: HloBuilder, ...inputs: Value[]) => unknown;
  readonly generic: string | false;
  readonly accepted?: true;
}

/** Each constraint of an op refuses its misuses, and so does MLIR's verifier. All constraints have one. */
export function refuses(
  op: OpDef,
  misuses: Readonly<Record<string, Misuse | MisuseOf | readonly (Misuse | MisuseOf)[]>>,
): void {
  test(`${op.name}: every constraint refuses what it is for`, async () => {
    expect(Object.keys(misuses).sort()).toEqual(Object.keys(op.constraints).sort());
    for (const [id, given] of Object.entries(misuses)) {
      for (const misuse of [given].flat()) await refuse(op, id, "emit" in misuse ? misuse : plain(op, misuse));
    }
  });
}

/** An op without regions, emitted as it is and written in the generic form. */
function plain(op: OpDef, { operands, results, attrs = null, mlir = "", accepted }: Misuse): MisuseOf {
  const tensors = (ts: readonly string[]) => ts.map((t) => `tensor<${t}>`).join(", ");
  const names = operands.map((_, i) => `%arg${i}`).join(", ");
  return {
    inputs: operands,
    emit: (b, ...inputs) => b.emit(op, inputs, attrs, results.map(type)),
    generic: mlir !== false && `"${op.name}"(${names}) {${mlir}} : (${tensors(operands)}) -> (${tensors(results)})`,
    ...(accepted && { accepted }),
  };
}

async function refuse(op: OpDef, id: string, { inputs, emit, generic, accepted }: MisuseOf): Promise<void> {
  const r = regionOf(inputs.map(type));
  let error: unknown;
  try {
    emit(HloBuilder.into(r), ...r.args);
  } catch (e) {
    error = e;
  }
  if (!(error instanceof ConstraintError)) throw new Error(`${op.name} (${id}): not refused: ${error ?? generic}`);
  expect(`${error.op.def.name} (${error.constraint}): ${error.violation}`).toMatch(`${op.name} (${id}): `);
  if (generic === false) return;
  const args = inputs.map((t, i) => `%arg${i}: tensor<${t}>`).join(", ");
  const verdict = await verify(`func.func @main(${args}) {\n  ${generic}\n  return\n}\n`);
  if ((verdict === undefined) !== (accepted === true)) {
    throw new Error(`${op.name} (${id}): MLIR ${verdict === undefined ? "accepts" : `says ${verdict} to`} ${generic}`);
  }
}

// Elementwise ops -------------------------------------------------------------------------------------------------------------

/** One element type of each kind; whether a kind is refused is tried with it. */
const REPRESENTATIVES: readonly DType[] = ["i1", "i32", "ui32", "f32", "complex<f32>"];

export interface Elementwise extends Pick<Use, "values" | "gradient" | "tolerance" | "gradientTolerance"> {
  /** The Python function. */
  readonly jax: string;
  readonly operands?: 1 | 2;
  /** Kinds of element types that the op takes. */
  readonly kinds: readonly Kind[];
  /** Element types that XLA:CPU or JAX cannot do. */
  readonly except?: readonly DType[];
  /** Gradients are compared on these values, and only results on `values`. */
  readonly gradientValues?: Use["values"];
  /** Kinds that MLIR's verifier takes although the specification forbids them. */
  readonly accepted?: readonly DType[];
}

/** An op of one or two operands whose type is the result's, too. */
export function elementwise(method: keyof typeof ops, e: Elementwise): void {
  agreesElementwise(method, e);
  const n = e.operands ?? 1;
  const def = ops[method] as unknown as OpDef;
  const allowed = (d: DType) => e.kinds.some((k) => isKind[k](d));
  const refused = REPRESENTATIVES.filter((d) => !allowed(d));
  const good = `2x3x${REPRESENTATIVES.find(allowed)}`;
  const misuse = (operands: readonly string[], result: string, d?: DType): Misuse => ({
    operands,
    results: [result],
    ...(d && e.accepted?.includes(d) && { accepted: true as const }),
  });
  const kinds: Record<string, Misuse[]> = {};
  if (refused.length) {
    kinds.I1 = refused.map((d) => misuse(Array(n).fill(`2x3x${d}`), `2x3x${d}`, d));
    if (n === 2) kinds.I2 = refused.map((d) => misuse([good, `2x3x${d}`], good));
  }
  const shape = good.replace("2x3", "3x2");
  refuses(def, {
    ...kinds,
    C1: [misuse(Array(n).fill(good), shape), ...(n === 2 ? [misuse([good, shape], good)] : [])],
  });
}

/** Small, or with rows long enough for vector instructions and what they leave over. */
const elementwiseShape = fc.oneof(
  anyShape(),
  anyShape({ max: 2 }).map((shape) => [...shape, 19]),
);

/** The first half of `elementwise`, for ops whose result has another type. */
export function agreesElementwise(method: keyof typeof ops, e: Elementwise, extent: Agreement = {}): void {
  const n = e.operands ?? 1;
  const dtypes = e.kinds.flatMap((k) => DTYPES[k]).filter((d) => !e.except?.includes(d));
  const build = (b: HloBuilder, ...inputs: Value[]) => (b[method] as (...inputs: Value[]) => Value)(...inputs);
  const use = (dtype: DType) =>
    elementwiseShape.map((shape): Use[] => {
      const all: Use = { ...e, inputs: Array.from({ length: n }, () => ({ shape, dtype })), build };
      if (e.gradientValues === undefined) return [all];
      return [
        { ...all, gradient: false },
        { ...all, values: e.gradientValues },
      ];
    });
  agrees(
    method,
    fc.tuple(...dtypes.map(use)).map((uses) => uses.flat()),
    extent,
  );
}
