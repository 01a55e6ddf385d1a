/**
 * What a traced program keeps in memory, computes and exchanges, before any mesh is chosen: which values XLA will make (the others
 * it computes inside of fusions), in which order, and until when each is needed. A mesh is then judged by arithmetic alone.
 */
import { bytesOf, type DType, elements, type Memory, type Op, type Region, type Value } from "../ir.js";
import { CONSTRAINT, DEFAULT_RULES, type Kind } from "../mesh.js";
import type { ScanAttrs } from "../passes/scan.js";
import type { DotAttrs } from "../passes/simplify.js";
import { countedAs, type Program } from "../program.js";
import { Axes } from "./axes.js";
import { axesOfGroups } from "./collectives.js";

/** A value as layouts see it: `parameters` are weights, their gradients and what else has no axis but those of weights. */
export interface Shaped {
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly kind: Kind;
  /** Dimensions that lie as others do, where those leave them a mesh axis. */
  readonly follows?: readonly boolean[];
  /** Mesh axes of which this is one device's part already. */
  readonly manual?: readonly string[];
  /** The program's value. */
  readonly of?: Value;
}

/** A product of matrices, by the dimensions of its operands. */
export interface Product {
  readonly operands: readonly [Shaped, Shaped];
  readonly result: Shaped;
  readonly attrs: DotAttrs;
  /** In one run of the program. */
  readonly runs: number;
  /** Another product's result is added to this one's before devices add up their parts. */
  isTerm?: boolean;
}

/** A product of matrices group by group: `share` is the part of the work that one product with all groups would be. */
export interface Grouped extends Product {
  readonly share: number;
}

/** Rows added up in a table (the gradient of a look-up): `result` holds the sum of what each device has of `parts`. */
export interface Scatter {
  readonly parts: Shaped;
  readonly result: Shaped;
  readonly runs: number;
}

/** What devices say to each other in code that is written for one of them, or from one stage to the next. */
export interface Exchange {
  readonly value: Shaped;
  /** Mesh axes, or the dimension along which they split `of` (by default `value`). */
  readonly axes: readonly string[] | number;
  readonly of?: Shaped;
  /** How much of it one of `n` devices sends. */
  readonly share: "all" | "rest" | "twice the rest";
  readonly runs: number;
}

/** A value that comes from the host's memory or goes there. */
export interface Transfer {
  readonly value: Shaped;
  readonly runs: number;
}

/** By value, how much of it is read, from 0 to 1. */
export type Parts = ReadonlyMap<Made, number>;

/** A value that gets memory of its own. */
export interface Made {
  readonly value: Shaped;
  /** What it is computed from. */
  readonly reads: readonly Made[];
  /** In one run of the program; 0 for the memory of loops, which what is in the loop writes. */
  readonly runs: number;
  /** Of what it reads a part of, how large a part. */
  readonly parts?: Parts | undefined;
  /** How much of it is written, where the rest is there already. Default: 1. */
  readonly written?: number;
  /** It exists where this lies otherwise than `value`: the same value before it was exchanged between devices. */
  readonly from?: Shaped;
  /** That other value, if it has memory, which is this one's too where both lie the same. */
  readonly origin?: Made | undefined;
  /** Whether it is in memory from the beginning to the end. */
  readonly argument?: boolean;
  /** Whether it is in the host's memory. */
  readonly host?: boolean;
  /** It is an operand (0, 1) as a product needs it, or the result (2) before devices have added up their parts. */
  readonly of?: { readonly product: Product; readonly part: 0 | 1 | 2 };
}

/** What happens to memory, in order. */
export interface Event {
  readonly made: Made;
  readonly freed: boolean;
}

