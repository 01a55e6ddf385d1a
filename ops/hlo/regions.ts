/** What ops that hold regions share: the form of their text, checks of their functions' types, and functions of one op. */
import { XenarcError } from "../../compiler/errors.js";
import {
  type Cost,
  type DType,
  type Op,
  type Printer,
  pointwiseCost,
  Region,
  sameType,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import { functionType, kinds } from "./define.js";
import type { HloBuilder } from "./index.js";

/** `"name"(operands) <{attributes}> ({regions}) : type`: MLIR's generic form. Attributes come sorted by name. */
export function genericSyntax(attributes: (op: Op) => readonly string[]) {
  return (op: Op, p: Printer): string => {
    const given = attributes(op);
    const properties = given.length ? ` <{${given.join(", ")}}>` : "";
    const regions = op.regions.length ? ` (${op.regions.map((r) => p.region(r)).join(", ")})` : "";
    return `"${op.def.name}"(${p.values(op.operands)})${properties}${regions} : ${functionType(op, p)}`;
  };
}

/** A line break and the indentation of the op whose region was printed (its last line is the closing brace). */
export const lineOf = (printedRegion: string): string => printedRegion.slice(printedRegion.lastIndexOf("\n"), -1);

export const scalar = (dtype: DType): TensorType => ({ shape: [], dtype });

const typesText = (ts: readonly TensorType[]): string => `(${ts.map(typeText).join(", ")})`;
const sameTypes = (xs: readonly TensorType[], ys: readonly TensorType[]): boolean =>
  xs.length === ys.length && xs.every((x, i) => sameType(x, ys[i]!));

/** Constraint: a function has this type. */
export function hasType(
  role: string,
  region: Region | undefined,
  inputs: readonly TensorType[],
  outputs: readonly TensorType[],
): string | undefined {
  if (!region) return `${role} is missing`;
  const [args, results] = [region.args.map((v) => v.type), region.results.map((v) => v.type)];
  return sameTypes(args, inputs) && sameTypes(results, outputs)
    ? undefined
    : `${role} has the type ${typesText(inputs)} -> ${typesText(outputs)}, not ${typesText(args)} -> ${typesText(results)}`;
}

/** The operands of a reduction: its inputs, and an initial value for each. */
export const halves = ({ operands }: Op): [inputs: Value[], inits: Value[]] => {
  const n = Math.ceil(operands.length / 2);
  return [operands.slice(0, n), operands.slice(n)];
};

/** `v` as this element type: bodies may compute in a wider one than the inputs'. */
export const inType = (b: HloBuilder, v: Value, dtype: DType): Value =>
  v.type.dtype === dtype ? v : b.convert(v, dtype);

const bits = (d: DType): number => Number(/\d+/.exec(d)![0]);
/** The specification's `is_promotable`: values of type `x` are values of type `y` as well. */
export const isPromotable = (x: DType, y: DType): boolean =>
  kinds.boolean(x)
    ? x === y
    : ([kinds.integer, kinds.float, kinds.complex] as const).some((is) => is(x) && is(y)) && bits(x) <= bits(y);

/** Constraint of reductions: the body takes and gives the accumulators' types, to which the inputs' can be promoted. */
export function isReduction(body: Region | undefined, inputs: readonly TensorType[]): string | undefined {
  const accumulators = body?.results.map((v) => scalar(v.type.dtype)) ?? [];
  const wrong = hasType(
    "the body",
    body,
    [...accumulators, ...accumulators],
    inputs.length === accumulators.length ? accumulators : inputs.map((t) => scalar(t.dtype)),
  );
  if (wrong) return wrong;
  const i = inputs.findIndex((t, k) => !isPromotable(t.dtype, accumulators[k]!.dtype));
  return i < 0 ? undefined : `${inputs[i]!.dtype} cannot be promoted to the body's ${accumulators[i]!.dtype}`;
}

const COMMUTATIVE = new Set(
  ["add", "and", "maximum", "minimum", "multiply", "or", "xor"].map((op) => `stablehlo.${op}`),
);
export const isCommutative = (name: string): boolean => COMMUTATIVE.has(name);

/** A function of scalars: a region, or what is traced into one. */
export type Body = Region | ((b: HloBuilder, ...args: Value[]) => Value | readonly Value[]);

/** The region of a body whose arguments have these element types. */
export const regionOf = (b: HloBuilder, body: Body, dtypes: readonly DType[]): Region =>
  body instanceof Region ? body : b.nested(dtypes.map(scalar), (inner, ...args) => [body(inner, ...args)].flat());

/** Ops that make a monoid of every type that they take. */
export type Monoid = "add" | "and" | "maximum" | "minimum" | "multiply" | "or";

/** The body that is one op of its two arguments. */
export const applying =
  (op: Monoid): Body =>
  (b, x, y) =>
    b[op](x!, y!);

/** The name of the op that a region of two arguments consists of, if it is one op of the two, in their order, and no more. */
export function onlyOp({ args, ops: [op, ...more], results }: Region): string | undefined {
  if (!op || more.length || op.regions.length || op.results.length !== 1 || args.length !== 2) return undefined;
  const forwarded = op.operands.length === 2 && op.operands.every((v, i) => v === args[i]);
  return forwarded && results.length === 1 && results[0] === op.results[0] ? op.def.name : undefined;
}

/**
 * For a body of 2n arguments: the op by which alone result i comes of arguments i and n + i; undefined where it comes otherwise.
 * Ops of several inputs whose components do not mix are differentiated by component.
 */
export const combiners = ({ args, results }: Region): (string | undefined)[] =>
  results.map(({ op }, i) => {
    const own = [args[i], args[results.length + i]];
    const [x, y] = op?.operands ?? [];
    const direct = op?.operands.length === 2 && own[0] === x && own[1] === y;
    const swapped = op?.operands.length === 2 && own[0] === y && own[1] === x && isCommutative(op.def.name);
    return direct || swapped ? op!.def.name : undefined;
  });

/** What running regions once costs. */
export function costOf(regions: readonly Region[]): Cost {
  let [flops, transcendentals, bytes] = [0, 0, 0];
  for (const region of regions) {
    for (const op of region.ops) {
      const c = op.def.cost(op);
      flops += c.flops;
      transcendentals += c.transcendentals;
      bytes += c.bytes;
    }
  }
  return { flops, transcendentals, bytes };
}

/** The types that a branch gives, as text. */
export const branchTypes = (branch: Region): string => typesText(branch.results.map((v) => v.type));

/** Constraint: an op's results have the types that a branch gives. */
export const resultsOf = ({ results }: Op, branch: Region): string | undefined =>
  sameTypes(
    results.map((v) => v.type),
    branch.results.map((v) => v.type),
  )
    ? undefined
    : `the results are ${branchTypes(branch)}, not ${typesText(results.map((v) => v.type))}`;

/** The cost of the branch that costs most, by floating-point operations, then by bytes. */
export const dearest = ({ regions }: Op): Cost =>
  regions
    .map((r) => costOf([r]))
    .reduce((x, y) => (y.flops > x.flops || (y.flops === x.flops && y.bytes > x.bytes) ? y : x));

/** What applying a function of scalars `times` over costs; its values are in registers, so that only the op's own bytes count. */
export function appliedCost(op: Op, times: number): Cost {
  const once = costOf(op.regions);
  return {
    flops: once.flops * times,
    transcendentals: once.transcendentals * times,
    bytes: pointwiseCost(op, 0).bytes,
  };
}

/** The error of an op whose derivative depends on what its region does. */
export function noDerivative(op: Op, reason: string): XenarcError {
  return new XenarcError({
    what: `${op.def.name} has no derivative here: ${reason}.`,
    ...(op.site && { where: [{ site: op.site.origin ?? op.site }] }),
    fix: "Give it one with customVjp, or cut the gradient with stopGradient.",
  });
}
