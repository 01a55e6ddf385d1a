import { Layout, makeMesh } from "../../compiler/mesh.js";
import { dce } from "../../compiler/passes/dce.js";
import { CHIPS } from "../../compiler/plan/chips.js";
import { estimate, padded, stateBytes } from "../../compiler/plan/model.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import {
  anyFits,
  type Choice,
  factorizations,
  meshes,
  resized,
  runCost,
  search,
  type Traced,
} from "../../compiler/plan/search.js";
import { parseTarget } from "../../compiler/plan/target.js";
import { timelineOf } from "../../compiler/plan/timeline.js";
import { verdictOf } from "../../compiler/plan/verdict.js";
import { changed, type Port, type Program } from "../../compiler/program.js";
import { traceProgram } from "../../compiler/trace.js";
import { resolveConfig } from "../../emit/config.js";
import { stepFlops, tokensOf } from "../../emit/model_flops.js";
import { layoutOf } from "../../models/layout.js";
import { llama, llamaPresets } from "../../models/llama.js";
import { place, scan, whileLoop } from "../../ops/control.js";
import { contract, gather } from "../../ops/functions.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";

/** y = x w: x `[batch 16, embed 256]`, w `[embed 256, mlp 512]`, float32. */
const product = (): Program =>
  traceProgram(
    "product",
    { state: { params: { w: spec({ embed: 256, mlp: 512 }) } }, batch: { x: spec({ batch: 16, embed: 256 }) } },
    ({ state: { params }, batch: { x } }) => ({
      result: { y: contract<"batch", "mlp", "embed">(x, params.w, ["embed"]) },
    }),
  );

const on = (program: Program, sizes: Record<string, number>, slices = {}) =>
  estimate(timelineOf(program), new Layout(makeMesh(sizes, slices)), CHIPS.v5p);

test("a product on one device", () => {
  const { flops, sent, memory, compute, traffic, network, bound, step, bytes } = on(product(), { data: 1 });
  expect(flops).toBe(2 * 16 * 256 * 512);
  expect(sent).toEqual({});
  expect(memory.parameters).toBe(4 * 256 * 512);
  expect(memory.rest).toBe(4 * 16 * 256);
  // The result alone is temporary.
  expect(memory.gradients + memory.activations).toBe(4 * 16 * 512);
  expect(bytes).toBe(4 * (16 * 256 + 256 * 512 + 16 * 512));
  expect(compute).toBe(flops / 459e12);
  expect(traffic).toBe(bytes / 2765e9);
  expect(network).toBe(0);
  expect([bound, step]).toEqual(["memory", traffic]);
  expect(memory.total).toBe(memory.parameters + memory.rest + 4 * 16 * 512 + memory.code);
});

test("of a table that is looked up in, and of a stack that a loop goes along, what is taken is read", () => {
  const sizes = { table: spec({ vocab: 1024, embed: 256 }), tokens: spec({ batch: 16 }, "i32") };
  const lookUp = traceProgram("look_up", { batch: sizes }, ({ batch: { table, tokens } }) => ({
    result: { y: gather(table, "vocab", tokens) },
  }));
  const row = 4 * 256;
  expect(on(lookUp, { data: 1 }).bytes).toBe(16 * row + 4 * padded([16], 4, CHIPS.v5p) + 16 * row);

  const stack = { x: spec({ layers: 8, batch: 16, embed: 256 }), sum: spec({ batch: 16, embed: 256 }) };
  const added = traceProgram("added", { batch: stack }, ({ batch: { x, sum } }) => ({
    result: { y: scan("layers", sum, x, (sum, x) => [sum.add(x), undefined])[0] },
  }));
  // Each of eight steps reads its element and the sum, and writes the sum.
  expect(on(added, { data: 1 }).bytes).toBe(8 * 3 * 16 * row);
});