/** A program without a mesh. */
export interface Timeline {
  readonly program: Program;
  readonly events: readonly Event[];
  /** All values, those included that are written into memory that is there already. */
  readonly made: readonly Made[];
  readonly products: readonly Product[];
  readonly grouped: readonly Grouped[];
  readonly scatters: readonly Scatter[];
  readonly exchanges: readonly Exchange[];
  readonly transfers: readonly Transfer[];
  /** What kernels read and write, which have their last dimension innermost; of other values XLA chooses the order. */
  readonly rowMajor: ReadonlySet<Made>;
  /** Whether it has code that is written for one device: then it holds for the mesh alone that it was traced for. */
  readonly ofItsMesh: boolean;
}

/** Computed where they are used: one pass over memory does any number of them. */
const FUSED = new Set(
  (
    "abs add and atan2 bitcast_convert broadcast_in_dim cbrt ceil clamp compare complex concatenate constant convert cosine divide " +
    "dynamic_slice exponential exponential_minus_one floor imag iota is_finite log log_plus_one logistic maximum minimum multiply " +
    "negate not or pad popcnt power real remainder reverse rsqrt select shift_left shift_right_arithmetic shift_right_logical sign " +
    "sine slice sqrt subtract tan tanh xor"
  )
    .split(" ")
    .map((name) => `stablehlo.${name}`),
);
const isFused = ({ def: { name } }: Op): boolean =>
  FUSED.has(name) || (name.startsWith("chlo.") && name !== "chlo.ragged_dot");
/** Of these, what is computed once rather than again for each user. */
const EXPENSIVE = /^(stablehlo\.(cosine|divide|exponential|log|logistic|power|rsqrt|sine|sqrt|tan|tanh)|chlo\.)/;
/** These read of their first operand what is in their result. */
const SLICES = new Set(["stablehlo.slice", "stablehlo.dynamic_slice", "stablehlo.gather"]);
/** These write what one operand, by its number, holds into the first. */
const UPDATES: Readonly<Record<string, number>> = { "stablehlo.dynamic_update_slice": 1, "stablehlo.scatter": 2 };
/** How much of its first operand an operation takes, or writes into, as a multiple of it. Default: 1. */
function ofFirst({ def: { name }, operands, results }: Op): number {
  const taken = SLICES.has(name) ? results[0] : operands[UPDATES[name] ?? -1];
  return taken === undefined ? 1 : elements(taken.type) / elements(operands[0]!.type);
}
/** The same memory under another type or name. */
const VIEW = new Set(["xenarc.identity", "xenarc.stop_gradient", "stablehlo.reshape", "stablehlo.transpose"]);
const INLINED = new Set(["xenarc.remat", "xenarc.custom_vjp", "stablehlo.optimization_barrier"]);

/** Axes that weights have in stages of a pipeline. */
const STAGED = ["repeat", "replica", "stage"];

const MANUAL = "sdy.manual_computation";
const COLLECTIVES: Readonly<Record<string, Exchange["share"]>> = {
  "stablehlo.all_gather": "rest",
  "stablehlo.all_reduce": "twice the rest",
  "stablehlo.all_to_all": "rest",
  "stablehlo.collective_permute": "all",
  "stablehlo.reduce_scatter": "rest",
};

/** An op with its operands resolved to the values that have memory, or would. */
interface Step {
  readonly op: Op;
  readonly operands: readonly Value[];
  /** The same memory, where the layout says the same. */
  readonly moves?: boolean;
  readonly loop?: Loop;
}
interface Loop {
  readonly steps: readonly Step[];
  readonly region: Region;
  readonly results: readonly Value[];
  readonly length: number;
  readonly carries: number;
}

/** What a value is computed from, if it has no memory of its own. */
interface Source {
  readonly reads: readonly Made[];
  readonly parts?: Parts | undefined;
  readonly expensive: boolean;
  /** It holds a product or the like, which one following pass over its result can still be joined to. */
  readonly open: boolean;
  /** The product that `open` means. */
  readonly product?: Product;
}

/** One thing after the other; `inner`: a loop's body. */
interface Entry {
  readonly make: readonly Made[];
  readonly reads: readonly Made[];
  readonly inPlace: boolean;
  readonly inner?: readonly Entry[];
}

