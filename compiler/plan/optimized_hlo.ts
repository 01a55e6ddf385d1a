/**
 * Reads the HLO that XLA prints after all its passes (`HloModule::ToString`): computations, instructions, how often each runs in one
 * execution of the program, and where in the author's files it comes from. One pass over the text; what few instructions are asked for
 * (shapes, attributes) is parsed when it is.
 */
import { XenarcError } from "../errors.js";
import { EXPECTED_TRIPS } from "../program.js";

/** An array of an instruction's result or operand. */
export interface HloShape {
  /** As HLO names it: `bf16`, `f32`, `s8`, `pred`, ... */
  readonly dtype: string;
  readonly dimensions: readonly number[];
  /** 0: the device's main memory. On TPUs 1 is on the chip (VMEM), 5 the host's memory. */
  readonly space: number;
  /** Without the padding of tiled layouts. */
  readonly bytes: number;
}

/** A place in a source file. */
export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly function: string;
}

/** An instruction, as text until it is asked for more. */
export class Instruction {
  #attributes: ReadonlyMap<string, string> | undefined;
  #shapes: readonly HloShape[] | undefined;

  constructor(
    readonly name: string,
    readonly opcode: string,
    readonly isRoot: boolean,
    readonly computation: Computation,
    readonly typeText: string,
    readonly operandText: string,
    readonly attributeText: string,
  ) {}

  /** The arrays of the result: one, or those of a tuple, flat. */
  get shapes(): readonly HloShape[] {
    this.#shapes ??= parseShapes(this.typeText);
    return this.#shapes;
  }

  /** Instructions of the same computation; operands that are none of them (literals) are left out. */
  get operands(): Instruction[] {
    return this.operandText
      .split(",")
      .map((text) => this.computation.instructions.get(nameIn(text)))
      .filter((operand) => operand !== undefined);
  }

  /** A top-level attribute as it is printed: `channel_id`, `metadata`, `body`, ... */
  attribute(name: string): string | undefined {
    this.#attributes ??= parseAttributes(this.attributeText);
    return this.#attributes.get(name);
  }

  /** The computation that an attribute names. */
  callee(attribute: string): string | undefined {
    const value = this.attribute(attribute);
    return value === undefined ? undefined : nameIn(value);
  }

  /** XLA's name of the operation of the program that this is part of; the empty text for what XLA made up. */
  get opName(): string {
    return /op_name="((?:[^"\\]|\\.)*)"/.exec(this.attribute("metadata") ?? "")?.[1]?.replace(/\\(.)/g, "$1") ?? "";
  }
}

/** A computation: the entry, a loop's body or condition, what a fusion or a reduction computes. */
export interface Computation {
  readonly name: string;
  readonly instructions: ReadonlyMap<string, Instruction>;
  readonly root: Instruction | undefined;
}

/** A module after XLA's passes: the program of one of `partitions` devices (of one slice, if there are several). */
export class HloModule {
  /** Calls (of fusions, loops, ...) by the computation that is called. Unknown: loops whose trip count could not be found. */
  readonly #runs = new Map<string, number>();
  readonly unknownLoops: string[] = [];
  /** Computations that run inside one instruction, not by themselves. */
  readonly fused = new Set<string>();

  constructor(
    readonly name: string,
    readonly partitions: number,
    readonly entry: Computation,
    /** In the order of the text: what is called stands before what calls it. */
    readonly computations: ReadonlyMap<string, Computation>,
    readonly frames: ReadonlyMap<number, Frame & { readonly parent: number | undefined }>,
  ) {
    this.#count();
  }

  /**
   * How often a computation runs in one execution of the program: loops count by their trips, a loop whose trips are not known by those that
   * the program expects, or else once, each branch of a conditional as if it were taken.
   */
  runs(computation: Computation): number {
    return this.#runs.get(computation.name) ?? 0;
  }

