/** What a program takes on a mesh, reckoned: memory, operations, memory traffic, communication, the time they take at least. */
import { type Layout, localShape, type Mesh, meshSize, type Spec } from "../mesh.js";
import { type Chip, peak } from "./chips.js";
import type { Made, Product, Shaped, Timeline } from "./timeline.js";
import { bytesOf } from "./verdict.js";

/** Bytes of a device's memory. */
export interface MemoryEstimate {
  readonly parameters: number;
  readonly optimizer: number;
  /** Batches, caches and other arguments. */
  readonly rest: number;
  /** What is alive beside the arguments when that is most. */
  readonly gradients: number;
  readonly activations: number;
  readonly code: number;
  readonly total: number;
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
  /** Seconds at least; `step` is the longest of the three. */
  readonly compute: number;
  readonly traffic: number;
  readonly network: number;
  readonly step: number;
  readonly bound: "compute" | "memory" | "network";
}

/** The program of a train step as XLA:TPU writes it: 17 to 49 MB in all of test/plan/calibration.json. */
const CODE = 40e6;

/** Judges a program on a mesh. @throws XenarcError where a size does not divide (see {@link Layout.spec}). */
export function estimate(timeline: Timeline, layout: Layout, chip: Chip): Estimate {
  return new Evaluation(timeline, layout, chip).estimate();
}

/** A value that is alive when most memory is taken. */
export interface Alive {
  readonly value: Shaped;
  /** On one device. */
  readonly bytes: number;
}

