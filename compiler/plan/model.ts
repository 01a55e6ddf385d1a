/** What a program takes on a mesh, reckoned: memory, operations, memory traffic, communication, the time they take at least. */
import type { DType, Value } from "../ir.js";
import { type Kind, type Layout, localShape, type Mesh, meshSize, type Spec } from "../mesh.js";
import { countedAs, type Port } from "../program.js";
import { type Chip, peak } from "./chips.js";
import type { Event, Grouped, Made, Product, Shaped, Timeline } from "./timeline.js";
import { bytesOf } from "./verdict.js";

/** Bytes of a device's memory. */
export interface MemoryEstimate {
  readonly parameters: number;
  /** What training keeps of the parameters: the optimizer's state, averages. */
  readonly optimizer: number;
  /** Batches, caches and other arguments. */
  readonly rest: number;
  /** What is alive beside the arguments when that is most. */
  readonly gradients: number;
  readonly activations: number;
  readonly code: number;
  readonly total: number;
  /** In the host's memory beside. */
  readonly host: number;
}

/** A program on a mesh, per device and run. */
export interface Estimate {
  readonly memory: MemoryEstimate;
  readonly flops: number;
  readonly bytes: number;
  /** Bytes sent, by mesh axis. */
  readonly sent: Readonly<Record<string, number>>;
  /** Of these, between slices. */
  readonly across: number;
  /** Seconds at least; `step` is the longest of the four. */
  readonly compute: number;
  readonly traffic: number;
  readonly network: number;
  /** To the host's memory and back. */
  readonly host: number;
  readonly step: number;
  readonly bound: "compute" | "memory" | "network" | "host";
}

/** A program as XLA:TPU writes it: 13 to 53 MB for those of docs/planning.md, 90 MB on two slices. */
const CODE = 40e6;

/** Judges a program on a mesh. @throws XenarcError where a size does not divide (see {@link Layout.spec}). */
export function estimate(timeline: Timeline, layout: Layout, chip: Chip): Estimate {
  return new Evaluation(timeline, layout, chip).estimate();
}

/** Bytes of a device for a program's state, on a mesh that it need not be traced for. */
export function stateBytes(timeline: Timeline, layout: Layout, chip: Chip): number {
  return new Evaluation(timeline, layout, chip).state();
}

/** What is in a device's memory when that is most. */
export interface Buffer {
  /** An input's name, or the module path and the operation that made it. */
  readonly name: string;
  readonly dtype: DType;
  readonly axes: readonly string[];
  /** Of the whole value. */
  readonly shape: readonly number[];
  /** On one device. */
  readonly bytes: number;
}

/** What is in a device's memory when that is most, the largest first. */
export function buffersAtPeak(timeline: Timeline, layout: Layout, chip: Chip): Buffer[] {
  return new Evaluation(timeline, layout, chip).buffers();
}

/** What hands on its operands. */
const PASSING = new Set(["sdy.sharding_constraint", "xenarc.identity", "stablehlo.optimization_barrier"]);

/** The module path and the operation that a value comes from; of what a loop stacks or carries, those inside of it. */
function originOf(v: Value): string {
  const { op } = v;
  if (op === undefined) return v.label ?? "";
  if (PASSING.has(op.def.name)) return originOf(op.operands[op.results.indexOf(v)]!);
  const inside = op.def.structured && op.regions.at(-1)?.results[op.results.indexOf(v)];
  if (inside) return originOf(inside);
  const name = op.def.name.slice(op.def.name.indexOf(".") + 1);
  return [...(op.site?.backward ? ["derivative of"] : []), [op.site?.scope, name].filter(Boolean).join("/")].join(" ");
}

class Evaluation {
  readonly #specs = new Map<string, Spec>();
  readonly #sizes = new Map<Made, number>();
  readonly #sent = new Map<string, number>();
  #across = 0;
  readonly mesh: Mesh;

  constructor(
    readonly timeline: Timeline,
    readonly layout: Layout,
    readonly chip: Chip,
  ) {
    this.mesh = layout.mesh;
  }

