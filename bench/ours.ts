/** Our side of the benches: the one place that knows the compiler, so that a bench reads as a claim and two measurements. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lowerToStableHlo } from "../compiler/compile.js";
import { parseTarget } from "../compiler/plan/target.js";
import { mainOf } from "../compiler/program.js";
import { withoutFrames } from "../compiler/site.js";
import { packageRoot } from "../compiler/source/package.js";
import { originalPosition } from "../compiler/source/position.js";
import { builderFor, traceProgram } from "../compiler/trace.js";
import { compile, print } from "../emit/compile.js";
import { resolveConfig } from "../emit/config.js";
import { printModule } from "../emit/print.js";
import charTransformer from "../models/char_transformer.js";
import { attention, hierarchical, PATHS, type Reach } from "../models/layers/index.js";
import { llama, llamaPresets } from "../models/llama.js";
import { mixtral, mixtralPresets } from "../models/mixtral.js";
import { trainStepProgram } from "../models/programs/index.js";
import { valueAndGrad } from "../ops/control.js";
import { iota } from "../ops/functions.js";
import { spec } from "../ops/module.js";
import type { Scalar, Tensor } from "../ops/tensor.js";
import { compileAhead, train } from "../runtime-bridge/bridge.js";
import benchLlama from "./models/llama.js";

const root = packageRoot;
const nanogptConfig = () =>
  resolveConfig(charTransformer.schema, { yamlFile: join(root, "examples/char-transformer/nanogpt-cpu.yaml") });

const locate = ({ file, line, column }: { file: string; line: number; column: number }) =>
  originalPosition(file, line, column);

async function timed<T>(f: () => T | Promise<T>): Promise<{ seconds: number; value: T }> {
  const start = performance.now();
  const value = await f();
  return { seconds: (performance.now() - start) / 1000, value };
}

/**
 * Seconds to trace, differentiate and print the train step of bench/models/llama.ts once, in this process. Locations are captured in any
 * case, as JAX captures them; `locations`: also resolved to the author's files and printed, which JAX's text has not.
 */
export async function traceLlama({ locations }: { locations: boolean }): Promise<number> {
  const config = benchLlama.schema.parse({ train: { batch: 8 } });
  const { seconds } = await timed(() => {
    const program = trainStepProgram(benchLlama.build(config), config);
    const body = lowerToStableHlo(builderFor(program.region), program.region);
    return printModule(
      { name: "train_step", funcs: [mainOf(program, body)] },
      locations ? { names: "canonical", locate } : { names: "canonical" },
    );
  });
  return seconds;
}

/** 16 chips, a device each. */
export const TPU_TARGET = "tpu:v4:2x2x4";
const V4 = { target: TPU_TARGET, train: { learningRate: 3e-4, beta2: 0.95, warmup: 2000, steps: 100_000 } };
const { capacity, ...dropless } = mixtralPresets.moe13b;

/** The runs of bench/jax/tpu.py: a preset on a mesh. The batch lies over both axes of the mixtures' mesh, the experts over one. */
const CONFIGS = {
  "7b": { definition: llama, model: llamaPresets["7b"], batch: 64, mesh: { fsdp: 16 } },
  "7b_tp4": { definition: llama, model: llamaPresets["7b"], batch: 64, mesh: { fsdp: 4, tensor: 4 }, sequence: true },
  moe13b: { definition: mixtral, model: { ...dropless, capacity }, batch: 32, mesh: { fsdp: 2, expert: 8 } },
  moe13b_gmm: {
    definition: mixtral,
    model: { ...dropless, expertChunk: 4096 },
    batch: 32,
    mesh: { fsdp: 2, expert: 8 },
  },
} as const;
export type TpuRun = keyof typeof CONFIGS;
export const TPU_RUNS = Object.keys(CONFIGS) as TpuRun[];

function tpuConfig(run: TpuRun, layers: number, sequences?: number) {
  const { definition, model, batch: usual, mesh, ...rest } = CONFIGS[run];
  const batch = sequences ?? usual;
  const sharding = { sequence: "sequence" in rest };
  return { definition, config: { ...V4, model: { ...model, layers }, mesh, sharding, train: { ...V4.train, batch } } };
}

/** Seconds to trace, differentiate and print the train step of a run, with its shardings, once, in this process. */
export async function traceTpu(run: TpuRun): Promise<number> {
  const { definition, config } = tpuConfig(run, 32);
  const options = { only: ["train_step"], names: "canonical", locations: false } as const;
  return (await timed(() => compile(definition, config, options))).seconds;
}

/** Has libtpu compile the train step of a run; its seconds, the kernels' lowering among them, bytes a device at the most (those it lacked, where there is no HLO). */
export async function compileTpu(run: TpuRun, layers: number, folder: string, batch?: number) {
  const { definition, config } = tpuConfig(run, layers, batch);
  const artifact = join(folder, `${run}-${layers}`);
  await (await compile(definition, config, { only: ["train_step"] })).write(artifact);
  const options = { artifact, entry: "train_step", target: parseTarget(TPU_TARGET), out: `${artifact}.ours` };
  const event = await compileAhead(options);
  const { seconds } = event;
  if (event.event === "ahead") return { seconds, peak: event.memory.peak, hlo: event.hlo };
  return { seconds, peak: event.needed ?? Number.NaN, hlo: undefined };
}