test("weights sharded over fsdp are gathered, and lie whole beside the result", () => {
  const { flops, sent, memory, network } = on(product(), { fsdp: 2, tensor: 2 });
  expect(flops).toBe((2 * 16 * 256 * 512) / 4);
  expect(memory.parameters).toBe((4 * 256 * 512) / 4);
  // Each device of two has half of 256 x 256 and sends it to the other.
  expect(sent).toEqual({ fsdp: (4 * 256 * 256) / 2 });
  expect(network).toBe((4 * 256 * 256) / 2 / 200e9);
  // The gathered weight is as large as 256 x 256, the result 8 x 256.
  expect(memory.gradients + memory.activations).toBe(4 * (256 * 256 + 8 * 256));
});

test("what contracted dimensions that are split give is added up", () => {
  const { sent, flops } = on(
    traceProgram(
      "gradient",
      {
        batch: { x: spec({ batch: 64, embed: 256 }), dy: spec({ batch: 64, mlp: 512 }) },
        state: { params: { w: spec({ embed: 256, mlp: 512 }) } },
      },
      ({ batch: { x, dy } }) => ({ result: { dw: contract<"embed", "mlp", "batch">(x, dy, ["batch"]) } }),
    ),
    { data: 4 },
  );
  expect(flops).toBe((2 * 64 * 256 * 512) / 4);
  // A ring adds up and hands round three quarters each.
  expect(sent).toEqual({ data: 2 * (3 / 4) * 4 * 256 * 512 });
});

test("a loop stacks what its steps give, and runs them all", () => {
  const program = traceProgram(
    "stack",
    {
      state: { params: { w: spec({ layers: 4, embed: 256, mlp: 256 }) } },
      batch: { x: spec({ batch: 128, embed: 256 }) },
    },
    ({ state: { params }, batch: { x } }) => {
      const [, ys] = scan("layers", x, params.w, (h, w) => {
        const y = contract<"batch", "mlp", "embed">(h, w, ["embed"]);
        return [y.rename("mlp", "embed") as never, y] as const;
      });
      return { result: { ys } };
    },
  );
  const { flops, memory } = on(program, { data: 2 });
  expect(flops).toBe((4 * 2 * 128 * 256 * 256) / 2);
  const one = (4 * 128 * 256) / 2;
  // The carry, the stack, and the step's result, which is both the next carry and an element of the stack.
  expect(memory.gradients + memory.activations).toBe((1 + 4 + 1) * one);
});

test("a loop whose steps are not known runs as often as is said", () => {
  const repeated = (expected?: number) =>
    traceProgram(
      "repeated",
      { batch: { x: spec({ batch: 16, embed: 256 }), w: spec({ embed: 256, mlp: 256 }), n: spec({}, "i32") } },
      ({ batch: { x, w, n } }) => {
        const step = ({ i, x }: { i: Tensor<never>; x: Tensor<"batch" | "embed"> }) => ({
          i: i.add(1),
          x: contract<"batch", "mlp", "embed">(x, w, ["embed"]).rename("mlp", "embed"),
        });
        const start = { i: n.mul(0), x };
        return { result: { y: whileLoop(start, ({ i }) => i.lt(n), step, { expected }).x } };
      },
    );
  const once = 2 * 16 * 256 * 256;
  expect([undefined, 1, 7.5].map((n) => on(repeated(n), { data: 1 }).flops / once)).toEqual([1, 1, 7.5]);
});

test("tiles of up to 8 x 128 are filled up", () => {
  expect(padded([16, 256], 4, CHIPS.v4)).toBe(16 * 256);
  expect(padded([3, 5], 4, CHIPS.v4)).toBe(4 * 128);
  expect(padded([5, 3], 4, CHIPS.v4, true)).toBe(8 * 128);
  expect(padded([64, 1000], 4, CHIPS.v4)).toBe(64 * 1024);
  expect(padded([3, 5], 4, CHIPS.h100)).toBe(15);
});

test("meshes of 8 devices, and of two slices of 4", () => {
  expect(factorizations(6, 2)).toEqual([
    [1, 6],
    [2, 3],
    [3, 2],
    [6, 1],
  ]);
  expect(meshes({ devices: 8, slices: 1 })).toHaveLength(20);
  const across = meshes({ devices: 8, slices: 2 });
  expect(across).toHaveLength(10);
  expect(
    across.every(({ data, fsdp, context, tensor }) => data % 2 === 0 && data * fsdp * context * tensor === 8),
  ).toBe(true);
});