  estimate(): Estimate {
    const { made, products, grouped, scatters, exchanges, transfers } = this.timeline;
    const { most, alive } = this.#fullest();
    const gradients = alive.reduce((n, m) => n + (isGradient(m) ? this.#size(m) : 0), 0);
    for (const m of made) if (m.from && !(m.of?.part === 2)) this.#exchanged(m);
    let flops = 0;
    for (const product of products) {
      flops += this.#flops(product);
      if (!product.isTerm) this.#added(product);
    }
    for (const product of grouped) flops += this.#groupedFlops(product);
    for (const { parts, result, runs } of scatters) {
      const out = this.#spec(result);
      const split = this.#spec(parts).flatMap((over) => over ?? []);
      const summed = split.filter((m) => !out.some((over) => over?.includes(m)));
      this.#send(summed, this.#bytes(result, out) * runs, 2);
    }
    for (const { value, axes, of = value, share, runs } of exchanges) {
      const spec = this.#spec(value);
      const over = typeof axes === "number" ? (this.#spec(of)[axes] ?? []) : axes;
      const group = over.reduce((n, m) => n * meshSize(this.mesh, m), 1);
      const bytes = this.#bytes(value, spec) * runs;
      if (share === "all") this.#send(over, (bytes * group) / Math.max(1, group - 1), 1);
      else this.#send(over, bytes, share === "rest" ? 1 : 2);
    }
    const bytes = made.reduce((n, m) => {
      if (m.from) return n;
      return (
        n +
        m.runs * (this.#whole(m) * (m.written ?? 1) + m.reads.reduce((sum, read) => sum + this.#touched(read, m), 0))
      );
    }, 0);
    const memory = this.#memory(most, gradients);
    const moved = transfers.reduce((n, { value, runs }) => n + this.#bytes(value, this.#spec(value)) * runs, 0);
    const { interconnect, network: dcn } = this.chip;
    const total = [...this.#sent.values()].reduce((a, b) => a + b, 0);
    const rate = interconnect.link * (interconnect.dimensions === 0 ? 1 : 2);
    const inside = ((total - this.#across) * this.chip.devices) / rate;
    const times = {
      compute: flops / peak(this.chip, "bf16"),
      memory: bytes / this.chip.hbmBandwidth,
      network: Math.max(inside, this.#across === 0 ? 0 : (this.#across * this.chip.devices) / (dcn ?? rate)),
      host: (moved * this.chip.devices) / this.chip.hostLink,
    };
    const bound = (Object.keys(times) as (keyof typeof times)[]).reduce((a, b) => (times[b] > times[a] ? b : a));
    return {
      memory,
      flops,
      bytes,
      sent: Object.fromEntries(this.#sent),
      across: this.#across,
      compute: times.compute,
      traffic: times.memory,
      network: times.network,
      host: times.host,
      step: times[bound],
      bound,
    };
  }

  buffers(): Buffer[] {
    const made = this.#fullest().alive.map((m): Buffer => {
      const { axes, shape, dtype, of } = m.value;
      return { name: of ? originOf(of) : "", dtype, axes, shape, bytes: this.#size(m) };
    });
    const inputs = this.#inputs().map(({ port, bytes }): Buffer => {
      const { name, dtype, axes, shape, memory } = port;
      return { name, dtype, axes, shape, bytes: memory ? 0 : bytes };
    });
    return [...inputs, ...made].filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  }

  state(): number {
    const own = this.#inputs().filter(({ port }) => port.role === "state" && !port.memory);
    return own.reduce((n, { bytes }) => n + bytes, 0);
  }

  /** When most memory is taken beside the arguments, how much, and by what. */
  #fullest(): { most: number; alive: Made[] } {
    const users = new Map<Made, number>();
    let live = 0;
    let most = 0;
    let end = 0;
    const { events } = this.timeline;
    const step = ({ made, freed }: Event) => {
      const held = this.#held(made);
      const before = users.get(held) ?? 0;
      const after = before + (freed ? -1 : 1);
      users.set(held, after);
      if (before === 0 || after === 0) live += (after - before) * this.#size(held);
    };
    events.forEach((event, i) => {
      step(event);
      if (live > most) [most, end] = [live, i + 1];
    });
    users.clear();
    events.slice(0, end).forEach(step);
    return { most, alive: [...users].filter(([, n]) => n > 0).map(([made]) => made) };
  }

  /** The value whose memory a value has: its own, or that of the one it was exchanged from, where both lie the same. */
  #held(m: Made): Made {
    return m.origin && m.from && same(this.#lies(m), this.#spec(m.from)) ? this.#held(m.origin) : m;
  }

  /** What a program is given, and what of it lies on one device. */
  #inputs(): { port: Port; kind: Kind; bytes: number }[] {
    return this.timeline.program.inputs.map((port) => {
      const { name, role, axes, shape, dtype } = port;
      const kind = role !== "state" ? "activations" : name.startsWith("optimizer/") ? "optimizer" : "parameters";
      const spec = this.layout.spec(kind, { name, axes, shape }).map((over) => over ?? []);
      return { port, kind, bytes: this.#bytes({ axes, shape, dtype, kind }, spec) };
    });
  }

  #memory(temporaries: number, gradients: number): MemoryEstimate {
    const sums = { parameters: 0, optimizer: 0, rest: 0, host: 0 };
    for (const { port, bytes } of this.#inputs()) {
      sums[port.memory ? "host" : countedAs(port, this.timeline.program)] += bytes;
    }
    const total = sums.parameters + sums.optimizer + sums.rest + temporaries + CODE;
    return { ...sums, gradients, activations: temporaries - gradients, code: CODE, total };
  }

  /** Dimensions by their own rules first, then those that follow others; a mesh axis splits one dimension, evenly. */
  #spec({ kind, axes, shape, follows, manual }: Shaped): Spec {
    const key = `${kind} ${axes.join()} ${shape.join()} ${follows?.join()} ${manual?.join()}`;
    const known = this.#specs.get(key);
    if (known !== undefined) return known;
    const replicas = this.#replicas(axes, shape);
    const layout = this.#layoutOf(axes, manual, replicas);
    const spec = axes.map((): readonly string[] => []);
    for (const following of [false, true]) {
      axes.forEach((axis, d) => {
        if ((follows?.[d] ?? false) !== following) return;
        const rule = axis === "replica" ? replicas : layout.over(kind, axis);
        const over = rule.filter((m) => !spec.some((others) => others.includes(m)));
        if (shape[d]! > 1 && shape[d]! % over.reduce((n, m) => n * meshSize(this.mesh, m), 1) === 0) spec[d] = over;
      });
    }
    this.#inSequence(kind, layout, axes, shape, spec);
    this.#specs.set(key, spec);
    return spec;
  }

  /** The mesh axes along which each part of the batch has stages of its own: as many as there are copies of a stage (`ops/pipeline.ts`). */
  #replicas(axes: readonly string[], shape: readonly number[]): readonly string[] {
    const [stage, replica] = [axes.indexOf("stage"), axes.indexOf("replica")];
    let copies = replica >= 0 ? shape[replica]! : stage >= 0 ? shape[stage]! / meshSize(this.mesh, "stage") : 1;
    return this.layout.over("activations", "batch").filter((m) => {
      const own = copies > 1;
      copies /= meshSize(this.mesh, m);
      return own;
    });
  }

  /** The layout that holds where a value is: within code of one device, within stages. */
  #layoutOf(axes: readonly string[], manual: Shaped["manual"], replicas: readonly string[]): Layout {
    const layout = manual ? this.layout.within(manual) : this.layout;
    if (!axes.includes("stage")) return layout;
    const layers = axes.find((axis) => axis !== "stage" && layout.over("parameters", axis).includes("stage"));
    return layout.inStages(layers ?? "stage", axes.includes("replica") ? [] : replicas);
  }

  /** Sequence parallelism: see {@link Layout}. */
  #inSequence(
    kind: Kind,
    layout: Layout,
    axes: readonly string[],
    shape: readonly number[],
    spec: (readonly string[])[],
  ): void {
    const seq = axes.indexOf("seq");
    const taken = layout.manual.includes("tensor") || spec.some((over) => over.includes("tensor"));
    if (!layout.sequence || kind !== "activations" || seq < 0 || taken || meshSize(this.mesh, "tensor") === 1) return;
    const over = [...spec[seq]!, "tensor"];
    if (shape[seq]! % over.reduce((n, m) => n * meshSize(this.mesh, m), 1) === 0) spec[seq] = over;
  }

  #bytes({ shape, dtype }: Shaped, spec: Spec, rowMajor = false): number {
    const local = localShape(this.mesh, spec, shape);
    return padded(local, bytesOf(dtype), this.chip, rowMajor) * bytesOf(dtype);
  }