/** The timeline of a program as traced, with what nobody reads removed. */
export function timelineOf(program: Program): Timeline {
  return new Builder(program).timeline();
}

class Builder {
  readonly #uses = new Map<Value, Step[]>();
  /** The memory of what loops carry. */
  readonly #carried = new Set<Made>();
  readonly #donated = new Set<Made>();
  /** What loops hand on. */
  readonly #results = new Set<Value>();
  readonly #passesOf = new Map<Value, ReadonlySet<unknown>>();
  readonly #source = new Map<Value, Source>();
  readonly #has = new Map<Value, Made>();
  readonly #made: Made[] = [];
  readonly #products: Product[] = [];
  readonly #grouped: Grouped[] = [];
  readonly #scatters: Scatter[] = [];
  readonly #exchanges: Exchange[] = [];
  readonly #transfers: Transfer[] = [];
  readonly #rowMajor = new Set<Made>();
  readonly #axes: Axes;
  /** Mesh axes of which a value is one device's part. */
  readonly #manual = new Map<Value, readonly string[]>();
  /** Values that lie on the mesh otherwise than their axes say. */
  readonly #kinds = new Map<Value, Shaped["kind"]>();
  readonly #weightAxes: ReadonlySet<string>;
  readonly #converted = new Map<Value, Made>();
  /** Operands as products need them, once for a body. */
  #gathered = new Map<Value, Made>();

  constructor(readonly program: Program) {
    const weights = program.inputs.filter((port) => countedAs(port, program) === "parameters");
    this.#weightAxes = new Set([...weights.flatMap((port) => port.axes), ...STAGED]);
    this.#axes = new Axes([...Object.keys(DEFAULT_RULES.activations), ...this.#weightAxes]);
  }

