/** What a plan reckons, beside what the TPU compiler makes of the same program: half a minute each. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Layout, makeMesh } from "../../compiler/mesh.js";
import { dce } from "../../compiler/passes/dce.js";
import { estimate } from "../../compiler/plan/model.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { parseTarget } from "../../compiler/plan/target.js";
import { timelineOf } from "../../compiler/plan/timeline.js";
import { verdictOf } from "../../compiler/plan/verdict.js";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import type { ModelDefinition } from "../../models/define.js";
import { layoutOf } from "../../models/layout.js";
import { llama } from "../../models/llama.js";
import { mixtral } from "../../models/mixtral.js";
import { compileAhead } from "../../runtime-bridge/bridge.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();
type Settings = Readonly<Record<string, unknown>>;
type Config = ReturnType<ModelDefinition["schema"]["parse"]>;

const LLAMA = {
  context: 2048,
  vocab: 32_768,
  layers: 16,
  heads: 32,
  kvHeads: 8,
  embed: 4096,
  mlp: 11_264,
  dtype: "bf16",
};
const MIXTRAL = { ...LLAMA, layers: 8, heads: 16, embed: 2048, mlp: 4096, capacity: 1.25, remat: "nothing" };
const CHARS = { context: 1024, layers: 12, heads: 16, embed: 1024, dtype: "bf16" };
const SOME = ["attn_out", "residual", "mlp_up"];

const configured = (
  model: ModelDefinition,
  target: string,
  mesh: Settings,
  ofModel: Settings,
  rest: Settings,
): Config => model.schema.parse({ target, mesh, model: ofModel, ...rest });

/** Bytes of a device's memory, and bytes that it sends. */
interface Figures {
  readonly memory: number;
  readonly sent: number;
}

/** As the plan reckons. */
function reckoned(model: ModelDefinition, config: Config, entry = "train_step"): Figures {
  const [program] = model.programs(config, [entry]);
  dce(program!.region);
  const layout = layoutOf(config) ?? new Layout(makeMesh({ data: 1 }));
  const { memory, sent } = estimate(timelineOf(program!), layout, parseTarget(config.target).chip!);
  return { memory: memory.total, sent: Object.values(sent).reduce((a, b) => a + b, 0) };
}

let artifacts = 0;
/** As the compiler has it. */
async function compiled(model: ModelDefinition, config: Config, entry = "train_step"): Promise<Figures> {
  const target = parseTarget(config.target);
  const artifact = join(folder, `artifact-${artifacts++}`);
  const made = await compile(model, config, { locations: false, only: [entry] });
  await made.write(artifact);
  const event = await compileAhead({ artifact, entry, target, out: `${artifact}-out` });
  if (event.event !== "ahead") throw new Error(event.message);
  const hlo = parseOptimizedHlo(await readFile(event.hlo, "utf8"));
  const { program } = made.programs[0]!;
  const { memory, sent } = verdictOf(program, target, hlo, event.memory, { tokens: 1, modelFlops: 1 });
  return { memory: memory.total, sent };
}

/** A name, the model, the target, the mesh, settings of the model and others. */
type Case = readonly [string, ModelDefinition, string, Settings, Settings, Settings];

const CASES: readonly Case[] = [
  ["fsdp", llama, "tpu:v5e:4x4", { fsdp: 16 }, { ...LLAMA, remat: "nothing" }, { train: { batch: 32 } }],
  [
    "two slices",
    llama,
    "tpu:v5e:4x4,slices=2",
    { data: 1, fsdp: 16 },
    { ...LLAMA, remat: "nothing" },
    { slices: { data: 2 }, train: { batch: 64 } },
  ],
  ["data, heads of 64", charTransformer, "tpu:v5e:2x4", { data: 8 }, CHARS, { train: { batch: 64 } }],
  [
    "fsdp, heads of 64",
    charTransformer,
    "tpu:v5e:2x4",
    { fsdp: 8 },
    { ...CHARS, remat: "nothing" },
    { train: { batch: 64 } },
  ],
  [
    "micro-batches",
    llama,
    "tpu:v6e:4x4",
    { fsdp: 16 },
    { ...LLAMA, remat: SOME },
    { train: { batch: 16, accumulation: 4 } },
  ],
  [
    "stages and fsdp",
    llama,
    "tpu:v5e:4x4",
    { stage: 4, fsdp: 4 },
    { ...LLAMA, remat: "nothing" },
    { train: { batch: 32, pipeline: { microBatches: 8 } } },
  ],
  [
    "data and stages",
    llama,
    "tpu:v5p:2x2x4",
    { data: 4, stage: 4 },
    { ...LLAMA, remat: "nothing" },
    { train: { batch: 64, pipeline: { microBatches: 8 } } },
  ],
  [
    "stages and tensor, all kept",
    llama,
    "tpu:v5p:2x2x4",
    { stage: 2, fsdp: 2, tensor: 4 },
    { ...LLAMA, remat: "everything" },
    { train: { batch: 32, pipeline: { microBatches: 4 } } },
  ],
  ["experts", mixtral, "tpu:v5p:2x2x4", { fsdp: 4, expert: 4 }, MIXTRAL, { train: { batch: 32 } }],
  [
    "context",
    llama,
    "tpu:v5p:2x2x4",
    { context: 4, fsdp: 4 },
    { ...LLAMA, remat: "nothing" },
    { train: { batch: 16 } },
  ],
  [
    "moments on the host",
    llama,
    "tpu:v5p:2x2x4",
    { data: 2, fsdp: 4, tensor: 2 },
    { ...LLAMA, remat: "nothing" },
    { train: { batch: 32, offload: { optimizer: true } } },
  ],
];

