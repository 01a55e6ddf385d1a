/**
 * The intermediate representation. It has StableHLO's own shape (module, function, region, op, value, tensor type), so
 * that what is traced is what is printed. An op points to its definition; nothing here knows which ops exist.
 */
import type { Mesh, Spec } from "./mesh.js";
import { captureSite, type Site } from "./site.js";

/** Element types under their MLIR names (StableHLO specification, "Types"). `i1` is the boolean, `ui*` are unsigned. */
export type DType =
  | "i1"
  | "i2"
  | "i4"
  | "i8"
  | "i16"
  | "i32"
  | "i64"
  | "ui2"
  | "ui4"
  | "ui8"
  | "ui16"
  | "ui32"
  | "ui64"
  | "f8E4M3FN"
  | "f8E5M2"
  | "bf16"
  | "f16"
  | "f32"
  | "f64"
  | "complex<f32>"
  | "complex<f64>";

/** A tensor type of known size. Dimensions are positions here; axis names stand on the value. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** What an operation costs when it runs once: floating-point operations, transcendental functions, bytes read and written. */
export interface Cost {
  readonly flops: number;
  readonly transcendentals: number;
  readonly bytes: number;
}

/** What an op's `syntax` prints with. */
export interface Printer {
  /** `%name` of a value. */
  value(v: Value): string;
  values(vs: readonly Value[]): string;
  /** `tensor<2x3xf32>` */
  type(t: TensorType): string;
  types(vs: readonly Value[]): string;
  /**
   * `{ ... }` with its own lines; `header` prints the block's arguments (`^bb0(...)`), `bare` leaves them out. `terminator` returns the
   * results, default `stablehlo.return`.
   */
  region(r: Region, form?: "header" | "bare", terminator?: string): string;
  /** `@name` of a private function of the module that the region is printed as. */
  outline(r: Region, name: string): string;
}

/** Where a tensor is kept: in the device's own memory, or in the host's, page-locked so that the device reads and writes it by itself. */
export type Memory = "device" | "pinned_host";

/** What XLA compiles for. */
export type Platform = "cpu" | "gpu" | "tpu";

/** Cotangent by operand; nothing where no derivative flows. */
export type Cotangents = readonly (Value | undefined)[];

/**
 * All there is to know of an op. Constraint keys are those of the StableHLO specification (C1, C2, ...); each gives the
 * violation in words, or nothing.
 */
export interface OpDef<Attrs = any> {
  /** The mnemonic with its dialect: `stablehlo.add`. */
  readonly name: string;
  /** Which stages of the compiler may hold it: structured ops are gone after `lower`. Default: every stage. */
  readonly structured?: true;
  /** A result costs nothing to have again (constant, iota, broadcast, reshape, compare): recomputed, never saved. */
  readonly view?: true;
  /** No derivative flows through it: its results are constants to `grad`. */
  readonly stops?: true;
  /** It acts outside its results (prints, asserts): never removed, merged or moved. */
  readonly effect?: true;
  /** Its results are its region's, one by one; its attributes where only some of the results are left. */
  readonly withResults?: (attrs: Attrs, kept: readonly boolean[]) => Attrs;
  /** Its region is printed as a private function. */
  readonly outlined?: true;
  readonly constraints: Readonly<Record<string, (op: Op<Attrs>) => string | undefined>>;
  /** The text after `%result = `; for ops without a pretty form the generic form. */
  syntax(op: Op<Attrs>, p: Printer): string;
  /**
   * Reverse-mode derivative: cotangents of the operands from those of the results. Undefined: the op has none, and `grad`
   * says so at the author's line. `needs(i)`: whether operand i's cotangent is asked for.
   */
  vjp?(b: Builder, op: Op<Attrs>, cotangents: Cotangents, needs: (operand: number) => boolean): Cotangents;
  /**
   * For ops that hold regions: like `vjp`, but also gives cotangents of values that the regions capture, and may extend the
   * op by further results.
   */
  vjpWithCaptures?(
    b: Builder,
    op: Op<Attrs>,
    cotangents: Cotangents,
    active: ReadonlySet<Value>,
  ): readonly (readonly [Value, Value])[];
  cost(op: Op<Attrs>): Cost;
  /** Where XLA has it; elsewhere `expand` says it in other ops. Default: everywhere. */
  readonly platforms?: readonly Platform[];
  expand?(b: Builder, op: Op<Attrs>): readonly Value[];
  /** Preferred SSA name of result or region argument as MLIR's printer gives it (`cst`, `iterArg`); default a number. */
  readonly resultName?: (op: Op<Attrs>) => string | undefined;
  readonly argumentName?: string;
  /** Names of several results, each printed apart: `%values, %indices = ...`. */
  readonly resultNames?: readonly string[];
}