  /** The call stack of an instruction, innermost first; empty for what XLA made up. */
  stack(instruction: Instruction): Frame[] {
    const metadata = instruction.attribute("metadata") ?? "";
    const frames: Frame[] = [];
    let id = number(/stack_frame_id=(\d+)/.exec(metadata)?.[1]);
    while (id !== undefined && frames.length < 1000) {
      const frame = this.frames.get(id);
      if (frame === undefined) break;
      frames.push(frame);
      id = frame.parent;
    }
    // As XLA printed it before it had tables.
    const [, file, line] = /source_file="([^"]*)" source_line=(\d+)/.exec(metadata) ?? [];
    if (frames.length === 0 && file !== undefined) frames.push({ file, line: Number(line), column: 0, function: "" });
    return frames;
  }

  #count(): void {
    this.#runs.set(this.entry.name, 1);
    for (const computation of [...this.computations.values()].reverse()) {
      const runs = this.#runs.get(computation.name);
      if (runs === undefined) continue;
      for (const instruction of computation.instructions.values()) {
        for (const [callee, times] of this.#calls(instruction)) {
          this.#runs.set(callee, (this.#runs.get(callee) ?? 0) + runs * times);
        }
      }
    }
  }

  /** What an instruction runs, and how often. What a reduction, a sort or a scatter applies to elements is not counted. */
  #calls(instruction: Instruction): [callee: string, times: number][] {
    const { opcode } = instruction;
    if (opcode === "while") {
      const trips = tripCount(this, instruction) ?? expectedTrips(instruction);
      if (trips === undefined) this.unknownLoops.push(instruction.name);
      const [body, condition] = [instruction.callee("body"), instruction.callee("condition")];
      if (body === undefined || condition === undefined) return [];
      return [
        [body, trips ?? 1],
        [condition, (trips ?? 1) + 1],
      ];
    }
    const single = (attribute: string): [string, number][] => {
      const callee = instruction.callee(attribute);
      return callee === undefined ? [] : [[callee, 1]];
    };
    if (opcode === "fusion") {
      const calls = single("calls");
      for (const [callee] of calls) this.fused.add(callee);
      return calls;
    }
    if (opcode === "async-start" || opcode === "call" || opcode === "call-start") {
      return [...single("calls"), ...single("to_apply")];
    }
    if (opcode === "conditional") {
      const branches = instruction.attribute("branch_computations")?.slice(1, -1).split(",") ?? [];
      const indexed = branches.map((text): [string, number] => [nameIn(text), 1]);
      return [...indexed, ...single("true_computation"), ...single("false_computation")];
    }
    return [];
  }
}

/** @throws XenarcError for a text that is no HLO module. */
export function parseOptimizedHlo(text: string): HloModule {
  const computations = new Map<string, Computation>();
  const tables = new Map<string, string[]>();
  let table: string[] | undefined;
  let header = "";
  let entry: Computation | undefined;
  let open: { name: string; instructions: Map<string, Instruction>; root: Instruction | undefined } | undefined;
  for (let start = 0; start < text.length; ) {
    let end = endOfLine(text, start);
    const first = text.charCodeAt(start);
    if (open !== undefined) {
      if (closes(text, start, end)) {
        open = undefined;
      } else {
        // Attributes may hold line breaks (kernels' metadata does).
        while (end < text.length && !begins(text, end + 1)) end = endOfLine(text, end + 1);
        addInstruction(text, start, end, open);
      }
    } else if (text.startsWith("HloModule ", start)) {
      header = text.slice(start, end);
    } else if (text.charCodeAt(end - 1) === OPEN_BRACE && first !== DIGIT_0 && text.lastIndexOf(" -> ", end) > start) {
      const isEntry = text.startsWith("ENTRY ", start);
      const nameStart = isEntry ? start + 6 : start;
      open = {
        name: nameIn(text.slice(nameStart, text.indexOf(" ", nameStart))),
        instructions: new Map(),
        root: undefined,
      };
      computations.set(open.name, open);
      if (isEntry) entry = open;
      table = undefined;
    } else if (end > start) {
      const line = text.slice(start, end);
      if (/^[A-Z]\w*$/.test(line)) {
        table = [];
        tables.set(line, table);
      } else {
        table?.push(line);
      }
    }
    start = end + 1;
  }
  if (entry === undefined) throw new XenarcError({ what: "This is no HLO module: it has no ENTRY computation." });
  const name = /^HloModule ([^,\s]+)/.exec(header)?.[1] ?? "";
  const partitions = number(/\bnum_partitions=(\d+)/.exec(header)?.[1]) ?? 1;
  return new HloModule(name, partitions, entry, computations, parseFrames(tables));
}