  /** How a value lies on the mesh. */
  #lies({ value, of, from }: Made): Spec {
    if (!of || !from) return this.#spec(value);
    return of.part === 2 ? this.#partial(of.product) : this.#needed(of.product, of.part);
  }

  /** What it takes of the device's memory beside the arguments. */
  #size(m: Made): number {
    let size = this.#sizes.get(m);
    if (size === undefined) {
      const spec = this.#lies(m);
      const nothing = m.argument || m.host || (m.from && !m.origin && same(spec, this.#spec(m.from)));
      size = nothing ? 0 : this.#bytes(m.value, spec, this.timeline.rowMajor.has(m));
      this.#sizes.set(m, size);
    }
    return size;
  }

  /** Bytes of a value that an operation writes, or reads whole. */
  #whole(m: Made): number {
    return this.#bytes(m.value, this.#lies(m));
  }

  /** Bytes that it takes to compute a value from another: of a stack that a loop goes along, and of what is sliced, a part. */
  #touched(read: Made, by: Made): number {
    if (read.host || (read.from && same(this.#lies(read), this.#spec(read.from)))) return 0;
    return this.#whole(read) * (by.parts?.get(read) ?? 1);
  }

  /**
   * An operand as a product needs it. A free dimension stays split where the result's is; a contracted or batch one where the other
   * operand's is; what splits weights otherwise splits their storage alone.
   */
  #needed(product: Product, side: 0 | 1): Spec {
    const { operands, result, attrs } = product;
    const summed = this.#summed(product);
    const own = operands[side];
    const other = this.#spec(operands[1 - side]!);
    const out = this.#spec(result);
    const [lhs, rhs] = [
      [...attrs.lhsBatch, ...attrs.lhsContracting],
      [...attrs.rhsBatch, ...attrs.rhsContracting],
    ];
    const [mine, theirs] = side === 0 ? [lhs, rhs] : [rhs, lhs];
    // The result's dimensions: batch, the left operand's free ones, the right one's.
    const before = attrs.lhsBatch.length + (side === 0 ? 0 : operands[0].shape.length - lhs.length);
    const free = own.shape.map((_, d) => d).filter((d) => !mine.includes(d));
    return this.#spec(own).map((over, d) => {
      const joined = mine.indexOf(d);
      const contracted = joined >= attrs.lhsBatch.length;
      const along = contracted ? summed : joined >= 0 ? other[theirs[joined]!] : out[before + free.indexOf(d)];
      return (over ?? []).filter((m) => along?.includes(m));
    });
  }

  /** The result before devices have added up: not split over the axes along which the operands' contracted dimensions are. */
  #partial(product: Product): Spec {
    const summed = this.#summed(product);
    return this.#spec(product.result).map((over) => (over ?? []).filter((m) => !summed.includes(m)));
  }

  /**
   * Mesh axes over which the parts of a product's result are added up. An axis that splits a contracted dimension and one of the result
   * stays with the larger tensor, as Shardy resolves it.
   */
  #summed({ operands, result, attrs }: Product): string[] {
    const [l, r] = operands.map((v) => this.#spec(v));
    const out = this.#spec(result).flatMap((over) => over ?? []);
    const elements = ({ shape }: Shaped) => shape.reduce((a, b) => a * b, 1);
    const larger = operands.every((v) => elements(v) < elements(result));
    return attrs.lhsContracting.flatMap((d, i) =>
      (l![d] ?? []).filter((m) => r![attrs.rhsContracting[i]!]?.includes(m) && !(larger && out.includes(m))),
    );
  }

  #flops(product: Product): number {
    const { operands, result, attrs, runs } = product;
    const [l, r] = [0, 1].map((side) => this.#needed(product, side as 0 | 1));
    const parts = new Set([...l!, ...r!].flatMap((over) => over ?? []));
    const contracted = attrs.lhsContracting.reduce((n, d) => n * operands[0].shape[d]!, 1);
    const all = result.shape.reduce((a, b) => a * b, 1) * contracted * 2 * runs;
    return all / [...parts].reduce((n, m) => n * meshSize(this.mesh, m), 1);
  }

  /** Each device computes on its own rows, or for its part of the result. */
  #groupedFlops({ operands, result, attrs, runs, share }: Grouped): number {
    const parts = new Set([operands[0], result].flatMap((v) => this.#spec(v).flatMap((over) => over ?? [])));
    const contracted = attrs.lhsContracting.reduce((n, d) => n * operands[0].shape[d]!, 1);
    const all = result.shape.reduce((a, b) => a * b, 1) * contracted * 2 * runs * share;
    return all / [...parts].reduce((n, m) => n * meshSize(this.mesh, m), 1);
  }

  /**
   * Counts what a value costs that is to lie otherwise: what is gathered, each device sends around the ring once; what another dimension is
   * to be split over, each device sends but for its own part.
   */
  #exchanged(m: Made): void {
    const from = this.#spec(m.from!);
    const to = this.#lies(m);
    const bytes = this.#bytes(m.value, to) * m.runs;
    const before = from.flatMap((over) => over ?? []);
    this.#send(
      before.filter((axis) => !to.some((over) => over?.includes(axis))),
      bytes,
      1,
    );
    this.#send(
      before.filter((axis) => to.some((over, d) => over?.includes(axis) && !from[d]?.includes(axis))),
      bytes,
      1,
    );
  }

  #added(product: Product): void {
    const summed = this.#summed(product);
    if (summed.length === 0) return;
    const out = this.#spec(product.result);
    const scattered = summed.filter((m) => out.some((over) => over?.includes(m)));
    const whole = this.#bytes(product.result, this.#partial(product)) * product.runs;
    const parts = scattered.reduce((n, m) => n * meshSize(this.mesh, m), 1);
    this.#send(scattered, whole, this.chip.platform === "tpu" && parts >= WIDE ? 2 : 1);
    this.#send(
      summed.filter((m) => !scattered.includes(m)),
      whole / parts,
      2,
    );
  }

  #send(axes: readonly string[], bytes: number, times: 1 | 2): void {
    const group = axes.reduce((n, m) => n * meshSize(this.mesh, m), 1);
    if (group === 1) return;
    const key = axes.join("+");
    this.#sent.set(key, (this.#sent.get(key) ?? 0) + (times * bytes * (group - 1)) / group);
    const slices = axes.reduce((n, m) => n * (this.mesh.axes.find((a) => a.name === m)?.slices ?? 1), 1);
    // Inside a slice first: what goes between slices is one device's part.
    if (slices > 1) this.#across += (times * (bytes / (group / slices)) * (slices - 1)) / slices;
  }
}