/** Of one model on one pod: what a plan chooses from. */
const POD: readonly Case[] = [
  [
    "fsdp and tensor",
    llama,
    "tpu:v4:2x2x4",
    { fsdp: 4, tensor: 4 },
    { ...LLAMA, remat: "nothing" },
    { train: { batch: 64 } },
  ],
  ["fsdp", llama, "tpu:v4:2x2x4", { fsdp: 16 }, { ...LLAMA, remat: "nothing" }, { train: { batch: 64 } }],
  ["fsdp, some kept", llama, "tpu:v4:2x2x4", { fsdp: 16 }, { ...LLAMA, remat: SOME }, { train: { batch: 64 } }],
  [
    "data and tensor, some kept",
    llama,
    "tpu:v4:2x2x4",
    { data: 4, tensor: 4 },
    { ...LLAMA, remat: SOME },
    { train: { batch: 64 } },
  ],
  [
    "data, fsdp and tensor",
    llama,
    "tpu:v4:2x2x4",
    { data: 2, fsdp: 4, tensor: 2 },
    { ...LLAMA, remat: "nothing" },
    { train: { batch: 64 } },
  ],
];

/** By target, name by name. */
const found = new Map<string, { readonly plan: Figures; readonly compiler: Figures }>();

/** What docs/planning.md says. */
afterAll(() => {
  const off = (plan: number, compiler: number) => `${((plan / compiler - 1) * 100).toFixed(1)} %`;
  const lines = [...found].map(
    ([name, { plan, compiler }]) =>
      `${name}: memory ${off(plan.memory, compiler.memory)}, sent ${off(plan.sent, compiler.sent)}`,
  );
  process.stdout.write(`\n${lines.join("\n")}\n`);
});

test.each([...CASES, ...POD])(
  "%s: memory is within 10 % of the compiler's",
  async (...[name, model, target, mesh, own, rest]) => {
    const config = configured(model, target, mesh, own, rest);
    const [plan, compiler] = [reckoned(model, config), await compiled(model, config)];
    found.set(`${target} ${name}`, { plan, compiler });
    expect(Math.abs(plan.memory / compiler.memory - 1)).toBeLessThan(0.1);
  },
);

test("decoding: memory is within 10 % of the compiler's", async () => {
  const own = { ...LLAMA, layers: 32 };
  const config = configured(llama, "tpu:v5e:4x4", { fsdp: 2, tensor: 8 }, own, { generate: { batch: 256 } });
  const [plan, compiler] = [reckoned(llama, config, "decode_step"), await compiled(llama, config, "decode_step")];
  found.set("tpu:v5e:4x4 decoding", { plan, compiler });
  expect(Math.abs(plan.memory / compiler.memory - 1)).toBeLessThan(0.1);
});

/** Spearman's: of the ranks, 1 where two orders are the same. */
function rankCorrelation(xs: readonly number[], ys: readonly number[]): number {
  const ranks = (list: readonly number[]) => list.map((x) => list.filter((other) => other < x).length);
  const [p, q] = [ranks(xs), ranks(ys)];
  const n = xs.length;
  return 1 - (6 * p.reduce((sum, rank, i) => sum + (rank - q[i]!) ** 2, 0)) / (n * (n * n - 1));
}

test("ranks", () => {
  expect(rankCorrelation([1, 2, 3], [10, 20, 30])).toBe(1);
  expect(rankCorrelation([1, 2, 3], [30, 20, 10])).toBe(-1);
  expect(rankCorrelation([1, 2, 3, 4], [1, 2, 4, 3])).toBeCloseTo(0.8, 12);
});

test.each(["memory", "sent"] as const)("candidates for a pod are ranked by %s as the compiler ranks them", (figure) => {
  const pairs = POD.map(([name, , target]) => found.get(`${target} ${name}`)!);
  const of = (who: "plan" | "compiler") => pairs.map((pair) => pair[who][figure]);
  expect(rankCorrelation(of("plan"), of("compiler"))).toBeGreaterThanOrEqual(0.9);
});

const SMALL = { context: 512, vocab: 1024, layers: 4, heads: 8, kvHeads: 8, embed: 512, mlp: 1024, dtype: "bf16" };

// Every generation of the table of chips.
test.each(["tpu:v3:4x4", "tpu:v4:2x2x4", "tpu:v5e:4x4", "tpu:v5p:2x2x4", "tpu:v6e:4x4", "tpu:7x:2x2x4"])(
  "a sharded train step compiles for %s",
  async (target) => {
    const config = configured(llama, target, { fsdp: -1, tensor: 2 }, SMALL, { train: { batch: 64 } });
    const { memory, sent } = await compiled(llama, config);
    expect(memory).toBeGreaterThan(reckoned(llama, config).memory / 2);
    expect(sent).toBeGreaterThan(0);
  },
);

const WAYS = ["data", "fsdp", "tensor", "expert", "context", "stage"];
const PAIRS = WAYS.flatMap((a, i) => WAYS.slice(i + 1).map((b) => [a, b] as const));

test.each(PAIRS)("%s and %s compile together for a TPU", async (a, b) => {
  const model = [a, b].includes("expert") ? mixtral : llama;
  const own = model === mixtral ? { ...SMALL, capacity: 1.25 } : SMALL;
  const config = configured(model, "tpu:v5p:2x2x2", { [a]: 4, [b]: 2 }, own, { train: { batch: 16 } });
  const { sent } = await compiled(model, config);
  expect(sent).toBeGreaterThan(0);
});
