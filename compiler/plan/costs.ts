/** What the instructions of an optimized program cost: operations, memory traffic, communication; the costliest, the largest. */
import type { Mesh } from "../mesh.js";
import { type Chip, peak } from "./chips.js";
import { type Collective, collectives } from "./collectives.js";
import {
  type Computation,
  elements,
  type Frame,
  type HloModule,
  type HloShape,
  type Instruction,
} from "./optimized_hlo.js";

/** The cost of an operation of the author's in one step, per device: all instructions that XLA made of it together. */
export interface Cost {
  /** XLA's name of the operation: the module's path and the operation's name, with the loops it is in. */
  readonly opName: string;
  /** Where it was written, innermost first; empty for what XLA made up. */
  readonly stack: readonly Frame[];
  /** The HLO of the costliest of its instructions: `fusion`, `all-gather`, `convolution`, ... */
  readonly opcode: string;
  /** Multiplications and additions of matrix products and convolutions, each counted. */
  readonly flops: number;
  /** Bytes read from and written to the device's main memory. */
  readonly bytes: number;
  /** Bytes sent to other devices. */
  readonly sent: number;
  /** How often its instructions run. */
  readonly runs: number;
  /** At least this long: each instruction bound by computing, by memory or by communication, whichever is longest, one after the other. */
  readonly seconds: number;
}

/** A device without figures of its own, a CPU's: only the order of costs means something. */
const NOMINAL = { flops: 100e9, memory: 20e9, link: 10e9, network: 1e9 };

/** The costliest operations of a program on a chip (none: a CPU), by the seconds they take at least. */
export function costliest(module: HloModule, chip?: Chip, mesh?: Mesh, count = 10): Cost[] {
  const bySite = new Map<string, Cost & { readonly largest: number }>();
  const authored = authorship();
  for (const { instruction, runs, ...cost } of instructionCosts(module, chip, mesh)) {
    const named = authored(instruction);
    const stack = module.stack(named);
    const key = JSON.stringify([named.opName || named.name, stack[0]]);
    const before = bySite.get(key);
    const seconds = cost.seconds * runs;
    const isLargest = before === undefined || seconds > before.largest;
    bySite.set(key, {
      opName: named.opName,
      stack,
      opcode: isLargest ? instruction.opcode : before.opcode,
      flops: (before?.flops ?? 0) + cost.flops * runs,
      bytes: (before?.bytes ?? 0) + cost.bytes * runs,
      sent: (before?.sent ?? 0) + cost.sent * runs,
      runs: (before?.runs ?? 0) + runs,
      seconds: (before?.seconds ?? 0) + seconds,
      largest: isLargest ? seconds : before.largest,
    });
  }
  const sorted = [...bySite.values()].sort((a, b) => b.seconds - a.seconds).slice(0, count);
  return sorted.map(({ largest: _, ...cost }) => cost);
}

/** What a step costs in all, as {@link Cost} counts it. */
export function totalCost(
  module: HloModule,
  chip?: Chip,
  mesh?: Mesh,
): Pick<Cost, "flops" | "bytes" | "sent" | "seconds"> {
  const total = { flops: 0, bytes: 0, sent: 0, seconds: 0 };
  for (const { runs, ...cost } of instructionCosts(module, chip, mesh)) {
    total.flops += cost.flops * runs;
    total.bytes += cost.bytes * runs;
    total.sent += cost.sent * runs;
    total.seconds += cost.seconds * runs;
  }
  return total;
}

/**
 * Finds the instruction that tells where another is from: itself, or for what XLA made up (a copy ahead of its use, a transfer), the
 * nearest of those that use it, or else of those that it uses.
 */
function authorship(): (instruction: Instruction) => Instruction {
  const users = new Map<Computation, (value: Instruction) => Instruction[]>();
  const usersOf = (value: Instruction): Instruction[] => {
    const { computation } = value;
    const known = users.get(computation) ?? usersIn(computation);
    users.set(computation, known);
    return known(value);
  };
  return (instruction) => {
    if (instruction.opName !== "") return instruction;
    for (const neighbours of [usersOf, (at: Instruction) => at.operands]) {
      let at: Instruction | undefined = instruction;
      for (let hops = 0; at !== undefined && hops < 8; hops++) {
        if (at.opName !== "" && at.opcode !== "parameter") return at;
        at = neighbours(at)[0];
      }
    }
    return instruction;
  };
}

interface InstructionCost {
  readonly instruction: Instruction;
  readonly runs: number;
  readonly flops: number;
  readonly bytes: number;
  readonly sent: number;
  readonly seconds: number;
}