/** What is alive beside the arguments when that is most, the largest first. */
export function aliveAtPeak(timeline: Timeline, layout: Layout, chip: Chip): Alive[] {
  return new Evaluation(timeline, layout, chip).alive();
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
    const { events, made, products, scatters } = this.timeline;
    let live = 0;
    let most = 0;
    let gradients = 0;
    let gradientsAtMost = 0;
    for (const { made: m, freed } of events) {
      const size = this.#size(m);
      live += freed ? -size : size;
      if (m.value.kind === "parameters" && m.value.dtype === "f32" && !m.from) gradients += freed ? -size : size;
      if (live > most) {
        most = live;
        gradientsAtMost = gradients;
      }
    }
    for (const m of made) if (m.from && !(m.of?.part === 2)) this.#exchanged(m);
    let flops = 0;
    for (const product of products) {
      flops += this.#flops(product);
      if (!product.isTerm) this.#added(product);
    }
    for (const { parts, result, runs } of scatters) {
      const out = this.#spec(result);
      const split = this.#spec(parts).flatMap((over) => over ?? []);
      const summed = split.filter((m) => !out.some((over) => over?.includes(m)));
      this.#send(summed, this.#bytes(result, out) * runs, 2);
    }
    const bytes = made.reduce((n, m) => {
      if (m.from) return n;
      return (
        n +
        m.runs *
          (this.#size(m) + m.reads.reduce((sum, read) => sum + Math.min(this.#size(read), this.#touched(read, m)), 0))
      );
    }, 0);
    const memory = this.#memory(most, gradientsAtMost);
    const { interconnect, network: dcn } = this.chip;
    const total = [...this.#sent.values()].reduce((a, b) => a + b, 0);
    const rate = interconnect.link * (interconnect.dimensions === 0 ? 1 : 2);
    const inside = ((total - this.#across) * this.chip.devices) / rate;
    const times = {
      compute: flops / peak(this.chip, "bf16"),
      memory: bytes / this.chip.hbmBandwidth,
      network: Math.max(inside, this.#across === 0 ? 0 : (this.#across * this.chip.devices) / (dcn ?? rate)),
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
      step: times[bound],
      bound,
    };
  }

  alive(): Alive[] {
    let live = 0;
    let most = 0;
    let end = 0;
    const { events } = this.timeline;
    events.forEach(({ made, freed }, i) => {
      live += freed ? -this.#size(made) : this.#size(made);
      if (live > most) [most, end] = [live, i + 1];
    });
    const alive = new Set<Made>();
    for (const { made, freed } of events.slice(0, end)) freed ? alive.delete(made) : alive.add(made);
    const buffers = [...alive].map((made) => ({ value: made.value, bytes: this.#size(made) }));
    return buffers.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  }

  #memory(temporaries: number, gradients: number): MemoryEstimate {
    const sums = { parameters: 0, optimizer: 0, rest: 0 };
    for (const { name, role, axes, shape, dtype } of this.timeline.program.inputs) {
      const kind = role !== "state" ? "activations" : name.startsWith("optimizer/") ? "optimizer" : "parameters";
      const to = role === "state" && (name.startsWith("params/") ? "parameters" : kind === "optimizer" ? kind : "rest");
      sums[to || "rest"] += this.#bytes({ axes, shape, dtype, kind }, this.#spec({ axes, shape, dtype, kind }));
    }
    const total = sums.parameters + sums.optimizer + sums.rest + temporaries + CODE;
    return { ...sums, gradients, activations: temporaries - gradients, code: CODE, total };
  }

  #spec(v: Shaped): Spec {
    const key = `${v.kind} ${v.axes.join()} ${v.shape.join()}`;
    let spec = this.#specs.get(key);
    if (spec === undefined) {
      const name = `The tensor (${v.axes.join(", ")})`;
      spec = this.layout.spec(v.kind, { name, axes: v.axes, shape: v.shape }).map((over) => over ?? []);
      this.#specs.set(key, spec);
    }
    return spec;
  }

  #bytes({ shape, dtype }: Shaped, spec: Spec): number {
    const local = localShape(this.mesh, spec, shape);
    return padded(local, bytesOf(dtype), this.chip) * bytesOf(dtype);
  }

  /** How a value lies on the mesh. */
  #lies({ value, of, from }: Made): Spec {
    if (!of || !from) return this.#spec(value);
    return of.part === 2 ? this.#partial(of.product) : this.#needed(of.product, of.part);
  }

  #size(m: Made): number {
    let size = this.#sizes.get(m);
    if (size === undefined) {
      const spec = this.#lies(m);
      size = m.from && same(spec, this.#spec(m.from)) ? 0 : this.#bytes(m.value, spec);
      this.#sizes.set(m, size);
    }
    return size;
  }

  /** An operation that loops over a stack reads one element of it at a time. */
  #touched(read: Made, by: Made): number {
    return read.runs < by.runs && read.value.shape.length > by.value.shape.length
      ? this.#size(read) / (read.value.shape[0] ?? 1)
      : this.#size(read);
  }

  /**
   * An operand as a product needs it. A free dimension stays split where the result's is; a contracted or batch one where the other
   * operand's is; what splits weights otherwise splits their storage alone.
   */
  #needed({ operands, result, attrs }: Product, side: 0 | 1): Spec {
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
      const along = joined >= 0 ? other[theirs[joined]!] : out[before + free.indexOf(d)];
      return (over ?? []).filter((m) => along?.includes(m));
    });
  }

  /** The result before devices have added up: not split over the axes along which the operands' contracted dimensions are. */
  #partial(product: Product): Spec {
    const summed = this.#summed(product);
    return this.#spec(product.result).map((over) => (over ?? []).filter((m) => !summed.includes(m)));
  }

  /** Mesh axes over which the parts of a product's result are added up. */
  #summed({ operands, attrs }: Product): string[] {
    const [l, r] = operands.map((v) => this.#spec(v));
    return attrs.lhsContracting.flatMap((d, i) =>
      (l![d] ?? []).filter((m) => r![attrs.rhsContracting[i]!]?.includes(m)),
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

  /** Counts what a value costs that is gathered: each device sends its part once around the ring. */
  #exchanged(m: Made): void {
    const from = this.#spec(m.from!);
    const to = this.#lies(m);
    const gathered = from.flatMap((over) => over ?? []).filter((axis) => !to.some((over) => over?.includes(axis)));
    if (gathered.length > 0) this.#send(gathered, this.#bytes(m.value, to) * m.runs, 1);
  }

  #added(product: Product): void {
    const summed = this.#summed(product);
    if (summed.length === 0) return;
    const out = this.#spec(product.result);
    const scattered = summed.filter((m) => out.some((over) => over?.includes(m)));
    const whole = this.#bytes(product.result, this.#partial(product)) * product.runs;
    this.#send(scattered, whole, 1);
    const parts = scattered.reduce((n, m) => n * meshSize(this.mesh, m), 1);
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

const same = (a: Spec, b: Spec): boolean =>
  a.length === b.length && a.every((over, d) => (over ?? []).join() === (b[d] ?? []).join());

/**
 * Elements as TPUs hold them, in tiles of 8 x 128 words of four bytes (openxla.org/xla/tiled_layout): XLA chooses which two dimensions
 * lie innermost, here those that are padded least.
 */
export function padded(shape: readonly number[], bytes: number, chip: Chip): number {
  const all = shape.reduce((a, b) => a * b, 1);
  if (chip.platform !== "tpu" || shape.length === 0) return all;
  const up = (n: number, to: number) => (Math.ceil(n / to) * to) / n;
  const rows = 8 * Math.max(1, 4 / bytes);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < shape.length; i++) {
    const lanes = up(shape[i]!, 128);
    if (shape.length === 1) least = lanes;
    for (let j = 0; j < shape.length; j++)
      if (i !== j) least = Math.min(least, lanes * up(shape[j]!, Math.min(rows, 8)));
  }
  return all * least;
}