/**
 * Devices from which on libtpu sums whole gradients everywhere and has each take its part (an all-reduce, twice the bytes), where it
 * reduce-scatters over fewer: so found on v4, v5e, v5p and v6e, of JAX's own `psum_scatter` too.
 */
const WIDE = 16;

/** Of parameters' axes, in float32 or what a loop gives, and not a parameter as a product needs it. */
const isGradient = ({ value, of, runs }: Made): boolean =>
  value.kind !== "activations" && (value.dtype === "f32" || runs === 0) && !of;

const same = (a: Spec, b: Spec): boolean =>
  a.length === b.length && a.every((over, d) => (over ?? []).join() === (b[d] ?? []).join());

/**
 * Elements as TPUs hold them, in tiles of up to 8 x 128 words of four bytes (openxla.org/xla/tiled_layout): XLA chooses which two
 * dimensions lie innermost, here those that are padded least, unless it is to be the last ones.
 */
export function padded(shape: readonly number[], bytes: number, chip: Chip, rowMajor = false): number {
  const all = shape.reduce((a, b) => a * b, 1);
  if (chip.platform !== "tpu" || shape.length === 0) return all;
  const up = (n: number, to: number) => (Math.ceil(n / to) * to) / n;
  const rows = (n: number) => up(n, Math.min(8, Math.max(4 / bytes, 2 ** Math.ceil(Math.log2(n)))));
  const lanes = (n: number) => up(n, 128);
  const last = shape.length - 1;
  if (last === 0) return all * lanes(shape[0]!);
  if (rowMajor) return all * lanes(shape[last]!) * rows(shape[last - 1]!);
  let least = Number.POSITIVE_INFINITY;
  shape.forEach((minor, i) => {
    shape.forEach((next, j) => {
      if (i !== j) least = Math.min(least, lanes(minor) * rows(next));
    });
  });
  return all * least;
}