/** They do nothing themselves, or what they do is counted where it is done. */
const FREE = new Set([
  ...["parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "partition-id", "replica-id"],
  ...["while", "conditional", "call", "call-start", "async-start", "async-update", "opt-barrier", "send", "recv"],
]);

/** Every instruction that runs by itself, with what one run costs. */
function* instructionCosts(
  module: HloModule,
  chip: Chip | undefined,
  mesh: Mesh | undefined,
): Generator<InstructionCost> {
  const work = new Work(module, chip?.platform === "tpu");
  const communication = new Map<Instruction, Collective>();
  const inFusions = new Map<string, Collective[]>();
  for (const collective of collectives(module, mesh)) {
    const { instruction } = collective;
    const { name } = instruction.computation;
    if (module.fused.has(name)) inFusions.set(name, [...(inFusions.get(name) ?? []), collective]);
    else communication.set(instruction, collective);
  }
  for (const computation of module.computations.values()) {
    const runs = module.runs(computation);
    if (runs === 0 || module.fused.has(computation.name)) continue;
    for (const instruction of computation.instructions.values()) {
      const own = communication.get(instruction);
      const fused = instruction.opcode === "fusion" ? inFusions.get(instruction.callee("calls") ?? "") : undefined;
      const sending = own ? [own] : (fused ?? []);
      if (sending.length === 0 && (FREE.has(instruction.opcode) || instruction.opcode.endsWith("-done"))) continue;
      const { flops, dtype } = work.flops(instruction);
      const bytes = own?.acrossSlices ? 0 : work.bytes(instruction);
      const sent = sending.reduce((sum, collective) => sum + collective.sent, 0);
      const seconds = Math.max(
        flops / (chip ? peak(chip, dtype) : NOMINAL.flops),
        bytes / (chip?.hbmBandwidth ?? NOMINAL.memory),
        sending.reduce((sum, collective) => sum + collective.sent / bandwidth(collective, chip), 0),
      );
      yield { instruction, runs, flops, bytes, sent, seconds };
    }
  }
}

/** Bytes/s that a device can send in a collective. A ring on a torus sends both ways; devices of one chip share its links. */
function bandwidth({ acrossSlices }: Collective, chip: Chip | undefined): number {
  if (chip === undefined) return acrossSlices ? NOMINAL.network : NOMINAL.link;
  const { link, dimensions } = chip.interconnect;
  return (acrossSlices ? (chip.network ?? NOMINAL.network) : link * (dimensions === 0 ? 1 : 2)) / chip.devices;
}

/** A large value of a program. */
export interface Buffer {
  readonly bytes: number;
  readonly shape: HloShape;
  readonly opName: string;
  readonly stack: readonly Frame[];
  readonly instruction: Instruction;
}

/** The largest arrays that instructions of a program make, in the device's main memory. Not all are alive at the same time. */
export function largestBuffers(module: HloModule, count = 10): Buffer[] {
  const found: Pick<Buffer, "bytes" | "shape" | "instruction">[] = [];
  for (const computation of module.computations.values()) {
    if (module.runs(computation) === 0 || module.fused.has(computation.name)) continue;
    for (const instruction of computation.instructions.values()) {
      if (FREE.has(instruction.opcode) || instruction.opcode.endsWith("-done")) continue;
      for (const shape of made(instruction)) {
        if (shape.space === 0) found.push({ bytes: shape.bytes, shape, instruction });
      }
    }
  }
  const authored = authorship();
  const largest = found.sort((a, b) => b.bytes - a.bytes).slice(0, count);
  return largest.map((buffer) => {
    const named = authored(buffer.instruction);
    return { ...buffer, opName: named.opName, stack: module.stack(named) };
  });
}

/** Kernels that are not XLA's own, by their custom call's target: how often each runs in a step. */
export function kernels(module: HloModule): Map<string, number> {
  const found = new Map<string, number>();
  for (const computation of module.computations.values()) {
    const runs = module.runs(computation);
    if (runs === 0) continue;
    for (const instruction of computation.instructions.values()) {
      if (instruction.opcode !== "custom-call") continue;
      const target = /custom_call_target="([^"]*)"/.exec(instruction.attributeText)?.[1] ?? "";
      found.set(target, (found.get(target) ?? 0) + runs);
    }
  }
  return found;
}

/** Operations and memory traffic of single instructions. */
class Work {
  readonly #fusions = new Map<string, { flops: number; dtype: string }>();

  constructor(
    readonly module: HloModule,
    /** Whether memory spaces but the first are no part of the device's main memory. */
    readonly hasOwnSpaces: boolean,
  ) {}