/** An SSA value: an op's result or a region's argument. */
export class Value {
  /** The op that defines it; undefined for a region's argument. */
  op: Op | undefined;
  /** A name given by `named(x, "...")`: what a remat policy refers to. */
  tag: string | undefined;
  /** As `OpDef.view`, of this value alone: a backward pass has it again rather than kept. */
  view?: true;
  constructor(
    readonly type: TensorType,
    /** Axis names by dimension. */
    readonly axes?: readonly string[],
    /** A name for printing, where the program knows one better than the author's variable (`params/head/weight`). */
    public label?: string,
    /** Where the author declared what a region's argument stands for: a parameter. */
    readonly declared?: Site,
  ) {}
}

/** One operation. */
export class Op<Attrs = any> {
  readonly results: Value[];
  constructor(
    public def: OpDef<Attrs>,
    public operands: Value[],
    public attrs: Attrs,
    results: readonly TensorType[],
    readonly regions: Region[] = [],
    readonly site?: Site,
    axes?: readonly (readonly string[] | undefined)[],
  ) {
    this.results = results.map((type, i) => this.own(new Value(type, axes?.[i])));
  }
  private own(v: Value): Value {
    v.op = this;
    return v;
  }
  /** Adds a result: a residual that the derivative wants from a scan or a remat. */
  extend(type: TensorType, axes?: readonly string[]): Value {
    const v = this.own(new Value(type, axes));
    this.results.push(v);
    return v;
  }
}

/** A region of one block: its arguments, its ops in order, the operands of its terminator. */
export class Region {
  args: Value[] = [];
  ops: Op[] = [];
  results: Value[] = [];
  /** It uses nothing from outside, nor does what it holds: the bodies of reductions, sorts, scatters. */
  closed = false;
  arg(type: TensorType, axes?: readonly string[], label?: string, declared?: Site): Value {
    const v = new Value(type, axes, label, declared);
    this.args.push(v);
    return v;
  }
}

/** A function of the module. `aliases[i] = j`: result j may take argument i's memory (donation). */
export interface Func {
  readonly name: string;
  readonly body: Region;
  readonly private?: boolean;
  readonly resultLabels?: readonly string[];
  readonly aliases?: ReadonlyMap<number, number>;
  /** Where arguments and results lie on the module's mesh. */
  readonly argumentShardings?: readonly (Spec | undefined)[];
  readonly resultShardings?: readonly (Spec | undefined)[];
  /** The memory of arguments and results; undefined: the device's. */
  readonly argumentMemories?: readonly (Memory | undefined)[];
  readonly resultMemories?: readonly (Memory | undefined)[];
}

/** A module: what one program is printed from. The first function is `main`. */
export interface Module {
  readonly name: string;
  readonly funcs: readonly Func[];
  /** The devices that it is partitioned over; absent: one. */
  readonly mesh?: Mesh;
}

