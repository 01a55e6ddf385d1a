/** What op files are made of: the definition's type, the families that many ops share, and helpers for their rules. */
import {
  type Cost,
  type Cotangents,
  type DType,
  type Op,
  type OpDef,
  type Printer,
  pointwiseCost,
  sameShape,
  sameType,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import type { HloBuilder } from "./index.js";

/**
 * A StableHLO op: its definition, and `make`, which infers the result type and emits it. `b.<name>(...)` of the builder calls
 * `make`. Annotate every op constant with this type: inferred, the list in index.ts would be circular.
 */
export interface HloOp<Attrs, Args extends readonly unknown[], Result = Value> extends OpDef<Attrs> {
  make(b: HloBuilder, ...args: Args): Result;
  vjp?(b: HloBuilder, op: Op<Attrs>, cotangents: Cotangents, needs: (operand: number) => boolean): Cotangents;
  vjpWithCaptures?(
    b: HloBuilder,
    op: Op<Attrs>,
    cotangents: Cotangents,
    active: ReadonlySet<Value>,
  ): readonly (readonly [Value, Value])[];
  expand?(b: HloBuilder, op: Op<Attrs>): readonly Value[];
}

/** Kinds of element types that the specification's input constraints speak of. */
export const kinds = {
  boolean: (d: DType) => d === "i1",
  integer: (d: DType) => d !== "i1" && (d.startsWith("i") || d.startsWith("ui")),
  signed: (d: DType) => d !== "i1" && d.startsWith("i"),
  float: (d: DType) => d.startsWith("f") || d === "bf16",
  complex: (d: DType) => d.startsWith("complex"),
} as const;
export type Kind = keyof typeof kinds;

const isOf = (allowed: readonly Kind[], d: DType) => allowed.some((k) => kinds[k](d));

/** Input constraint `(In)`: operand n-1 has one of the kinds of element types. */
export function operandKind(index: number, allowed: readonly Kind[]) {
  return (op: Op): string | undefined => {
    const v = op.operands[index];
    return v && !isOf(allowed, v.type.dtype)
      ? `operand ${index} is ${typeText(v.type)}; allowed element types: ${allowed.join(", ")}`
      : undefined;
  };
}

/** Output constraint `(O1)`: the result's element type is one of the kinds. */
export function resultKind(allowed: readonly Kind[]) {
  return ({ results: [y] }: Op): string | undefined =>
    isOf(allowed, y!.type.dtype)
      ? undefined
      : `the result is ${typeText(y!.type)}; allowed element types: ${allowed.join(", ")}`;
}

/** The result has the shape of operand n. */
export const shapeOfOperand =
  (index = 0) =>
  ({ operands, results: [y] }: Op): string | undefined =>
    sameShape(operands[index]!.type.shape, y!.type.shape)
      ? undefined
      : `the result's shape is ${list(operands[index]!.type.shape)}, not ${list(y!.type.shape)}`;

/** All operands and results have one type. */
export function sameTypes(op: Op): string | undefined {
  const first = op.operands[0]!.type;
  const alike = (v: Value) => v.type === first || sameType(v.type, first);
  return op.operands.every(alike) && op.results.every(alike)
    ? undefined
    : `operands and result have one type: ${[...op.operands, ...op.results].map((x) => typeText(x.type)).join(", ")}`;
}

/** `stablehlo.add %0, %1 : tensor<...>`: the pretty form of ops whose operands and result have one type. */
export const sameTypeSyntax = (op: Op, p: Printer): string =>
  `${op.def.name} ${p.values(op.operands)} : ${p.type(op.results[0]!.type)}`;

/** `chlo.erf %0 : tensor<..> -> tensor<..>`: the pretty form of CHLO's elementwise ops. */
const chloSyntax = (op: Op, p: Printer): string =>
  `${op.def.name} ${p.values(op.operands)} : ${p.types(op.operands)} -> ${p.types(op.results)}`;
const elementwiseSyntax = (name: string) => (name.startsWith("chlo.") ? chloSyntax : sameTypeSyntax);

/** One type if operands and results share it, else the function's type. */
export const compactSyntax = (op: Op, p: Printer): string => {
  const type = sameTypes(op) === undefined ? p.type(op.results[0]!.type) : functionType(op, p);
  return `${op.def.name} ${p.values(op.operands)} : ${type}`;
};

/** `(tensor<..>, tensor<..>) -> tensor<..>` */
export const functionType = (op: Op, p: Printer): string =>
  `(${p.types(op.operands)}) -> ${op.results.length === 1 ? p.type(op.results[0]!.type) : `(${p.types(op.results)})`}`;

/** `name operands attributes : (types) -> type`, `attributes` with its leading comma. */
export const functionalSyntax =
  (attributes: (op: Op, p: Printer) => string = () => "") =>
  (op: Op, p: Printer): string =>
    `${op.def.name} ${p.values(op.operands)}${attributes(op, p)} : ${functionType(op, p)}`;

/** `[0, 1]` */
export const list = (ns: readonly number[]): string => `[${ns.join(", ")}]`;
/** `array<i64: 0, 1>` */
export const i64Array = (ns: readonly number[]): string => `array<i64${ns.length ? ": " : ""}${ns.join(", ")}>`;

/** The axis names that an elementwise result inherits: those of the first operand that has any. */
export const inheritAxes = (operands: readonly Value[]): readonly string[] | undefined =>
  operands.find((v) => v.axes !== undefined)?.axes;

/** Emits an op with one result. */
export function emitOne<A>(
  b: HloBuilder,
  def: OpDef<A>,
  operands: readonly Value[],
  attrs: A,
  type: TensorType,
  axes?: readonly string[],
): Value {
  return b.emit(def, operands, attrs, [type], [], axes ? [axes] : undefined).results[0]!;
}

interface Elementwise<Rule> {
  /** Allowed element types of the operands (the specification's I1, I2). */
  readonly kinds: readonly Kind[];
  /** Derivative; absent where the result is piecewise constant or integer (see `stops`). */
  readonly vjp?: Rule;
  /** The result is piecewise constant: no derivative flows. */
  readonly stops?: true;
  readonly transcendental?: true;
  /** Floating-point operations an element; default 1. */
  readonly flops?: number;
}

type UnaryRule = (b: HloBuilder, ct: Value, x: Value, y: Value) => Value;
type BinaryRule = (
  b: HloBuilder,
  ct: Value,
  x: Value,
  y: Value,
  z: Value,
) => readonly [lhs: () => Value, rhs: () => Value];

/** I1 to In, unless every kind is allowed. */
function operandKinds(n: number, allowed: readonly Kind[]): OpDef["constraints"] {
  const all = (["boolean", "integer", "float", "complex"] as const).every((k) => allowed.includes(k));
  return all ? {} : Object.fromEntries(Array.from({ length: n }, (_, i) => [`I${i + 1}`, operandKind(i, allowed)]));
}

/** `result = f(operand)` elementwise, one type throughout. The rule is given the cotangent, the operand and the result. */
export function unary(name: string, e: Elementwise<UnaryRule>): HloOp<null, [operand: Value]> {
  const def: HloOp<null, [operand: Value]> = {
    name,
    ...(e.stops && { stops: true as const }),
    constraints: { ...operandKinds(1, e.kinds), C1: sameTypes },
    syntax: elementwiseSyntax(name),
    cost: (op): Cost => pointwiseCost(op, e.flops ?? 1, e.transcendental),
    make: (b, x) => emitOne(b, def, [x], null, x.type, x.axes),
    ...(e.vjp && {
      vjp: (b: HloBuilder, op: Op, [ct]: Cotangents) => [e.vjp!(b, ct!, op.operands[0]!, op.results[0]!)],
    }),
  };
  return def;
}

/** `result = f(lhs, rhs)` elementwise, one type throughout. The rule gives each operand's cotangent when it is asked for. */
export function binary(name: string, e: Elementwise<BinaryRule>): HloOp<null, [lhs: Value, rhs: Value]> {
  const def: HloOp<null, [lhs: Value, rhs: Value]> = {
    name,
    ...(e.stops && { stops: true as const }),
    constraints: { ...operandKinds(2, e.kinds), C1: sameTypes },
    syntax: elementwiseSyntax(name),
    cost: (op): Cost => pointwiseCost(op, e.flops ?? 1, e.transcendental),
    make: (b, x, y) => emitOne(b, def, [x, y], null, x.type, x.axes ?? y.axes),
    ...(e.vjp && {
      vjp: (b: HloBuilder, op: Op, [ct]: Cotangents, needs: (i: number) => boolean) => {
        const rules = e.vjp!(b, ct!, op.operands[0]!, op.operands[1]!, op.results[0]!);
        return rules.map((rule, i) => (needs(i) ? rule() : undefined));
      },
    }),
  };
  return def;
}

/** The element type of the parts of a complex element type; any other stays. */
export const partType = (d: DType): DType => (d === "complex<f32>" ? "f32" : d === "complex<f64>" ? "f64" : d);

/** One part of every element of a complex tensor. The rule gives a complex operand's cotangent; `ofReal` that of a real one. */
export function part(
  name: string,
  vjp: (b: HloBuilder, ct: Value) => Value,
  ofReal: (ct: Value) => Value | undefined,
): HloOp<null, [operand: Value]> {
  const def: HloOp<null, [operand: Value]> = {
    name,
    constraints: {
      I1: operandKind(0, ["float", "complex"]),
      O1: resultKind(["float"]),
      C1: shapeOfOperand(),
      C2: ({ operands: [x], results: [y] }) =>
        y!.type.dtype === partType(x!.type.dtype)
          ? undefined
          : `a part of ${typeText(x!.type)} has element type ${partType(x!.type.dtype)}, not ${y!.type.dtype}`,
    },
    syntax: compactSyntax,
    cost: (op) => pointwiseCost(op, 0),
    make: (b, x) => emitOne(b, def, [x], null, { shape: x.type.shape, dtype: partType(x.type.dtype) }, x.axes),
    vjp: (b, op, [ct]) => [kinds.complex(op.operands[0]!.type.dtype) ? vjp(b, ct!) : ofReal(ct!)],
  };
  return def;
}

/** Computed when first asked for: what two operands' cotangents share. */
export function once<T>(f: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= f());
}

/** The cotangent of `x` in the maximum (GT) or minimum (LT) of `x` and `y`: half of it where they are equal, none beside NaN. */
export function shareOfChosen(b: HloBuilder, ct: Value, x: Value, y: Value, direction: "GT" | "LT"): Value {
  const tied = b.select(b.compare(x, y, "EQ"), b.multiply(ct, b.constant(ct.type, 0.5)), b.constant(ct.type, 0));
  return b.select(b.compare(x, y, direction), ct, tied);
}
