import { traceProgram } from "../compiler/trace.js";
import { print } from "./compile.js";

/**
 * The StableHLO text that a function of tensors compiles to. It takes what `evaluate` takes, and runs nothing: only the inputs' axes,
 * sizes and element types matter, so that `spec(...)` will do for them. (As `jax.jit(fn).lower(...inputs).as_text()`.)
 * @throws XenarcError at the author's line.
 */
export function lower<T extends readonly unknown[]>(fn: (...inputs: T) => unknown, ...inputs: T): Promise<string> {
  const program = traceProgram("lower", { argument: inputs }, ({ argument }) => ({ result: fn(...argument) }));
  return print(program, { locations: false });
}
