/**
 * Anomaly mode: a program that looks at every operation's result, and gives instead of its own results the first operation, as they are
 * executed, that made a NaN, and the first that made an infinity of finite operands. (As PyTorch's `detect_anomaly` and JAX's
 * `jax_debug_nans`, for a whole step, on the device.)
 */
import { type Builder, elements, isFloat, type Op, type Region, type TensorType, type Value } from "../ir.js";
import { type Mesh, meshSize, type Spec } from "../mesh.js";
import type { Check, Loop, Port, Program } from "../program.js";
import { dce } from "./dce.js";
import { lower } from "./lower.js";
import { type ScanAttrs, scan } from "./scan.js";

/** Operations whose result is finite where their operands are: moved, chosen, bounded. They are not looked at. */
const KEEP_FINITE: ReadonlySet<string> = new Set([
  ...["sdy.sharding_constraint", "chlo.erf", "chlo.erfc", "chlo.top_k"],
  ...[
    ...["abs", "all_gather", "all_to_all", "broadcast_in_dim", "ceil", "clamp", "collective_permute", "compare"],
    ...["concatenate", "constant", "cosine", "custom_call", "dynamic_slice", "dynamic_update_slice", "floor", "gather"],
    ...["imag", "iota", "is_finite", "logistic", "maximum", "minimum", "negate", "optimization_barrier", "pad", "real"],
    ...["reshape", "reverse", "round_nearest_afz", "round_nearest_even", "select", "sign", "sine", "slice", "sort"],
    ...["tanh", "transpose"],
  ].map((name) => `stablehlo.${name}`),
]);

/** A value has an infinity exactly where its operand has one. */
const SAME_NUMBERS: ReadonlySet<string> = new Set(
  ["abs", "broadcast_in_dim", "negate", "reshape", "transpose"].map((name) => `stablehlo.${name}`),
);

const INDEX: TensorType = { dtype: "i32", shape: [] };
const FLAG: TensorType = { dtype: "i1", shape: [] };
const NONE = -1;
const LAST = 0x7fffffff;

/** The rows of the result: a NaN, an infinity. */
export const ANOMALIES = ["nan", "inf"] as const;

/**
 * The program that finds what is not finite in a run of another, from the same inputs, none of which it takes over. Its one result
 * `anomaly` (i32 of 2 by 1 + loops) has a row for NaN and one for infinity: the number of the check, -1 where all is well, and the
 * steps of the loops around it, outermost first. `checks` says what the numbers mean. Complex numbers are not looked at.
 */
export function anomalyProgram(name: string, b: Builder, of: Program): Program {
  const { region: traced } = of;
  dce(traced);
  asLoops(traced);
  const region = lower(b, traced);
  const checks = new Checks(1 + loopsIn(region));
  checks.program(b, region, of.inputs);
  const axes = ["kind", "at"];
  const { type } = region.results[0]!;
  const sharding = of.mesh && { sharding: axes.map(() => []) };
  return {
    name,
    region,
    inputs: of.inputs,
    outputs: [{ name: "anomaly", role: "result", axes, ...type, ...sharding }],
    donated: [],
    checks: checks.all,
    ...(of.mesh && { mesh: of.mesh }),
    cost: of.cost,
  };
}

/** Layers that are written out have no number; as a loop they have. */
function asLoops(region: Region): void {
  for (const op of region.ops) {
    if (op.def === scan) op.attrs = { ...(op.attrs as ScanAttrs), unroll: false };
    op.regions.forEach(asLoops);
  }
}

/** How deep loops are nested. */
const loopsIn = (region: Region): number =>
  Math.max(0, ...region.ops.map((op) => Number(isLoop(op)) + Math.max(0, ...op.regions.map(loopsIn))));

const isLoop = (op: Op): boolean => op.def.name === "stablehlo.while";

/** What was found so far, a row of each kind. */
type Found = readonly Value[];

/** Where ops are executed: the loops around them, and their steps as a row without a check's number. */
interface Place {
  readonly loops: readonly Loop[];
  readonly row: Value;
  /** Whether values that are known there have an infinity. */
  readonly infinite: ReadonlyMap<Value, Value | undefined>;
}

class Checks {
  readonly all: Check[] = [];
  constructor(private readonly width: number) {}

