/** Our side of the benches: the one place that knows the compiler, so that a bench reads as a claim and two measurements. */
import { Skipped } from "./harness.js";

const missing = (what: string): never => {
  throw new Skipped(`our side is not there yet: ${what}`);
};

/** Seconds to trace, differentiate and print the train step of bench/models/llama.ts once, in this process. */
export async function traceLlama(): Promise<number> {
  return missing("trace the Llama-shaped train step");
}

/** Text and seconds of the `600b` configuration, by number of layers. */
export async function trace600b(_layers: number): Promise<{ seconds: number; text: string }> {
  return missing("trace the 600b configuration");
}

/** Command line of a whole process that compiles bench/models/llama.ts. Cold: with an empty cache of names. */
export async function compileCommand(_cache: "cold" | "warm"): Promise<readonly [command: string, ...args: string[]]> {
  return missing("compile the Llama-shaped model by the command line");
}

/** Seconds to build and print a chain of elementwise ops. */
export async function chain(_ops: number, _locations: boolean): Promise<number> {
  return missing("build a chain of operations");
}

/** StableHLO texts of `nanogpt-cpu`: the train step and the program that makes its first state. */
export async function nanogptPrograms(): Promise<{ init: string; trainStep: string }> {
  return missing("compile nanogpt-cpu");
}

/** StableHLO text of attention and its gradient at one length: heads, head dimension and batch small and fixed. */
export async function attentionProgram(_length: number): Promise<string> {
  return missing("compile attention");
}

/** Trains `nanogpt-cpu` on a text; the loss over all of its last 10 %. */
export async function validationLoss(_data: string, _seed: number): Promise<number> {
  return missing("train nanogpt-cpu");
}
