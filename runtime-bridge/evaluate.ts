/** Runs a function of tensors at once on the runtime: for unit tests and for looking at values. */
import { lowerToStableHlo } from "../compiler/compile.js";
import { XenarcError } from "../compiler/errors.js";
import { type DType, Value } from "../compiler/ir.js";
import type { Program } from "../compiler/program.js";
import { builderFor, traceProgram, tracing } from "../compiler/trace.js";
import { type Leaf, leaves, mapLeaves, type TensorData } from "../compiler/tree.js";
import { printModule } from "../emit/print.js";
import { startWorker, type Worker } from "./worker.js";

/** How elements lie on the host; other element types are converted at the program's border. */
const HOST: Partial<Record<DType, new (buffer: ArrayBuffer) => TensorData>> = {
  f32: Float32Array,
  f64: Float64Array,
  i1: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  ui8: Uint8Array,
  ui16: Uint16Array,
  ui32: Uint32Array,
  ui64: BigUint64Array,
};
const hostType = (d: DType): DType => (HOST[d] ? d : d.startsWith("ui") ? "ui8" : d.startsWith("i") ? "i8" : "f32");

/** The leaf converted to another element type, where it differs. */
const converted = (leaf: Leaf, dtype: DType): Leaf =>
  leaf.value.type.dtype === dtype ? leaf : leaf.with(tracing().convert(leaf.value, dtype));

let worker: Promise<Worker> | undefined;
/** The worker that this process evaluates on; started on first use. */
export const evaluationWorker = (): Promise<Worker> => {
  worker ??= startWorker();
  return worker;
};

/**
 * Traces `fn` on tensors that hold elements (`tensor(...)`), runs it, and returns its result with the elements filled in
 * (`result.data`, `result.toArray()`). Narrow floats are given and returned as float32. What the function prints with `debug.print`
 * goes to standard error.
 * @throws XenarcError when an input holds no elements, or `assertFinite` failed.
 */
export async function evaluate<T extends readonly unknown[], R>(fn: (...inputs: T) => R, ...inputs: T): Promise<R> {
  const given = leaves(inputs);
  const missing = given.find((leaf) => leaf.data === undefined);
  if (missing) {
    throw new XenarcError({
      what: `evaluate: an input with the axes (${missing.names.join(", ")}) holds no elements.`,
      fix: "Make inputs with tensor({ axis: size }, [...]); parameters get elements from initialize(module, seed).",
    });
  }
  let shape!: R;
  const program = traceProgram(
    "evaluate",
    {
      argument: mapLeaves(inputs, (leaf) =>
        leaf.with(new Value({ ...leaf.value.type, dtype: hostType(leaf.value.type.dtype) })),
      ),
    },
    ({ argument }) => {
      let i = 0;
      shape = fn(...(mapLeaves(argument, (leaf) => converted(leaf, given[i++]!.value.type.dtype)) as T));
      return { result: mapLeaves(shape, (leaf) => converted(leaf, hostType(leaf.value.type.dtype))) };
    },
  );
  const outputs = await execute(
    program,
    given.map((leaf) => leaf.data!),
  );
  look(program, outputs);
  let i = 0;
  return mapLeaves(shape, (leaf) => leaf.with(leaf.value, outputs[i++]));
}

/** Compiles a program and runs it once on host data, in the order of its inputs. */
export async function execute(program: Program, inputs: readonly TensorData[]): Promise<TensorData[]> {
  const text = programText(program);
  const out = await (await evaluationWorker()).execute(
    text,
    program.inputs.map((p, i) => ({ dtype: p.dtype, shape: p.shape, data: bytes(inputs[i]!) })),
  );
  return out.map(
    ({ dtype, data }) =>
      new HOST[dtype as DType]!(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer),
  );
}

const bytes = (a: TensorData): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

/** A program's StableHLO without locations. */
export function programText(program: Program): string {
  const body = lowerToStableHlo(builderFor(program.region), program.region, { check: true });
  return printModule({ name: program.name, funcs: [{ name: "main", body }] });
}

/** Shows what the program printed, and stops at an assertion that failed. */
function look(program: Program, outputs: readonly TensorData[]): void {
  program.outputs.forEach((p, i) => {
    if (p.message === undefined) return;
    const when = program.outputs[i + 1]?.name === `${p.name}/when` ? outputs[i + 1]! : undefined;
    if (when && !Array.from(when as Uint8Array).some(Boolean)) return;
    const data = outputs[i]!;
    if (p.role === "print")
      process.stderr.write(`${p.message.replace("{}", Array.from(data as Float32Array).join(" "))}\n`);
    else if (!Array.from(data as Uint8Array).every(Boolean)) throw new XenarcError({ what: p.message });
  });
}
