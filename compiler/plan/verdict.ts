/** What the compiler made of a program for a target, in the figures that people decide by: memory, work, communication, time. */
import { localShape, type Mesh } from "../mesh.js";
import { scan, widened } from "../passes/scan.js";
import { changed, countedAs, type Port, type Program } from "../program.js";
import { peak } from "./chips.js";
import { type CollectiveRow, collectives, collectiveTable } from "./collectives.js";
import { type Buffer, type Cost, costliest, kernels, largestBuffers, totalCost } from "./costs.js";
import type { HloModule } from "./optimized_hlo.js";
import type { Target } from "./target.js";

/** Bytes of a program on one device as XLA accounts for them. */
export interface XlaMemory {
  readonly arguments: number;
  readonly outputs: number;
  readonly aliased: number;
  readonly temporaries: number;
  /** Of arguments, results and temporaries together, when that is most. */
  readonly peak: number;
  readonly code: number;
  readonly host_arguments: number;
  readonly host_temporaries: number;
}

/** Where a device's memory goes, in bytes. `total` is what the compiler needs at most at once. */
export interface MemoryUse {
  readonly parameters: number;
  /** What training keeps of the parameters: the optimizer's state, averages. */
  readonly optimizer: number;
  /** Other arguments and results: batches, caches, metrics. */
  readonly rest: number;
  /** Of a train step: of the parameters that it changes, in float32, or as narrow as loops give them. */
  readonly gradients: number;
  /** Activations and workspace: what there is beside arguments, results and gradients when memory is fullest. */
  readonly activations: number;
  readonly code: number;
  readonly host: number;
  readonly total: number;
  /** What a program can have; undefined for CPUs. */
  readonly available?: number;
}

/** The least time of a step, by what bounds it. Seconds. */
export interface Roofline {
  readonly compute: number;
  readonly memory: number;
  readonly network: number;
  /** The longest of the three. */
  readonly step: number;
  readonly bound: "compute" | "memory" | "network";
  readonly tokensPerSecond: number;
  /** Model FLOPs utilization if a step takes that long (Chowdhery et al. 2022, arXiv:2204.02311, appendix B); no recomputation counted. */
  readonly mfu: number;
}

/** A program on a target. */
export interface Verdict {
  readonly memory: MemoryUse;
  /** Of a step, per device: operations of matrix products, bytes to and from main memory, bytes sent. */
  readonly flops: number;
  readonly bytes: number;
  readonly sent: number;
  readonly collectives: readonly CollectiveRow[];
  readonly kernels: Readonly<Record<string, number>>;
  /** Absent for CPUs, which have no figures. */
  readonly roofline?: Roofline;
  readonly costliest: readonly Cost[];
  readonly largest: readonly Buffer[];
}

/** What the verdict cannot know from the program. */
export interface Work {
  /** Tokens of a step, on all devices. */
  readonly tokens: number;
  /** Operations that the model needs for a step on all devices, without recomputation. */
  readonly modelFlops: number;
}

/** Judges a program from what XLA compiled. */
export function verdictOf(program: Program, target: Target, hlo: HloModule, memory: XlaMemory, work: Work): Verdict {
  const { chip } = target;
  const { mesh } = program;
  const cost = totalCost(hlo, chip, mesh);
  const list = collectives(hlo, mesh);
  return {
    memory: memoryUse(program, target, memory),
    flops: cost.flops,
    bytes: cost.bytes,
    sent: cost.sent,
    collectives: collectiveTable(list),
    kernels: Object.fromEntries(kernels(hlo)),
    ...(chip && { roofline: roofline(target, cost, network(list, target), work) }),
    costliest: costliest(hlo, chip, mesh),
    largest: largestBuffers(hlo),
  };
}

/** Bytes that a device holds of an input or output. */
export function localBytes(port: Port, mesh: Mesh | undefined): number {
  const shape = mesh && port.sharding ? localShape(mesh, port.sharding, port.shape) : port.shape;
  return shape.reduce((a, b) => a * b, 1) * bytesOf(port.dtype);
}

/** Bytes of an element by MLIR's name of its type; those narrower than a byte take a whole one. */
export function bytesOf(dtype: string): number {
  const bits = Number(/\d+/.exec(dtype)?.[0] ?? 8) * (dtype.startsWith("complex") ? 2 : 1);
  return Math.max(8, bits) / 8;
}

/** Bytes of an element of gradients that loops give in less than the 32 bits that an optimizer computes with, by shape. */
function narrowGradients({ region }: Program): ReadonlyMap<string, number> {
  const made = region.ops.flatMap(({ results }) => results.flatMap((v) => widened(v) ?? []));
  const from = made.filter(({ op }) => op?.def === scan);
  return new Map(from.map(({ type }) => [type.shape.join(), bytesOf(type.dtype)]));
}

function memoryUse(program: Program, { chip }: Target, xla: XlaMemory): MemoryUse {
  const sum = (ports: readonly Port[]) => ports.reduce((n, port) => n + localBytes(port, program.mesh), 0);
  const counted = (as: ReturnType<typeof countedAs>, ports = program.inputs) =>
    ports.filter((port) => countedAs(port, program) === as);
  const optimizer = sum(counted("optimizer"));
  const parameters = sum(counted("parameters"));
  const trained = counted("parameters", changed(program));
  const narrow = narrowGradients(program);
  const wanted = trained.reduce((n, p) => {
    const elements = localBytes(p, program.mesh) / bytesOf(p.dtype);
    return n + elements * (narrow.get(p.shape.join()) ?? 4);
  }, 0);
  const held = xla.arguments + xla.outputs - xla.aliased;
  // What XLA lays out as temporary has gaps, and is more than it asks a device for: a program fits by its peak.
  const temporary = Math.max(0, xla.peak - held);
  const gradients = Math.min(wanted, temporary);
  const onDevice = Math.max(0, optimizer - xla.host_arguments);
  return {
    parameters,
    optimizer: onDevice,
    rest: Math.max(0, held - parameters - onDevice),
    gradients,
    activations: temporary - gradients,
    code: xla.code,
    host: xla.host_arguments + xla.host_temporaries,
    total: held + temporary + xla.code,
    ...(chip && { available: chip.usable }),
  };
}

/** Seconds that a device sends: inside slices and between them at the same time. */
function network(list: ReturnType<typeof collectives>, { chip }: Target): number {
  if (!chip) return 0;
  const { link, dimensions } = chip.interconnect;
  const seconds = (across: boolean, rate: number) =>
    list.filter((c) => c.acrossSlices === across).reduce((n, c) => n + (c.sent * c.runs * chip.devices) / rate, 0);
  return Math.max(
    seconds(false, link * (dimensions === 0 ? 1 : 2)),
    chip.network === undefined ? 0 : seconds(true, chip.network),
  );
}

function roofline(
  { chip, devices }: Target,
  cost: { readonly flops: number; readonly bytes: number },
  network: number,
  { tokens, modelFlops }: Work,
): Roofline {
  const rate = peak(chip!, "bf16");
  const times = { compute: cost.flops / rate, memory: cost.bytes / chip!.hbmBandwidth, network };
  const bound = (Object.keys(times) as (keyof typeof times)[]).reduce((a, b) => (times[b] > times[a] ? b : a));
  const step = times[bound];
  return {
    ...times,
    step,
    bound,
    tokensPerSecond: tokens / step,
    mfu: modelFlops / (step * rate * devices),
  };
}