const [OPEN_BRACE, CLOSE_BRACE, OPEN_PAREN, CLOSE_PAREN, DIGIT_0, QUOTE, BACKSLASH, COMMA] = [...'{}()0"\\,'].map((c) =>
  c.charCodeAt(0),
) as [number, number, number, number, number, number, number, number];

function endOfLine(text: string, start: number): number {
  const newline = text.indexOf("\n", start);
  return newline === -1 ? text.length : newline;
}

/** Whether a line ends a computation. */
const closes = (text: string, start: number, end: number): boolean =>
  text.charCodeAt(start) === CLOSE_BRACE && (end === start + 1 || text.startsWith("}, execution_thread", start));

/** Whether a line of a computation begins something new. */
const begins = (text: string, start: number): boolean =>
  text.startsWith("  %", start) || text.startsWith("  ROOT ", start) || closes(text, start, endOfLine(text, start));

const number = (digits: string | undefined): number | undefined => (digits === undefined ? undefined : Number(digits));

/** The name in ` %fusion.1`, `f32[2] %x`, and after a comment: the last word, without its sign. */
function nameIn(text: string): string {
  const word = text.slice(Math.max(text.lastIndexOf(" "), text.lastIndexOf("/")) + 1);
  return word.startsWith("%") ? word.slice(1) : word;
}

/** `  ROOT %name = type opcode(operands), attributes` */
function addInstruction(
  text: string,
  start: number,
  end: number,
  to: { name: string; instructions: Map<string, Instruction>; root: Instruction | undefined },
): void {
  const equals = text.indexOf(" = ", start);
  if (equals === -1 || equals > end) return;
  const left = text.slice(start, equals).trim();
  const isRoot = left.startsWith("ROOT ");
  const name = nameIn(left);
  const typeStart = equals + 3;
  const typeEnd =
    text.charCodeAt(typeStart) === OPEN_PAREN ? closing(text, typeStart) + 1 : text.indexOf(" ", typeStart);
  const operandsStart = text.indexOf("(", typeEnd);
  if (typeEnd <= 0 || operandsStart === -1 || operandsStart > end) return;
  const operandsEnd = closing(text, operandsStart);
  const instruction = new Instruction(
    name,
    text.slice(typeEnd + 1, operandsStart),
    isRoot,
    to,
    text.slice(typeStart, typeEnd),
    text.slice(operandsStart + 1, operandsEnd),
    text.slice(operandsEnd + 1, end),
  );
  to.instructions.set(name, instruction);
  if (isRoot) to.root = instruction;
}

/** The position of the parenthesis that closes the one at `open`; quoted text (of constants) does not count. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === OPEN_PAREN) depth++;
    else if (c === CLOSE_PAREN && --depth === 0) return i;
    else if (c === QUOTE) i = endOfQuote(text, i);
  }
  return text.length;
}

function endOfQuote(text: string, quote: number): number {
  for (let i = quote + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === BACKSLASH) i++;
    else if (c === QUOTE) return i;
  }
  return text.length;
}

/** `, a=1, b={x, y}, c="..."`: split at the commas outside of brackets and quotes. */
function parseAttributes(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfQuote(text, i);
    else if (c === OPEN_BRACE || c === OPEN_PAREN || c === 91) depth++;
    else if (c === CLOSE_BRACE || c === CLOSE_PAREN || c === 93) depth--;
    else if ((c === COMMA && depth === 0) || i === text.length) {
      const part = text.slice(start, i);
      const equals = part.indexOf("=");
      const name = part.slice(0, equals).trim();
      // The order of a mesh's devices stands within the groups that are told by the mesh.
      if (name === "device_ids") found.set("replica_groups", `${found.get("replica_groups") ?? ""},${part}`);
      else if (equals !== -1) found.set(name, part.slice(equals + 1).trim());
      start = i + 1;
    }
  }
  return found;
}