  private get row(): TensorType {
    return { dtype: "i32", shape: [this.width] };
  }

  /** A whole program: its inputs, then its operations; it then gives what was found. */
  program(b: Builder, region: Region, inputs: readonly Port[]): void {
    const found = this.region(b, region, (inside) => {
      const none = inside.constant(this.row, NONE);
      const place = { loops: [], row: none, infinite: new Map() };
      const given = new Batch(inside, place);
      inputs.forEach(({ name, memory }, i) => {
        const value = region.args[i]!;
        if (memory === undefined && isReal(value))
          given.add(this.check({ operation: "", input: name, loops: [] }), value);
      });
      return { place, found: given.into([none, none]) };
    });
    const end = b.on(region);
    region.results = [
      end.concatenate(
        found.map((f) => end.reshape(f, [1, this.width])),
        0,
      ),
    ];
  }

  private check(check: Check): number {
    return this.all.push(check) - 1;
  }

  /** Puts checks behind the operations of a region; what was found by its end. */
  private region(b: Builder, region: Region, begin: (inside: Builder) => { place: Place; found: Found }): Found {
    const { ops } = region;
    region.ops = [];
    region.closed = false;
    const inside = b.on(region);
    let { place, found } = begin(inside);
    let batch = new Batch(inside, place);
    for (const op of ops) {
      inside.site = op.site;
      if (op.def.name === "stablehlo.while" || op.def.name === "sdy.manual_computation" || isBranch(op)) {
        found = batch.into(found);
        if (isLoop(op)) found = this.loop(inside, op, place, found);
        else if (isBranch(op)) found = this.branches(inside, op, place, found);
        else found = this.perDevice(inside, op, place, found);
        place = { ...place, infinite: batch.infinite };
        batch = new Batch(inside, place);
        continue;
      }
      region.ops.push(op);
      if (KEEP_FINITE.has(op.def.name)) continue;
      const { site } = op;
      for (const value of op.results.filter(isReal)) {
        const operation = op.def.name.slice(op.def.name.indexOf(".") + 1);
        batch.add(this.check({ operation, ...(site && { site }), loops: place.loops }), value, op.operands);
      }
    }
    return batch.into(found);
  }

  private loop(b: Builder, op: Op, { loops, row, infinite }: Place, found: Found): Found {
    const [cond, body] = op.regions as [Region, Region];
    const more = [b.constant(INDEX, 0), ...found];
    for (const v of more) cond.arg(v.type);
    const [step, ...soFar] = more.map((v) => body.arg(v.type));
    op.operands = [...op.operands, ...more];
    b.region.ops.push(op);
    const after = this.region(b, body, (inside) => ({
      place: {
        loops: [...loops, (op.attrs as Loop | null) ?? {}],
        row: inside.dynamicUpdateSlice(row, inside.reshape(step!, [1]), [inside.constant(INDEX, 1 + loops.length)]),
        infinite,
      },
      found: soFar,
    }));
    const end = b.on(body);
    body.results = [...body.results, end.add(step!, end.constant(INDEX, 1)), ...after];
    return more.map((v) => op.extend(v.type)).slice(1);
  }

  private branches(b: Builder, op: Op, place: Place, found: Found): Found {
    for (const branch of op.regions) {
      const after = this.region(b, branch, () => ({ place, found }));
      branch.results = [...branch.results, ...after];
    }
    b.region.ops.push(op);
    return found.map((f) => op.extend(f.type));
  }