test("stages are combined with one way to split the batch, and with tensor", () => {
  const found = meshes({ devices: 8, slices: 1 }, { stages: [1, 2] });
  expect(found.filter(({ stage }) => stage === 1)).toHaveLength(20);
  expect(found.filter(({ stage }) => stage === 2).map(({ data, fsdp, tensor }) => [data, fsdp, tensor])).toEqual([
    [1, 1, 4],
    [1, 2, 2],
    [1, 4, 1],
    [2, 1, 2],
    [4, 1, 1],
  ]);
});

test("stages: the gradients of a part of the batch's own stages meet once, what goes on to the next stage in every tick", () => {
  // Sizes that fill tiles.
  const model = { context: 32, vocab: 128, layers: 4, heads: 1, kvHeads: 1, embed: 128, mlp: 256 };
  const mesh = { data: 2, stage: 2 };
  const train = { batch: 16, pipeline: { microBatches: 4 } };
  const config = llama.schema.parse({ target: "cpu:4", mesh, model, train });
  const [program] = llama.programs(config, ["train_step"]);
  dce(program!.region);
  const { sent } = estimate(timelineOf(program!), layoutOf(config)!, CHIPS.v5p);
  const layer = 4 * 128 * 128 + 3 * 128 * 256 + 2 * 128;
  const rest = 2 * 128 * 128 + 128;
  // In a ring of two each sends its part twice; numbers of the loss and of norms come on top.
  const gradients = 4 * ((4 / 2) * layer + rest);
  expect(sent.data! / gradients).toBeGreaterThanOrEqual(1);
  expect(sent.data! / gradients).toBeLessThan(1.001);
  // 2 sequences, in 5 ticks forward and as many backward.
  const part = 4 * 2 * 32 * 128;
  expect(sent["stage+data"]).toBe(2 * 5 * part);
});

test("between slices goes one device's part", () => {
  const { sent, across } = on(product(), { fsdp: 2 }, { fsdp: 2 });
  // Four devices gather 256 x 512; between the two slices go halves of halves.
  expect(sent).toEqual({ fsdp: 4 * 256 * 512 * (3 / 4) });
  expect(across).toBe((4 * 256 * 512) / 2 / 2);
});

test("an axis that no rule knows lies as what it comes from", () => {
  const program = traceProgram("renamed", { batch: { x: spec({ batch: 16, embed: 256 }) } }, ({ batch: { x } }) => ({
    result: { y: x.rename("batch", "group").exp() },
  }));
  const { memory } = on(program, { data: 4 });
  expect(memory.gradients + memory.activations).toBe((4 * 16 * 256) / 4);
});

test("what lies in the host's memory comes and goes over its link", () => {
  const mu = () => spec({ embed: 256, mlp: 512 });
  const program = traceProgram(
    "moments",
    { state: { optimizer: { mu: mu() } } },
    ({ state: { optimizer } }) => ({
      state: { optimizer: { mu: place(place(optimizer.mu, "device").mul(0.9), "pinned_host") } },
    }),
    { host: ["optimizer"] },
  );
  const { memory, host, bound } = on(program, { data: 1 });
  const bytes = 4 * 256 * 512;
  expect(memory.host).toBe(bytes);
  expect(memory.optimizer).toBe(0);
  expect(host).toBe((2 * bytes) / 16e9);
  expect(bound).toBe("host");
  // The copy on the device, which the product is written over.
  expect(memory.total - memory.code).toBe(bytes);
});