function parseShapes(text: string): HloShape[] {
  const shapes: HloShape[] = [];
  for (const [, dtype = "", sizes = "", layout = ""] of text.matchAll(/\b([a-z]\w*)\[([\d,<=]*)\](?:\{([^}]*)\})?/g)) {
    const dimensions = sizes === "" ? [] : sizes.split(",").map((size) => Number(size.replace("<=", "")));
    const elements = dimensions.reduce((a, b) => a * b, 1);
    const space = number(/S\((\d+)\)/.exec(layout)?.[1]) ?? 0;
    shapes.push({ dtype, dimensions, space, bytes: Math.ceil((elements * bitsOf(dtype)) / 8) });
  }
  return shapes;
}

/** Bits of an element: the digits of its name; tokens have none. */
const bitsOf = (dtype: string): number => (dtype === "pred" ? 8 : (number(/\d+/.exec(dtype)?.[0]) ?? 0));

/** The number of elements of a shape. */
export const elements = (shape: HloShape): number => shape.dimensions.reduce((a, b) => a * b, 1);

/** XLA prints stack frames as four tables that refer to each other by number. */
function parseFrames(tables: ReadonlyMap<string, string[]>): HloModule["frames"] {
  const rows = (table: string) =>
    (tables.get(table) ?? []).map((line) => /^(\d+) (.*)$/.exec(line)).filter((m) => m !== null);
  const texts = (table: string) => new Map(rows(table).map((m) => [Number(m[1]), m[2]!.slice(1, -1)]));
  const fields = (text: string) => new Map([...text.matchAll(/(\w+)=(\d+)/g)].map((m) => [m[1]!, Number(m[2])]));
  const files = texts("FileNames");
  const functions = texts("FunctionNames");
  const locations = new Map(rows("FileLocations").map((m) => [Number(m[1]), fields(m[2]!)]));
  const frames = new Map<number, Frame & { parent: number | undefined }>();
  for (const row of rows("StackFrames")) {
    const id = Number(row[1]);
    const frame = fields(row[2]!);
    const location = locations.get(frame.get("file_location_id") ?? 0);
    // Printed one higher than it is, so that the outermost frame is its own parent.
    const parent = (frame.get("parent_frame_id") ?? 1) - 1;
    frames.set(id, {
      file: files.get(location?.get("file_name_id") ?? 0) ?? "",
      function: functions.get(location?.get("function_name_id") ?? 0) ?? "",
      line: location?.get("line") ?? 0,
      column: location?.get("column") ?? 0,
      parent: parent > 0 && parent < id ? parent : undefined,
    });
  }
  return frames;
}

/**
 * The trips of a loop: those that XLA wrote down, or else (XLA:TPU does not) from a condition that compares a counter with a constant, the
 * counter's first value, and the constant that the body adds to it.
 */