  timeline(): Timeline {
    const { region, inputs } = this.program;
    region.args.forEach((arg, i) => {
      const optimizer = inputs[i]!.name.startsWith("optimizer/");
      const shaped = this.#shaped(arg);
      const value: Shaped = optimizer ? { ...shaped, kind: "optimizer" } : shaped;
      const made = { value, reads: [], runs: 1, argument: true, host: inputs[i]!.memory === "pinned_host" };
      this.#has.set(arg, made);
      if (this.program.donated.some(([input]) => input === i)) this.#donated.add(made);
    });
    const alias = new Map<Value, Value>();
    const steps = this.#flatten(region.ops, alias);
    const results = region.results.map((v) => alias.get(v) ?? v);
    this.#countUses(steps);
    const entries = this.#entries(steps, 1);
    const donated = new Set(this.program.donated.map(([, output]) => output));
    results.forEach((v, i) => {
      const reads = this.#reads(v);
      // What is donated is written in place, one after the other.
      if (donated.has(i)) this.#write(v, reads, 1);
      if (this.#has.has(v) || donated.has(i)) entries.push({ make: [], reads, inPlace: true });
      else this.#materialize(v, this.#source.get(v) ?? NOTHING, 1, entries);
    });
    const events: Event[] = [];
    order(entries, events);
    return {
      program: this.program,
      events,
      made: this.#made,
      products: this.#products,
      grouped: this.#grouped,
      scatters: this.#scatters,
      exchanges: this.#exchanges,
      transfers: this.#transfers,
      rowMajor: this.#rowMajor,
      ofItsMesh: this.#manual.size > 0,
    };
  }

  #flatten(ops: readonly Op[], alias: Map<Value, Value>, within: readonly string[] = []): Step[] {
    const steps: Step[] = [];
    const resolve = (v: Value) => alias.get(v) ?? v;
    const visit = (list: readonly Op[], manual: readonly string[]) => {
      for (const op of list) {
        const name = op.def.name;
        const operands = op.operands.map(resolve);
        if (manual.length > 0) for (const r of op.results) this.#manual.set(r, manual);
        if (name === MANUAL) {
          const region = op.regions[0]!;
          const inside = [...manual, ...(op.attrs as { manual: readonly string[] }).manual];
          region.args.forEach((arg, i) => {
            this.#axes.pass(op.operands[i]!, arg);
            this.#manual.set(arg, inside);
            alias.set(arg, operands[i]!);
          });
          visit(region.ops, inside);
          op.results.forEach((r, i) => {
            this.#axes.pass(region.results[i]!, r);
            alias.set(r, resolve(region.results[i]!));
          });
          continue;
        }
        // What rows are added up in is whole: any device may have any of them.
        if (name === "stablehlo.scatter") this.#kinds.set(op.results[0]!, "activations");
        if (INLINED.has(name)) {
          const region = op.regions[0];
          region?.args.forEach((arg, i) => {
            this.#axes.pass(op.operands[i]!, arg);
            if (manual.length > 0) this.#manual.set(arg, manual);
            alias.set(arg, operands[i]!);
          });
          if (region) visit(region.ops, manual);
          op.results.forEach((r, i) => {
            this.#axes.pass(region ? region.results[i]! : op.operands[i]!, r);
            alias.set(r, region ? resolve(region.results[i]!) : operands[i]!);
          });
        } else if (VIEW.has(name) || name === CONSTRAINT) {
          this.#axes.visit(op);
          if (name === CONSTRAINT) this.#kinds.set(op.results[0]!, (op.attrs as { kind: Kind }).kind);
          const moves = this.#moves(op);
          if (moves) steps.push({ op, operands, moves });
          else alias.set(op.results[0]!, operands[0]!);
        } else if (name === "xenarc.scan" || name === "stablehlo.while") {
          const region = op.regions.at(-1)!;
          const attrs = op.attrs as Partial<ScanAttrs & { readonly expected: number }> | null;
          const carries = attrs?.carries ?? op.operands.length;
          region.args.forEach((arg, i) => {
            this.#axes.pass(op.operands[i]!, arg, i < carries ? 0 : 1);
            if (manual.length > 0) this.#manual.set(arg, manual);
          });
          op.results.forEach((r, i) => {
            if (i < carries) this.#axes.pass(op.operands[i]!, r);
          });
          const inner = this.#flatten(region.ops, alias, manual);
          op.results.forEach((r, i) => {
            if (i >= carries) this.#axes.pass(region.results[i]!, r, -1);
          });
          const results = region.results.map(resolve);
          const length = attrs?.length ?? attrs?.expected ?? 1;
          steps.push({ op, operands, loop: { steps: inner, region, results, length, carries } });
        } else {
          this.#axes.visit(op);
          steps.push({ op, operands });
        }
      }
    };
    visit(ops, within);
    return steps;
  }

  /** Whether a view may lie on other devices than what it views. */
  #moves(op: Op): boolean {
    const [from, to] = [op.operands[0]!, op.results[0]!];
    if (op.def.name === CONSTRAINT) {
      const [before, after] = [this.#shaped(from), this.#shaped(to)];
      if (before.kind !== after.kind) return from.type.shape.length > 1;
      return before.axes.some((axis, d) => axis !== after.axes[d] || before.follows?.[d] !== after.follows?.[d]);
    }
    const names = (v: Value) => new Set(v.axes ?? []);
    return names(from).has("seq") !== names(to).has("seq") && (names(from).has("key") || names(to).has("key"));
  }