/** Text and seconds of the `600b` configuration's train step, by number of layers. */
export async function trace600b(layers: number): Promise<{ seconds: number; text: string }> {
  const config = await resolveConfig(charTransformer.schema, {
    yamlFile: join(root, "models/xenarcai_char/full.yaml"),
    overrides: [`model.layers=${layers}`],
  });
  const { seconds, value } = await timed(() => compile(charTransformer, config, { only: ["train_step"] }));
  return { seconds, text: value.text };
}

/** Command line of a whole process that compiles bench/models/llama.ts. Cold: with an empty cache of names. */
export async function compileCommand(cache: "cold" | "warm"): Promise<readonly [command: string, ...args: string[]]> {
  const out = join(mkdtempSync(join(tmpdir(), "xenarc-bench-")), "artifact");
  const compileIt = [
    "node",
    join(root, "dist/cli/main.js"),
    "compile",
    join(root, "bench/models/llama.ts"),
    "train.batch=8",
    "-o",
    out,
    // What the peers lower.
    "--only",
    "train_step",
  ] as const;
  if (cache === "warm") return compileIt;
  return ["sh", "-c", 'rm -rf "$1/.xenarc/cache"; shift; exec "$@"', "sh", root, ...compileIt];
}

/** Seconds to build and print a chain of elementwise ops. */
export async function chain(ops: number, locations: boolean): Promise<number> {
  const build = () => {
    const program = traceProgram("chain", { argument: { x: spec({ row: 16, column: 16 }) } }, ({ argument: { x } }) => {
      let y: Tensor<"row" | "column"> = x;
      for (let i = 0; i < ops / 2; i++) y = y.mul(x).tanh();
      return { result: { y } };
    });
    return printModule({ name: "chain", funcs: [mainOf(program, program.region)] }, locations ? { locate } : {});
  };
  return (await timed(() => (locations ? build() : withoutFrames(build)))).seconds;
}

/** StableHLO texts of `nanogpt-cpu`: the train step and the program that makes its first state. */
export async function nanogptPrograms(): Promise<{ init: string; trainStep: string }> {
  const compiled = await compile(charTransformer, await nanogptConfig(), { names: "canonical", locations: false });
  return { init: compiled.program("init").text, trainStep: compiled.program("train_step").text };
}

/** StableHLO text of attention and its gradient at one length: heads, head dimension and batch small and fixed. */
export async function attentionProgram(length: number): Promise<string> {
  const rows = spec({ batch: 1, seq: length, heads: 2, headDim: 64 });
  const keys = spec({ batch: 1, key: length, heads: 2, headDim: 64 });
  const program = traceProgram("attention", { argument: { q: rows, k: keys, v: keys } }, ({ argument }) => {
    const loss = ({ q, k, v }: typeof argument) =>
      attention(q, k, v, { causal: true }).square().sum(["batch", "seq", "heads", "headDim"]);
    const [value, gradient] = valueAndGrad(loss)(argument);
    return { result: { value, gradient } };
  });
  return print(program, { names: "canonical", locations: false });
}

/** Trains `nanogpt-cpu` on a text; the loss over all of its last 10 %. */
export async function validationLoss(data: string, seed: number): Promise<number> {
  const config = await resolveConfig(charTransformer.schema, {
    yamlFile: join(root, "examples/char-transformer/nanogpt-cpu.yaml"),
    overrides: [`train.seed=${seed}`],
  });
  const folder = mkdtempSync(join(tmpdir(), "xenarc-bench-"));
  const artifact = join(folder, "artifact");
  await (await compile(charTransformer, config)).write(artifact);
  const done = await train({ artifact, run: join(folder, "run"), data });
  return done.validation_loss!;
}

/**
 * StableHLO text of hierarchical attention and its gradient at one length, of values of the run alone: window, dilation, number of global
 * tokens, chunk, sparsity, and the weights of the paths (0 or 1). Queries, keys and values are made in the program.
 */
export async function hierarchyProgram(length: number): Promise<string> {
  const values = {
    window: spec({}, "i32"),
    dilation: spec({}, "i32"),
    globals: spec({}, "i32"),
    chunk: spec({}, "i32"),
    sparsity: spec({}),
    weights: spec({ path: PATHS.length }),
  };
  const program = traceProgram("hierarchy", { argument: values }, ({ argument: { weights, ...reach } }) => {
    const some = (axis: string, frequency: number) =>
      iota({ [axis]: length }, "f32")
        .broadcast({ headDim: 32 })
        .mul(frequency)
        .add(iota({ headDim: 32 }, "f32"))
        .sin()
        .broadcast({ batch: 1, kvHeads: 1 });
    const bias = weights.sub(1).mul(1e30).broadcast({ batch: 1, seq: length });
    const loss = ({ q, k, v }: Record<"q" | "k" | "v", Tensor>) =>
      hierarchical(q, k, v, reach as unknown as Reach, bias, undefined, { maxGlobals: 16, unit: 1024, blockSize: 256 })
        .square()
        .sum(["batch", "seq", "kvHeads", "headDim"]) as unknown as Scalar;
    const [value, { q, k, v }] = valueAndGrad(loss)({ q: some("seq", 0.7), k: some("key", 0.3), v: some("key", 0.9) });
    const total = [q, k, v].map((g) => g.sum(g.names) as Scalar).reduce((a, b) => a.add(b) as Scalar);
    return { result: { value, total } };
  });
  return print(program, { names: "canonical", locations: false });
}