function tripCount(module: HloModule, loop: Instruction): number | undefined {
  const known = /"known_trip_count":\{"n":"(\d+)"/.exec(loop.attribute("backend_config") ?? "")?.[1];
  if (known !== undefined) return Number(known);
  const condition = module.computations.get(loop.callee("condition") ?? "")?.root;
  const body = module.computations.get(loop.callee("body") ?? "")?.root;
  const initial = loop.operands[0];
  if (condition?.opcode !== "compare" || body === undefined || initial === undefined) return undefined;
  const [left, right] = condition.operands;
  if (left === undefined || right === undefined) return undefined;
  const invariant = (index: number) => element(body, index) !== undefined && passedOn(element(body, index)!) === index;
  const valueAtStart = (operand: Instruction): number | undefined => {
    const index = passedOn(operand);
    if (index === undefined) return constant(operand);
    return invariant(index) ? constant(element(initial, index)) : undefined;
  };
  const counterFirst = valueAtStart(right) !== undefined;
  const [counter, bound] = counterFirst ? [left, valueAtStart(right)] : [right, valueAtStart(left)];
  const index = passedOn(counter);
  if (index === undefined || bound === undefined) return undefined;
  const from = constant(element(initial, index));
  const step = stepOf(element(body, index), index, (operand) => {
    const position = passedOn(operand);
    return position === undefined
      ? constant(operand)
      : invariant(position)
        ? constant(element(initial, position))
        : undefined;
  });
  if (from === undefined || step === undefined || step === 0) return undefined;
  const stated = condition.attribute("direction");
  const direction = counterFirst ? stated : ({ LT: "GT", GT: "LT", LE: "GE", GE: "LE" }[stated ?? ""] ?? stated);
  const distance = (bound - from) / step;
  if (direction === "LT" || direction === "GT")
    return (direction === "LT") === step > 0 ? Math.max(0, Math.ceil(distance)) : undefined;
  if (direction === "LE" || direction === "GE")
    return (direction === "LE") === step > 0 ? Math.max(0, Math.floor(distance) + 1) : undefined;
  return direction === "NE" && Number.isInteger(distance) && distance >= 0 ? distance : undefined;
}

/** The trips that the program takes a loop to have. */
const expectedTrips = (loop: Instruction): number | undefined =>
  number(new RegExp(`${EXPECTED_TRIPS}="([\\d.]+)"`).exec(loop.attribute("frontend_attributes") ?? "")?.[1]);

/** Operations that hand their operand on. */
const SAME = new Set(["copy", "bitcast", "convert", "copy-done", "copy-start", "reshape"]);

/** What stands behind copies. */
function source(instruction: Instruction): Instruction {
  let at = instruction;
  while (SAME.has(at.opcode) && at.operands[0] !== undefined) at = at.operands[0];
  return at;
}

/** The element of a tuple. */
const element = (tuple: Instruction, index: number): Instruction | undefined =>
  tuple.opcode === "tuple" ? tuple.operands[index] : undefined;

/** Which element of its computation's parameter this is. */
function passedOn(instruction: Instruction): number | undefined {
  const at = source(instruction);
  if (at.opcode !== "get-tuple-element" || at.operands[0]?.opcode !== "parameter") return undefined;
  return number(at.attribute("index"));
}

/** The value of an integer that is a constant, or a sum of constants. */
function constant(instruction: Instruction | undefined): number | undefined {
  if (instruction === undefined) return undefined;
  const at = source(instruction);
  if (at.opcode === "constant") return /^-?\d+$/.test(at.operandText) ? Number(at.operandText) : undefined;
  if (at.opcode === "get-tuple-element" && at.operands[0] !== undefined) {
    return constant(element(at.operands[0], Number(at.attribute("index"))));
  }
  if (at.opcode !== "add") return undefined;
  const [left, right] = at.operands.map(constant);
  return left === undefined || right === undefined ? undefined : left + right;
}

/** What a loop's body adds to its counter. */
function stepOf(
  next: Instruction | undefined,
  index: number,
  valueOf: (operand: Instruction) => number | undefined,
): number | undefined {
  if (next === undefined) return undefined;
  const at = source(next);
  const [left, right] = at.operands;
  if (left === undefined || right === undefined) return undefined;
  if (at.opcode === "add" && passedOn(left) === index) return valueOf(right);
  if (at.opcode === "add" && passedOn(right) === index) return valueOf(left);
  const less = at.opcode === "subtract" && passedOn(left) === index ? valueOf(right) : undefined;
  return less === undefined ? undefined : -less;
}