/** Appends ops to a region. Subclasses (the StableHLO vocabulary) add a method per op. */
export class Emitter {
  /** The location of everything emitted; undefined: the author's line is captured op by op. */
  site: Site | undefined;
  /** Constants made so far, by type and value. A builder outlives none of the ops that it made. */
  readonly constants = new Map<string, Value>();
  constructor(readonly region: Region) {}
  emit<A>(
    def: OpDef<A>,
    operands: readonly Value[],
    attrs: A,
    results: readonly TensorType[],
    regions: Region[] = [],
    axes?: readonly (readonly string[] | undefined)[],
  ): Op<A> {
    const op = new Op(def, operands as Value[], attrs, results, regions, this.site ?? captureSite(this.emit), axes);
    const { constraints } = def;
    for (const id in constraints) {
      const violation = constraints[id]!(op);
      if (violation !== undefined) throw constraintViolated(op, id, violation);
    }
    this.region.ops.push(op);
    return op;
  }
  /** A builder of the same vocabulary for another region. */
  on(region: Region): this {
    const b = new (this.constructor as new (region: Region) => this)(region);
    b.site = this.site;
    return b;
  }
  /** A nested region: arguments of the given types, ops and results by `f`. */
  nested(types: readonly TensorType[], f: (b: this, ...args: Value[]) => readonly Value[]): Region {
    const region = new Region();
    const args = types.map((t) => region.arg(t));
    region.results = [...f(this.on(region), ...args)];
    region.closed = captured(region).size === 0;
    return region;
  }
}

/** An op refused what it was given; `trace` turns it into an error with the author's lines. */
export class ConstraintError extends Error {
  constructor(
    readonly op: Op,
    readonly constraint: string,
    readonly violation: string,
  ) {
    super(`${op.def.name} (${constraint}): ${violation}`);
    this.name = "ConstraintError";
  }
}
function constraintViolated(op: Op, id: string, violation: string): Error {
  return new ConstraintError(op, id, violation);
}

/** The ops that the compiler's own passes build with; the StableHLO vocabulary in `ops/hlo` provides them. */
export interface Builder extends Emitter {
  constant(type: TensorType, value: number | boolean): Value;
  constantData(type: TensorType, data: readonly number[]): Value;
  abs(operand: Value): Value;
  add(lhs: Value, rhs: Value): Value;
  subtract(lhs: Value, rhs: Value): Value;
  compare(lhs: Value, rhs: Value, direction: "EQ" | "NE" | "GE" | "GT" | "LE" | "LT"): Value;
  convert(operand: Value, dtype: DType): Value;
  and(lhs: Value, rhs: Value): Value;
  not(operand: Value): Value;
  select(pred: Value, onTrue: Value, onFalse: Value): Value;
  reduceOr(operand: Value, dims: readonly number[]): Value;
  reduceMin(operand: Value, dims: readonly number[]): Value;
  broadcastInDim(operand: Value, shape: readonly number[], dims: readonly number[]): Value;
  reshape(operand: Value, shape: readonly number[], axes?: readonly string[]): Value;
  transpose(operand: Value, permutation: readonly number[]): Value;
  slice(operand: Value, start: readonly number[], limit: readonly number[], strides?: readonly number[]): Value;
  concatenate(inputs: readonly Value[], dimension: number): Value;
  dynamicSlice(operand: Value, start: readonly Value[], sizes: readonly number[]): Value;
  dynamicUpdateSlice(operand: Value, update: Value, start: readonly Value[]): Value;
  optimizationBarrier(operands: readonly Value[]): readonly Value[];
  place(operand: Value, memory: Memory): Value;
  while(init: readonly Value[], cond: Region, body: Region, of?: any): readonly Value[];
}

export const isFloat = (t: TensorType): boolean =>
  t.dtype.startsWith("f") || t.dtype === "bf16" || t.dtype.startsWith("c");
export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);
export const sameType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);
export const elements = (t: TensorType): number => t.shape.reduce((n, d) => n * d, 1);

/** The type with a dimension of `length` put in at `dim`: `length` of them stacked. */
export const stacked = (t: TensorType, dim: number, length: number): TensorType => ({
  dtype: t.dtype,
  shape: [...t.shape.slice(0, dim), length, ...t.shape.slice(dim)],
});