test.each<[what: string, train: object, optimizer: (all: number, blocks: number) => number, trained: string[]]>([
  ["AdamW's moments", {}, (all) => 8 * all, ["tokens", "blocks", "norm", "head"]],
  ["momentum", { optimizer: "sgd" }, (all) => 4 * all, ["tokens", "blocks", "norm", "head"]],
  ["nothing", { optimizer: "sgd", sgd: { momentum: 0 } }, () => 0, ["tokens", "blocks", "norm", "head"]],
  ["averages too", { ema: {} }, (all) => 12 * all, ["tokens", "blocks", "norm", "head"]],
  [
    "of what is trained alone",
    { ema: {}, parameters: [{ match: "blocks", freeze: true }] },
    (all, blocks) => 12 * (all - blocks),
    ["tokens", "norm", "head"],
  ],
])("what training keeps of the parameters: %s", (_, train, kept, trained) => {
  const config = resolveConfig(llama.schema, { values: { model: llamaPresets.tiny, train } });
  const [step, evaluation] = llama.programs(config, ["train_step", "eval_step"]) as [Program, Program];
  const count = (ports: readonly Port[]) => ports.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
  const params = step.inputs.filter(({ name }) => name.startsWith("params/"));
  const all = count(params);
  const blocks = count(params.filter(({ name }) => name.startsWith("params/blocks/")));
  const changes = changed(step).map(({ name }) => name);
  expect([...new Set(changes.filter((n) => n.startsWith("params/")).map((n) => n.split("/")[1]))]).toEqual(trained);

  const one = new Layout(makeMesh({ data: 1 }));
  const { memory } = estimate(timelineOf(step), one, CHIPS.h100);
  expect([memory.parameters, memory.optimizer]).toEqual([4 * all, kept(all, blocks)]);
  expect(estimate(timelineOf(evaluation), one, CHIPS.h100).memory).toMatchObject({ parameters: 4 * all, optimizer: 0 });

  const hlo = parseOptimizedHlo("HloModule m\n\nENTRY %main () -> f32[] {\n  ROOT %c = f32[] constant(0)\n}\n");
  const xla = { arguments: 1e9, outputs: 1e9, aliased: 1e9, temporaries: 1e9, peak: 3e9, code: 0 };
  const use = (program: Program) =>
    verdictOf(
      program,
      parseTarget("cpu"),
      hlo,
      { ...xla, host_arguments: 0, host_temporaries: 0 },
      { tokens: 1, modelFlops: 1 },
    ).memory;
  const frozen = trained.length === 4 ? 0 : blocks;
  expect(use(step)).toMatchObject({ parameters: 4 * all, optimizer: kept(all, blocks), gradients: 4 * (all - frozen) });
  expect(use(evaluation)).toMatchObject({ parameters: 4 * all, optimizer: 0, gradients: 0 });
  // In bfloat16 layers multiply with matrices; norms they compute in float32, and embedding and head are in no loop.
  const narrow = resolveConfig(llama.schema, { values: { model: { ...llamaPresets.tiny, dtype: "bf16" }, train } });
  const matrices = count(params.filter(({ name, shape }) => name.startsWith("params/blocks/") && shape.length > 2));
  const { gradients } = use(llama.programs(narrow, ["train_step"])[0]!);
  expect(gradients).toBe(4 * (all - frozen) - 2 * (frozen > 0 ? 0 : matrices));
  expect(stepFlops(step, evaluation) / (evaluation.cost.flops * (tokensOf(step) / tokensOf(evaluation)))).toBeCloseTo(
    3 - frozen / all,
  );
});

test("days and dollars", () => {
  const { days, dollars } = runCost(86_400e6, 1e6, 10, 4.2);
  expect(days).toBe(1);
  expect(dollars).toBeCloseTo(24 * 10 * 4.2, 9);
});

test("pods of other sizes", () => {
  const target = parseTarget("tpu:v5p:4x4x4");
  expect([32, 128, 512].map((chips) => resized(target, chips))).toEqual([
    "tpu:v5p:2x4x4",
    "tpu:v5p:4x4x8",
    "tpu:v5p:8x8x8",
  ]);
  expect(resized(parseTarget("tpu:v5e:4x4"), 512)).toBeUndefined();
});

test("what fits comes first, the fastest of it; sizes that do not divide are left out", () => {
  const program = product();
  const timeline = timelineOf(program);
  const space = {
    meshes: meshes({ devices: 32, slices: 1 }, { context: false }),
    remats: [undefined],
    accumulations: [1],
  };
  const traced = ({ mesh }: { mesh: object }) => ({ timeline, layout: new Layout(makeMesh({ ...mesh })) });
  const found = search(space, traced, CHIPS.v5p);
  expect(found.length).toBeGreaterThan(0);
  expect(found.every((j) => 16 % (j.mesh.data * j.mesh.fsdp) === 0)).toBe(true);
  expect(found.map((j) => j.estimate.step)).toEqual(found.map((j) => j.estimate.step).sort((a, b) => a - b));
  const none = search(space, traced, { ...CHIPS.v5p, usable: 1 });
  expect(none.every((j) => !j.fits)).toBe(true);
});