  /** Each device looks at what it has; of several that found something, the one whose operation comes first counts. */
  private perDevice(b: Builder, op: Op, { loops, row }: Place, found: Found): Found {
    const attrs = op.attrs as {
      mesh: Mesh;
      manual: readonly string[];
      inputs: readonly Spec[];
      outputs: readonly Spec[];
    };
    const [body] = op.regions as [Region];
    const given = body.arg(row.type);
    op.operands = [...op.operands, row];
    const own = this.region(b, body, (inside) => {
      const none = inside.constant(this.row, NONE);
      return { place: { loops, row: given, infinite: new Map() }, found: found.map(() => none) };
    });
    const end = b.on(body);
    body.results = [...body.results, ...own.map((f) => end.reshape(f, [1, this.width]))];
    op.attrs = {
      ...attrs,
      inputs: [...attrs.inputs, [[]]],
      outputs: [...attrs.outputs, ...own.map(() => [attrs.manual, []])],
    };
    b.region.ops.push(op);
    const devices = attrs.manual.reduce((n, axis) => n * meshSize(attrs.mesh, axis), 1);
    return found.map((before) => {
      const rows = op.extend({ dtype: "i32", shape: [devices, this.width] });
      const numbers = b.reshape(b.slice(rows, [0, 0], [devices, 1]), [devices]);
      const last = b.constant(numbers.type, LAST);
      const known = b.select(b.compare(numbers, b.constant(numbers.type, 0), "LT"), last, numbers);
      const first = b.reduceMin(known, [0]);
      const at = b.compare(known, b.broadcastInDim(first, known.type.shape, []), "EQ");
      const its = b.select(b.broadcastInDim(at, rows.type.shape, [0]), rows, b.constant(rows.type, LAST));
      return unlessFound(b, before, first, b.reduceMin(its, [0]));
    });
  }
}

const isBranch = ({ def }: Op): boolean => def.name === "stablehlo.if" || def.name === "stablehlo.case";

const isReal = ({ type }: Value): boolean => isFloat(type) && !type.dtype.startsWith("c") && elements(type) > 0;

/** A row, where nothing was found before and `first` is the number of a check. */
function unlessFound(b: Builder, before: Value, first: Value, row: Value): Value {
  const number = b.reshape(b.slice(before, [0], [1]), []);
  const open = b.compare(number, b.constant(INDEX, 0), "LT");
  return b.select(b.and(open, b.compare(first, b.constant(INDEX, LAST), "LT")), row, before);
}

/** Checks of operations that follow each other in one region: which was the first is asked once for all. */
class Batch {
  readonly infinite: Map<Value, Value | undefined>;
  private readonly numbers: number[] = [];
  private readonly flags: [nan: Value, inf: Value][] = [];
  constructor(
    private readonly b: Builder,
    private readonly place: Place,
  ) {
    this.infinite = new Map(place.infinite);
  }

  add(number: number, value: Value, operands: readonly Value[] = []): void {
    const { b } = this;
    const nan = this.any(b.compare(value, value, "NE"));
    const before = operands.filter(isReal).flatMap((v) => this.hasInfinity(v) ?? []);
    const now = this.hasInfinity(value)!;
    const inf = before.reduce((flag, was) => b.and(flag, b.not(was)), now);
    this.numbers.push(number);
    this.flags.push([nan, inf]);
  }

  /** Found so far, with these. */
  into(found: Found): Found {
    const { b, numbers, place } = this;
    if (numbers.length === 0) return found;
    const type: TensorType = { dtype: "i32", shape: [numbers.length] };
    const known = b.constantData(type, numbers);
    return found.map((before, kind) => {
      const flags = b.concatenate(
        this.flags.map((f) => b.reshape(f[kind]!, [1])),
        0,
      );
      const first = b.reduceMin(b.select(flags, known, b.constant(type, LAST)), [0]);
      const row = b.dynamicUpdateSlice(place.row, b.reshape(first, [1]), [b.constant(INDEX, 0)]);
      return unlessFound(b, before, first, row);
    });
  }

  private any(flags: Value): Value {
    return this.b.reduceOr(
      flags,
      flags.type.shape.map((_, d) => d),
    );
  }

  /** Whether a value has an infinity; undefined: it is known to have none. */
  private hasInfinity(value: Value): Value | undefined {
    if (this.infinite.has(value)) return this.infinite.get(value);
    const { b } = this;
    const { op } = value;
    let flag: Value | undefined;
    if (op && SAME_NUMBERS.has(op.def.name)) flag = this.hasInfinity(op.operands[0]!);
    else if (op?.def.name === "stablehlo.constant" && "value" in op.attrs) {
      flag = Number.isFinite(Number(op.attrs.value)) ? undefined : b.constant(FLAG, true);
    } else {
      const size = b.abs(value);
      const most = b.constant(size.type, Number.POSITIVE_INFINITY);
      flag = value.type.dtype === "f8E4M3FN" ? b.constant(FLAG, false) : this.any(b.compare(size, most, "EQ"));
    }
    this.infinite.set(value, flag);
    return flag;
  }
}