const BITS = /(\d+)/;
const sizes = new Map<DType, number>();
/** Bytes of one element as a buffer holds it (booleans take a byte, types below eight bits are counted packed). */
export function bytesPerElement(dtype: DType): number {
  let size = sizes.get(dtype);
  if (size === undefined) {
    if (dtype === "i1") size = 1;
    else if (dtype.startsWith("complex")) size = dtype === "complex<f32>" ? 8 : 16;
    else size = Number(BITS.exec(dtype)![1]) / 8;
    sizes.set(dtype, size);
  }
  return size;
}
export const bytesOf = (t: TensorType): number => elements(t) * bytesPerElement(t.dtype);

/** `tensor<2x3xf32>`: a type as MLIR prints it. */
export const typeText = (t: TensorType): string => `tensor<${t.shape.map((d) => `${d}x`).join("")}${t.dtype}>`;

/** Bytes that an op reads and writes, floating-point operations per result element: what most ops' cost is. */
export function pointwiseCost(op: Op, flopsPerElement: number, transcendental = false): Cost {
  const n = op.results[0] ? elements(op.results[0].type) : 0;
  let bytes = 0;
  for (const v of op.operands) bytes += bytesOf(v.type);
  for (const v of op.results) bytes += bytesOf(v.type);
  return { flops: n * flopsPerElement, transcendentals: transcendental ? n : 0, bytes };
}

const NOTHING: ReadonlySet<Value> = new Set();

/** Values that a region uses and does not define. */
export function captured(region: Region): ReadonlySet<Value> {
  if (region.closed) return NOTHING;
  const defined = new Set<Value>(region.args);
  const values = new Set<Value>();
  const use = (v: Value) => {
    if (!defined.has(v)) values.add(v);
  };
  for (const op of region.ops) {
    forEachUse(op, use);
    for (const r of op.results) defined.add(r);
  }
  region.results.forEach(use);
  return values;
}

/** Calls `f` with every value that an op reads: its operands and what its regions capture. */
export function forEachUse(op: Op, f: (v: Value) => void): void {
  for (const v of op.operands) f(v);
  for (const r of op.regions) if (!r.closed) captured(r).forEach(f);
}

/** Copies ops into a region, values replaced by `map`, which gains the copies' results. */
export function cloneOps(ops: readonly Op[], into: Region, map: Map<Value, Value>): void {
  const sub = (v: Value) => map.get(v) ?? v;
  for (const op of ops) {
    const regions = op.regions.map((r) => cloneRegion(r, map));
    const copy = new Op(
      op.def,
      op.operands.map(sub),
      op.attrs,
      op.results.map((r) => r.type),
      regions,
      op.site,
      op.results.map((r) => r.axes),
    );
    into.ops.push(copy);
    op.results.forEach((r, i) => {
      copy.results[i]!.tag = r.tag;
      copy.results[i]!.label = r.label;
      map.set(r, copy.results[i]!);
    });
  }
}

/** A copy of a region; what it captures stays captured unless `map` says otherwise, which gains the copies of what it defines. */
export function cloneRegion(region: Region, map: Map<Value, Value> = new Map()): Region {
  const out = new Region();
  out.closed = region.closed;
  for (const a of region.args) map.set(a, out.arg(a.type, a.axes, a.label));
  cloneOps(region.ops, out, map);
  out.results = region.results.map((v) => map.get(v) ?? v);
  return out;
}

/** Puts other values in the place of some, in nested regions too. */
export function substitute(region: Region, replaced: ReadonlyMap<Value, Value>): void {
  const sub = (v: Value) => replaced.get(v) ?? v;
  for (const op of region.ops) {
    op.operands = op.operands.map(sub);
    for (const r of op.regions) substitute(r, replaced);
  }
  region.results = region.results.map(sub);
}