  /** Operations of matrix products and convolutions, with the element type of their operands. */
  flops(instruction: Instruction): { flops: number; dtype: string } {
    const { opcode } = instruction;
    const dtype = instruction.operands[0]?.shapes[0]?.dtype ?? "";
    if (opcode === "dot") return { flops: dotFlops(instruction), dtype };
    if (opcode === "convolution") return { flops: convolutionFlops(instruction), dtype };
    if (opcode === "custom-call") return { flops: estimated(instruction, "flops") ?? 0, dtype };
    const callee = opcode === "fusion" ? this.module.computations.get(instruction.callee("calls") ?? "") : undefined;
    if (callee === undefined) return { flops: 0, dtype };
    let sum = this.#fusions.get(callee.name);
    if (sum === undefined) {
      sum = { flops: 0, dtype };
      for (const inner of callee.instructions.values()) {
        const own = this.flops(inner);
        if (own.flops > 0) sum = { flops: sum.flops + own.flops, dtype: own.dtype };
      }
      this.#fusions.set(callee.name, sum);
    }
    return sum;
  }

  /** Bytes to and from main memory. What takes a slice of an array, or writes one into it, touches no more than the slice. */
  bytes(instruction: Instruction): number {
    const estimate = instruction.opcode === "custom-call" ? estimated(instruction, "bytes_accessed") : undefined;
    if (estimate !== undefined) return estimate;
    const callee =
      instruction.opcode === "fusion" ? this.module.computations.get(instruction.callee("calls") ?? "") : undefined;
    const operands = [...new Set(instruction.operands)];
    if (instruction.opcode === "copy-start" || instruction.opcode === "slice-start") {
      const moved = total(made(instruction));
      return (this.#size(operands.flatMap((o) => o.shapes)) > 0 ? moved : 0) + this.#size(made(instruction));
    }
    if (callee === undefined) {
      const read = operands.reduce((sum, operand) => sum + this.#read(operand, [instruction], operand), 0);
      return read + this.#written(instruction, instruction);
    }
    const users = usersIn(callee);
    const parameters = [...callee.instructions.values()].filter((inner) => inner.opcode === "parameter");
    const read = parameters.reduce((sum, parameter) => {
      const operand = instruction.operands[Number(parameter.operandText)];
      return operand === undefined ? sum : sum + this.#read(parameter, users(parameter), operand, users);
    }, 0);
    return read + (callee.root === undefined ? 0 : this.#written(callee.root, instruction));
  }

  #size(shapes: readonly HloShape[]): number {
    return shapes.reduce((sum, shape) => sum + (this.hasOwnSpaces && shape.space !== 0 ? 0 : shape.bytes), 0);
  }

  /** What is read of a value by its users; `held` says where it lies. */
  #read(
    value: Instruction,
    users: readonly Instruction[],
    held: Instruction,
    usersOf: (value: Instruction) => Instruction[] = () => [],
  ): number {
    const whole = this.#size(held.shapes);
    if (whole === 0) return 0;
    let read = 0;
    for (const user of users) {
      const isFirst = user.operands[0] === value;
      if (user.opcode === "bitcast") read += this.#read(user, usersOf(user), held, usersOf);
      else if (user.opcode === "fusion") read += this.#readInside(user, value, held);
      else if (isFirst && SLICING.has(user.opcode)) read += total(user.shapes);
      else if (!(isFirst && user.opcode === "dynamic-update-slice")) return whole;
    }
    return Math.min(whole, read);
  }

  /** What a fusion that is inside another one reads of a value. */
  #readInside(fusion: Instruction, value: Instruction, held: Instruction): number {
    const callee = this.module.computations.get(fusion.callee("calls") ?? "");
    if (callee === undefined) return this.#size(held.shapes);
    const users = usersIn(callee);
    const parameters = [...callee.instructions.values()].filter(({ opcode }) => opcode === "parameter");
    const given = parameters.filter((p) => fusion.operands[Number(p.operandText)] === value);
    return given.reduce((sum, p) => sum + this.#read(p, users(p), held, users), 0);
  }

  /** What is written by an instruction, or by a fusion with this root. */
  #written(root: Instruction, outer: Instruction): number {
    const results = root.opcode === "tuple" ? root.operands : [root];
    const shapes = made(outer);
    if (results.length !== shapes.length) return this.#size(shapes);
    return results.reduce((sum, result, i) => {
      const shape = shapes[i]!;
      if (this.#size([shape]) === 0) return sum;
      const behind = behindViews(result);
      const update = behind.opcode === "dynamic-update-slice" ? behind.operands[1] : undefined;
      return sum + (update === undefined ? shape.bytes : total(update.shapes));
    }, 0);
  }
}

/** The arrays that an instruction makes. The result of one that starts something also holds its operands, or names them. */
function made(instruction: Instruction): readonly HloShape[] {
  const { opcode, shapes } = instruction;
  if (!opcode.endsWith("-start")) return shapes;
  if (opcode === "copy-start") return shapes.slice(0, 1);
  const operands = instruction.operands.reduce((n, operand) => n + operand.shapes.length, 0);
  return shapes.length > operands ? shapes.slice(operands, 2 * operands) : shapes;
}

const SLICING = new Set(["dynamic-slice", "slice", "gather"]);

const total = (shapes: readonly HloShape[]): number => shapes.reduce((sum, shape) => sum + shape.bytes, 0);

function behindViews(instruction: Instruction): Instruction {
  let at = instruction;
  while (at.opcode === "bitcast" && at.operands[0] !== undefined) at = at.operands[0];
  return at;
}

/** The users of a computation's values. */
function usersIn(computation: Computation): (value: Instruction) => Instruction[] {
  const users = new Map<Instruction, Instruction[]>();
  for (const instruction of computation.instructions.values()) {
    for (const operand of new Set(instruction.operands)) {
      const list = users.get(operand);
      if (list === undefined) users.set(operand, [instruction]);
      else list.push(instruction);
    }
  }
  return (value) => users.get(value) ?? [];
}

/** What the author of a TPU kernel says that it costs. */
function estimated(call: Instruction, field: "flops" | "bytes_accessed"): number | undefined {
  const at = call.attributeText.lastIndexOf('"cost_estimate":{');
  if (at === -1) return undefined;
  const digits = new RegExp(`"${field}":"?(\\d+)`).exec(call.attributeText.slice(at, at + 300))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Two for each element of the result and each element of the contracted dimensions. */
function dotFlops(dot: Instruction): number {
  const [lhs, result] = [dot.operands[0]?.shapes[0], dot.shapes[0]];
  if (lhs === undefined || result === undefined) return 0;
  const contracted = listed(dot.attribute("lhs_contracting_dims")).reduce((n, d) => n * (lhs.dimensions[d] ?? 1), 1);
  return 2 * elements(result) * contracted;
}

const listed = (text: string | undefined): number[] => [...(text ?? "").matchAll(/\d+/g)].map((m) => Number(m[0]));

/**
 * Two for each element of the result, each input feature of the kernel, and each pair of positions of the window and the input that
 * meet; those that fall on padding or between dilated elements do not count. XLA:TPU writes matrix products as convolutions, with batch
 * dimensions as dilated windows, so this matters.
 */
function convolutionFlops(convolution: Instruction): number {
  const [input, kernel] = convolution.operands.map((operand) => operand.shapes[0]);
  const result = convolution.shapes[0];
  const labels = /^(\w+)_(\w+)->(\w+)$/.exec(convolution.attribute("dim_labels") ?? "");
  if (input === undefined || kernel === undefined || result === undefined || labels === null) return 0;
  const [, inputLabels = "", kernelLabels = "", resultLabels = ""] = labels;
  const window = convolution.attribute("window") ?? "";
  const along = (field: string) => new RegExp(`\\b${field}=([\\d_x-]+)`).exec(window)?.[1]?.split("x");
  const [stride, pad, lhsDilate, rhsDilate] = ["stride", "pad", "lhs_dilate", "rhs_dilate"].map(along);
  let pairs = 1;
  let outside = 1;
  for (let d = 0; resultLabels.includes(`${d}`); d++) {
    const position = (labels: string, shape: HloShape) => shape.dimensions[labels.indexOf(`${d}`)] ?? 1;
    const outputs = position(resultLabels, result);
    outside *= outputs;
    pairs *= validPairs({
      input: position(inputLabels, input),
      window: position(kernelLabels, kernel),
      outputs,
      stride: Number(stride?.[d] ?? 1),
      padding: Number(pad?.[d]?.split("_")[0] ?? 0),
      inputDilation: Number(lhsDilate?.[d] ?? 1),
      windowDilation: Number(rhsDilate?.[d] ?? 1),
    });
  }
  const features = kernel.dimensions[kernelLabels.indexOf("i")] ?? 1;
  return 2 * (elements(result) / outside) * features * pairs;
}

interface WindowDimension {
  readonly input: number;
  readonly window: number;
  readonly outputs: number;
  readonly stride: number;
  readonly padding: number;
  readonly inputDilation: number;
  readonly windowDilation: number;
}

/** Pairs of an output position and a window position that read an element of the input. */
function validPairs(d: WindowDimension): number {
  if (
    d.padding === 0 &&
    d.inputDilation === 1 &&
    (d.outputs - 1) * d.stride + (d.window - 1) * d.windowDilation < d.input
  ) {
    return d.outputs * d.window;
  }
  let pairs = 0;
  for (let w = 0; w < d.window; w++) {
    for (let o = 0; o < d.outputs; o++) {
      const at = o * d.stride - d.padding + w * d.windowDilation;
      if (at >= 0 && at % d.inputDilation === 0 && at / d.inputDilation < d.input) pairs++;
    }
  }
  return pairs;
}