  #shaped(v: Value, kind?: Shaped["kind"]): Shaped {
    const axes = v.axes ?? v.type.shape.map(() => "");
    const manual = this.#manual.get(v);
    return {
      ...this.#axes.of(v),
      ...(manual && { manual }),
      of: v,
      shape: v.type.shape,
      dtype: v.type.dtype,
      kind:
        kind ?? this.#kinds.get(v) ?? (axes.every((axis) => this.#weightAxes.has(axis)) ? "parameters" : "activations"),
    };
  }

  #countUses(steps: readonly Step[]): void {
    for (const step of steps) {
      for (const v of new Set(step.operands)) {
        const list = this.#uses.get(v);
        if (list) list.push(step);
        else this.#uses.set(v, [step]);
      }
      if (!step.loop) continue;
      this.#countUses(step.loop.steps);
      for (const v of step.loop.results) this.#results.add(v);
    }
  }

  /** The passes over memory that use a value; users that are computed inside of one pass count as that one. */
  #passes(v: Value): ReadonlySet<unknown> {
    const known = this.#passesOf.get(v);
    if (known) return known;
    const passes = new Set<unknown>(this.#results.has(v) ? [v] : []);
    for (const step of this.#uses.get(v) ?? []) {
      const result = step.op.results[0]!;
      const inside = step.loop || !isFused(step.op) ? new Set<unknown>([step]) : this.#passes(result);
      passes.add(inside.size === 1 ? [...inside][0] : result);
    }
    this.#passesOf.set(v, passes);
    return passes;
  }

  #reads(v: Value): readonly Made[] {
    const made = this.#has.get(v);
    return made ? [made] : (this.#source.get(v)?.reads ?? []);
  }

  /** A value that is written into memory that is there already: it costs time only. */
  #write(v: Value, reads: readonly Made[], runs: number): void {
    if (!this.#has.has(v)) this.#make({ value: this.#shaped(v), reads, parts: this.#source.get(v)?.parts, runs });
  }

  #make(made: Made): Made {
    this.#made.push(made);
    return made;
  }

  #entries(steps: readonly Step[], runs: number): Entry[] {
    const entries: Entry[] = [];
    const before = this.#gathered;
    this.#gathered = new Map();
    for (const step of steps) {
      if (step.loop) this.#loop(step, step.loop, runs, entries);
      else this.#step(step, runs, entries);
    }
    this.#gathered = before;
    return entries;
  }

  #step({ op, operands, moves }: Step, runs: number, entries: Entry[]): void {
    const name = op.def.name;
    const result = op.results[0]!;
    if (name === "stablehlo.dynamic_update_slice") {
      // Written into what is there.
      const made = this.#has.get(operands[0]!);
      entries.push({ make: [], reads: [...this.#reads(operands[0]!), ...this.#reads(operands[1]!)], inPlace: true });
      if (made) this.#has.set(result, made);
      else this.#materialize(result, this.#source.get(operands[0]!) ?? NOTHING, runs, entries);
      return;
    }
    if (moves) {
      const reads = operands.flatMap((v) => this.#reads(v));
      const from = this.#shaped(op.operands[0]!);
      const origin = this.#has.get(operands[0]!);
      const made = this.#make({ value: this.#shaped(result), reads, runs, from, origin });
      entries.push({ make: [made], reads, inPlace: false });
      this.#has.set(result, made);
      return;
    }
    const memory = name === "stablehlo.custom_call" && (op.attrs as { memory?: Memory }).memory;
    if (memory) {
      const reads = operands.flatMap((v) => this.#reads(v));
      const made = this.#make({ value: this.#shaped(result), reads, runs, host: memory === "pinned_host" });
      entries.push({ make: [made], reads, inPlace: false });
      this.#has.set(result, made);
      this.#transfers.push({ value: made.value, runs });
      return;
    }
    this.#exchange(op, runs);
    if (name === "chlo.ragged_dot") {
      const [lhs, rhs] = op.operands.map((v) => this.#shaped(v)) as [Shaped, Shaped];
      const attrs = op.attrs as DotAttrs & { lhsRagged: readonly number[] };
      // Where the groups are what is added up, a result for each of them.
      const share = attrs.lhsContracting.includes(attrs.lhsRagged[0]!) ? 1 / (result.type.shape[0] ?? 1) : 1;
      this.#grouped.push({ operands: [lhs, rhs], result: this.#shaped(result), attrs, runs, share });
    }
    if (name === "stablehlo.dot_general") {
      const source = this.#product(op, operands, runs, entries);
      if (this.#joins(result)) this.#source.set(result, source);
      else this.#materialize(result, source, runs, entries);
      return;
    }
    if (name === "stablehlo.composite") {
      this.#kernel(op, operands, runs);
      for (const v of operands) this.#inRows(v);
    }
    if (!isFused(op)) {
      const source = { ...NOTHING, reads: operands.flatMap((v) => this.#reads(v)), parts: this.#parts(op, operands) };
      const written = name in UPDATES && this.#has.has(operands[0]!) ? ofFirst(op) : 1;
      for (const r of op.results) {
        this.#materialize(r, source, runs, entries, written);
        if (name === "stablehlo.composite") this.#inRows(r);
      }
      if (name === "stablehlo.scatter") {
        const scatter = { parts: this.#shaped(op.operands[2]!), result: this.#shaped(result), runs };
        this.#scatters.push(scatter);
        // What each device has, and the sum.
        entries.push({
          make: [this.#make({ value: scatter.result, reads: [], runs })],
          reads: this.#reads(result),
          inPlace: false,
        });
      }
      return;
    }
    // A product keeps its type: what it is widened to, its users compute.
    const from = operands[0];
    if (name === "stablehlo.convert" && from && bytesOf(result.type) > bytesOf(op.operands[0]!.type)) {
      const source = this.#source.get(from);
      if (source?.open) this.#materialize(from, source, runs, entries);
    }
    // One product can be joined to what follows it.
    const open = operands.filter((v) => this.#source.get(v)?.open);
    if (name === "stablehlo.add") for (const v of open.slice(1)) this.#source.get(v)!.product!.isTerm = true;
    for (const v of open.slice(1)) this.#materialize(v, this.#source.get(v)!, runs, entries);
    const source: Source = {
      reads: [...new Set(operands.flatMap((v) => this.#reads(v)))],
      parts: this.#parts(op, operands),
      expensive: EXPENSIVE.test(name) || operands.some((v) => !this.#has.has(v) && this.#source.get(v)?.expensive),
      open: open.length > 0,
      ...(open[0] && { product: this.#source.get(open[0])!.product! }),
    };
    const whole = source.reads.reduce((n, made) => n + sizeOf(made.value), 0);
    // Computed again for every pass only where that reads no more than its result.
    const shared = this.#passes(result).size > 1 && (source.expensive || whole > bytesOf(result.type));
    if (source.open ? !this.#joins(result) : shared) this.#materialize(result, source, runs, entries);
    else this.#source.set(result, source);
  }

  /** How much of a value in memory a value is computed from. */
  #partOf(v: Value, made: Made): number {
    return this.#has.has(v) ? 1 : (this.#source.get(v)?.parts?.get(made) ?? 1);
  }

  /** How much an operation reads of what its operands are computed from, where that is a part. */
  #parts(op: Op, operands: readonly Value[]): Parts {
    const read = new Map<Made, number>();
    operands.forEach((v, i) => {
      const taken = i === 0 ? Math.min(1, ofFirst(op)) : 1;
      for (const made of this.#reads(v)) {
        const part = this.#partOf(v, made) * taken;
        read.set(made, Math.min(1, (read.get(made) ?? 0) + part));
      }
    });
    return new Map([...read].filter(([, part]) => part < 1));
  }

  /** What goes from device to device for an operation itself. */
  #exchange(op: Op, runs: number): void {
    const share = COLLECTIVES[op.def.name];
    if (share !== undefined) {
      const { groups, pairs } = op.attrs as Partial<Record<"groups" | "pairs", readonly (readonly number[])[]>>;
      const value = this.#shaped(op.def.name === "stablehlo.all_gather" ? op.results[0]! : op.operands[0]!);
      const axes = axesOfGroups(groups ?? pairs ?? [], this.program.mesh?.axes ?? []);
      this.#exchanges.push({ value, axes, share, runs });
    } else if (op.def.name === "stablehlo.concatenate") {
      // Along a dimension that is split, what is put in another order.
      const axes = (op.attrs as { dimension: number }).dimension;
      this.#exchanges.push({ value: this.#shaped(op.results[0]!), axes, share: "all", runs });
    } else if (op.def.name === "stablehlo.reduce") {
      // Along dimensions that are split, each device has its part of the sum.
      const [value, of] = [this.#shaped(op.results[0]!), this.#shaped(op.operands[0]!)];
      for (const axes of (op.attrs as { dims: readonly number[] }).dims) {
        this.#exchanges.push({ value, axes, of, share: "twice the rest", runs });
      }
    }
  }

  /** What a kernel computes is that of its decomposition; what that would keep in memory, a kernel does not. */
  #kernel(op: Op, operands: readonly Value[], runs: number): void {
    const region = op.regions[0]!;
    const manual = this.#manual.get(op.results[0]!) ?? [];
    region.args.forEach((arg, i) => {
      this.#axes.pass(op.operands[i]!, arg);
      if (manual.length > 0) this.#manual.set(arg, manual);
    });
    const steps = this.#flatten(region.ops, new Map(region.args.map((arg, i) => [arg, operands[i]!])), manual);
    this.#countUses(steps);
    const before = this.#made.length;
    this.#entries(steps, runs);
    this.#made.length = before;
  }

  #inRows(v: Value): void {
    const last = v.axes?.at(-1);
    for (const made of this.#reads(v)) if (made.value.axes.at(-1) === last) this.#rowMajor.add(made);
  }

  /** Whether a product's result is used in one pass over it alone. A loop's result is computed where it stands, so that what it reads is free then. */
  #joins(v: Value): boolean {
    const uses = this.#uses.get(v) ?? [];
    if (this.#results.has(v)) return false;
    return uses.length === 0 || (uses.length === 1 && FUSED.has(uses[0]!.op.def.name) && sameSize(v, uses[0]!.op));
  }

  #materialize(v: Value, source: Source, runs: number, entries: Entry[], written = 1): void {
    const { reads, parts } = source;
    const made = this.#make({ value: this.#shaped(v), reads, parts, written, runs });
    const transient = source.product && this.#make({ ...this.#part(source.product, 2, runs), reads: [] });
    entries.push({ make: transient ? [made, transient] : [made], reads: source.reads, inPlace: !source.open });
    this.#has.set(v, made);
  }

  #part(product: Product, part: 0 | 1 | 2, runs: number): Omit<Made, "reads"> {
    const value = part === 2 ? product.result : product.operands[part];
    return { value, from: value, of: { product, part }, runs };
  }

  #product(op: Op, operands: readonly Value[], runs: number, entries: Entry[]): Source {
    const [lhs, rhs] = op.operands.map((v) => this.#shaped(v)) as [Shaped, Shaped];
    const product: Product = { operands: [lhs, rhs], result: this.#shaped(op.results[0]!), attrs: op.attrs, runs };
    this.#products.push(product);
    const reads = operands.flatMap((v, i) => {
      let made = this.#gathered.get(v);
      if (made === undefined) {
        const own = this.#reads(v);
        made = this.#make({ ...this.#part(product, i as 0 | 1, runs), reads: own, origin: this.#has.get(v) });
        entries.push({ make: [made], reads: own, inPlace: false });
        this.#gathered.set(v, made);
      }
      return [made, ...this.#reads(v)];
    });
    return { reads: [...new Set(reads)], parts: this.#parts(op, operands), expensive: true, open: true, product };
  }

  /**
   * A stack of which every step converts its element: XLA converts the whole of it once, before the loop, and what is of another loop
   * too is shared.
   */
  #hoisted(arg: Value, stack: Value, runs: number, entries: Entry[]): readonly Made[] {
    const uses = this.#uses.get(arg) ?? [];
    const reads = this.#reads(stack);
    const to = uses[0]?.op.results[0];
    if (to === undefined) return reads;
    const converted = uses.every(
      ({ op }) => op.def.name === "stablehlo.convert" && op.results[0]!.type.dtype === to.type.dtype,
    );
    if (!converted || bytesOf(to.type) >= bytesOf(arg.type)) return reads;
    let made = this.#converted.get(stack);
    if (made === undefined) {
      made = this.#make({ value: { ...this.#shaped(stack), dtype: to.type.dtype }, reads, runs });
      entries.push({ make: [made], reads, inPlace: false });
      this.#converted.set(stack, made);
    }
    return [made];
  }

  #loop({ op, operands }: Step, loop: Loop, runs: number, entries: Entry[]): void {
    const { region, carries, length, results } = loop;
    const inside = runs * length;
    // Each carry and each stack is one piece of memory from before the first step to after the last.
    const shared = new Set<Made>();
    const buffers = op.results.map((r, i) => {
      const begin = i < carries ? operands[i]! : undefined;
      const held = begin && this.#has.get(begin);
      // A loop that goes on with what the one around it carries goes on in its memory, one that begins with what is donated in that.
      if (held && (this.#donated.has(held) || (this.#carried.has(held) && this.#uses.get(begin)?.length === 1))) {
        shared.add(held);
        return held;
      }
      const value = this.#shaped(i < carries ? region.args[i]! : r);
      const toHost = (results[i]?.op?.attrs as { memory?: Memory } | null)?.memory === "pinned_host";
      const made = this.#make({ value, reads: [], runs: 0, host: toHost });
      if (i < carries) this.#carried.add(made);
      return made;
    });
    region.args.forEach((arg, i) => {
      if (i < carries) this.#has.set(arg, buffers[i]!);
      else {
        const reads = this.#hoisted(arg, operands[i]!, runs, entries);
        const parts = new Map(reads.map((made) => [made, this.#partOf(operands[i]!, made) / length]));
        this.#source.set(arg, { ...NOTHING, reads, parts });
      }
    });
    const inner = this.#entries(loop.steps, inside);
    results.forEach((v, i) => {
      // A product cannot write over what it reads.
      const carried = i < carries ? buffers[i] : undefined;
      const source = this.#source.get(v);
      const inUse = source?.reads.some((made) => made.of && carried && made.reads.includes(carried));
      if (inUse && !this.#has.has(v)) this.#materialize(v, source!, inside, inner);
      const reads = this.#reads(v);
      this.#write(v, reads, inside);
      inner.push({ make: [], reads, inPlace: true });
    });
    const begun = buffers.slice(0, carries).filter((made) => !shared.has(made));
    entries.push({ make: begun, reads: operands.flatMap((v) => this.#reads(v)), inPlace: true });
    entries.push({
      make: buffers.slice(carries),
      reads: operands.slice(carries).flatMap((v) => this.#reads(v)),
      inPlace: false,
      inner,
    });
    op.results.forEach((r, i) => this.#has.set(r, buffers[i]!));
  }
}

const NOTHING: Source = { reads: [], expensive: false, open: false };

const sizeOf = ({ shape, dtype }: Shaped): number => bytesOf({ shape, dtype });
const sameSize = (v: Value, op: Op): boolean => elements(v.type) === elements(op.results[0]!.type);

/** Turns entries to events: a value is freed after the last entry of its own list that reads it, those inside loops included. */
function order(entries: readonly Entry[], events: Event[]): void {
  const own = new Set(entries.flatMap((entry) => entry.make));
  const last = new Map<Made, number>();
  const note = (entry: Entry, at: number) => {
    for (const made of [...entry.make, ...entry.reads]) if (own.has(made)) last.set(made, at);
    entry.inner?.forEach((inner) => note(inner, at));
  };
  entries.forEach(note);
  const freed = new Map<number, Made[]>();
  for (const [made, at] of last) freed.set(at, [...(freed.get(at) ?? []), made]);
  entries.forEach((entry, at) => {
    const ends = freed.get(at) ?? [];
    // A pass over its operands may write its result over one of them.
    const early = entry.inPlace ? ends.filter((made) => !entry.make.includes(made)) : [];
    for (const made of early) events.push({ made, freed: true });
    for (const made of entry.make) events.push({ made, freed: false });
    if (entry.inner) order(entry.inner, events);
    for (const made of ends) if (!early.includes(made)) events.push({ made, freed: true });
  });
}