test("meshes on which not even the state fits are not traced, unless there are no others", () => {
  const timeline = timelineOf(product());
  const layout = (mesh: object) => new Layout(makeMesh({ ...mesh }));
  const all = meshes({ devices: 16, slices: 1 }, { context: false });
  const space = { meshes: all, remats: [undefined], accumulations: [1] };
  const judged = (usable: number, bounded: boolean) => {
    let traced = 0;
    const count = ({ mesh }: { mesh: object }) => {
      traced++;
      return { timeline, layout: layout(mesh) };
    };
    const least = ({ mesh }: { mesh: object }) => stateBytes(timeline, layout(mesh), CHIPS.v5p);
    return { found: search({ ...space, ...(bounded && { least }) }, count, { ...CHIPS.v5p, usable }), traced };
  };
  expect(stateBytes(timeline, layout({ data: 2, fsdp: 2, tensor: 4 }), CHIPS.v5p)).toBe((4 * 256 * 512) / 8);
  // Room for an eighth of the weight and for the program.
  const room = 40e6 + 4 * 256 * 512;
  const [bounded, whole] = [true, false].map((b) => judged(room, b));
  expect(bounded).toEqual(whole);
  const most = (4 * 256 * 512) / 8;
  expect(judged(most, true).traced).toBe(all.filter(({ fsdp, tensor }) => fsdp * tensor >= 8).length);
  expect(judged(1, true).found.length).toBeGreaterThan(0);
  expect(judged(1, true).found[0]).toEqual(judged(1, false).found[0]);
});

test("a search leaves out what is not the fastest, and ends at the first that fits where that is the question", () => {
  const train = { batch: 16 };
  const known = new Map<string, ReturnType<Traced>>();
  const traced = (choice: Choice) => {
    const key = JSON.stringify([choice.mesh, choice.remat]);
    if (!known.has(key)) known.set(key, traceOn(choice));
    return known.get(key)!;
  };
  const traceOn = ({ mesh, remat, accumulation }: Choice) => {
    const model = { ...llamaPresets.tiny, layers: 3, heads: 4, kvHeads: 4, context: 512, remat };
    const values = { model, train: { batch: train.batch / accumulation, accumulation }, mesh: { ...mesh } };
    const config = resolveConfig(llama.schema, { values });
    const [program] = llama.programs(config, ["train_step"]);
    dce(program!.region);
    return { timeline: timelineOf(program!), layout: layoutOf(config) ?? new Layout(makeMesh({ data: 1 })) };
  };
  const [remats, accumulations] = [["everything", ["attn_out"], "nothing"] as const, [1]];
  const space = { meshes: meshes({ devices: 4, slices: 1 }, { context: false }), remats, accumulations };
  const all = space.meshes.flatMap((mesh) =>
    remats.map((remat) => {
      const { timeline, layout } = traced({ mesh, remat, accumulation: 1, offload: false });
      return estimate(timeline, layout, CHIPS.v5p);
    }),
  );
  const sizes = all.map(({ memory }) => memory.total).sort((a, b) => a - b);
  for (const usable of sizes.filter((_, i) => i % 4 === 0)) {
    const chip = { ...CHIPS.v5p, usable };
    const fastest = Math.min(...all.filter(({ memory }) => memory.total <= usable).map(({ step }) => step));
    const [best] = search(space, traced, chip);
    expect([best!.fits, best!.estimate.step]).toEqual([true, fastest]);
    expect(anyFits(space, traced, chip)).toBe(true);
  }
  let judged = 0;
  const counted = (choice: Choice) => {
    judged++;
    return traced(choice);
  };
  expect(anyFits(space, counted, { ...CHIPS.v5p, usable: sizes.at(-1)! })).toBe(true);
  expect(judged).toBe(1);
  expect(anyFits(space, traced, { ...CHIPS.v5p, usable: sizes[0]! - 1 })).toBe(false);
});
