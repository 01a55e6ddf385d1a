/** A program: one entry point of a model, traced. What artifacts, the CLI and the runtime know of it. */
import type { Cost, DType, Func, Memory, Region } from "./ir.js";
import type { Mesh, Spec } from "./mesh.js";
import type { Site } from "./site.js";

/**
 * What an input or output is to the runtime. `state` and `cache` are threaded from output to input of the same name; `batch` comes
 * from the data; `argument` from the caller; `metric` is logged; `result` is returned; `print` and `assert` are looked at.
 */
export type Role = "state" | "cache" | "batch" | "argument" | "metric" | "result" | "print" | "assert";

/** One input or output of a program. */
export interface Port {
  /** `params/blocks/attention/query/weight`, `tokens`, `loss`. */
  readonly name: string;
  readonly role: Role;
  /** Axis names by dimension. */
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Where its dimensions lie on the program's mesh; absent without one. */
  readonly sharding?: Spec;
  /** The memory that it lies in, where that is not the device's own. */
  readonly memory?: Exclude<Memory, "device">;
  /** Of an output: it is the input of its name, as it was given. */
  readonly frozen?: true;
  /** What to print or say, for `print` and `assert`. */
  readonly message?: string;
}

/** A loop around operations: what is known of the scan that it was. */
export interface Loop {
  /** The axis that it runs along. */
  readonly axis?: string;
  readonly length?: number;
  /** How often it is taken to run where its length is not known. */
  readonly expected?: number | undefined;
  /** From the last element to the first. */
  readonly reverse?: boolean;
}

/** The attribute of a loop whose length is not known that says how often it is taken to run. */
export const EXPECTED_TRIPS = "xenarc.expected_trips";

/** What a program looks at: an operation's result, or an input. */
export interface Check {
  /** The mnemonic. */
  readonly operation: string;
  readonly site?: Site;
  /** The input's name. */
  readonly input?: string;
  /** The loops around the operation, outermost first. */
  readonly loops: readonly Loop[];
}

/** A traced entry point: inputs and outputs in the order of the region's arguments and results. */
export interface Program {
  readonly name: string;
  readonly region: Region;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** `[input, output]`: the output takes the input's memory. */
  readonly donated: readonly (readonly [number, number])[];
  /** The devices that it runs on; absent: one. */
  readonly mesh?: Mesh;
  /** What the numbers mean that it gives of its own operations: see `anomalyProgram`. */
  readonly checks?: readonly Check[];
  /** What one run costs, loops counted by their lengths. */
  readonly cost: Cost;
}

/** What of its state a program gives back as something else; what is frozen comes out as it went in. */
export const changed = ({ inputs, outputs, donated }: Program): Port[] =>
  donated.flatMap(([input, output]) => (outputs[output]!.frozen ? [] : [inputs[input]!]));

/**
 * What an input is counted as: weights, what training keeps of them (the optimizer's state, averages), or something else. A program that
 * does not train has averages as its weights.
 */
export function countedAs(port: Port, program: Program): "parameters" | "optimizer" | "rest" {
  if (port.role !== "state") return "rest";
  if (port.name.startsWith("params/")) return "parameters";
  if (port.name.startsWith("optimizer/")) return "optimizer";
  if (!port.name.startsWith("ema/")) return "rest";
  return changed(program).includes(port) ? "optimizer" : "parameters";
}

/** The function that a program is printed as, from its (lowered) region. */
export const mainOf = (p: Program, body: Region): Func => ({
  name: "main",
  body,
  aliases: new Map(p.donated),
  argumentMemories: p.inputs.map((i) => i.memory),
  resultMemories: p.outputs.map((o) => o.memory),
  ...(p.mesh && {
    argumentShardings: p.inputs.map((i) => i.sharding),
    resultShardings: p.outputs.map((o) => o.sharding),
  }),
});
