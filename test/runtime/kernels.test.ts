/**
 * The TPU's kernels against the decompositions that they stand for: interpreted on the CPU for their values, compiled by the TPU
 * compiler for that they are there.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DType, Platform } from "../../compiler/ir.js";
import { KERNELS, type Kernel, withKernels } from "../../compiler/kernels.js";
import { Layout, makeMesh } from "../../compiler/mesh.js";
import { kernels, totalCost } from "../../compiler/plan/costs.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { parseTarget, type Target } from "../../compiler/plan/target.js";
import type { Program } from "../../compiler/program.js";
import { traceProgram, withLayout } from "../../compiler/trace.js";
import { mapLeaves } from "../../compiler/tree.js";
import { Compiled, compile, print } from "../../emit/compile.js";
import { mixtral, mixtralPresets } from "../../models/index.js";
import type { KernelsConfig } from "../../models/kernels.js";
import { attention } from "../../models/layers/attention/dot_product.js";
import { Moe, type MoeOptions } from "../../models/layers/index.js";
import { valueAndGrad } from "../../ops/control.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { compileAhead } from "../../runtime-bridge/bridge.js";
import type { EventOf } from "../../runtime-bridge/events.js";
import { python, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

interface Case {
  readonly kvHeads?: number;
  readonly group?: number;
  readonly seq?: number;
  readonly headDim?: number;
  readonly causal?: boolean;
  readonly window?: number | Readonly<Record<string, readonly number[]>>;
  readonly globals?: number;
  readonly softCap?: number;
  readonly sinks?: true;
  /** Of queries alone, or of keys by themselves too. */
  readonly segments?: "shared" | "own";
  readonly dtype?: DType;
  readonly mesh?: Readonly<Record<string, number>>;
}

let count = 0;
/** An artifact with one program, which may have kernels. */
async function written(
  name: string,
  mesh: Readonly<Record<string, number>> | undefined,
  trace: () => Program,
  platform: Platform = "cpu",
  allowed: readonly Kernel[] = KERNELS,
): Promise<string> {
  const program = withKernels(allowed, () => withLayout(mesh && new Layout(makeMesh(mesh)), trace));
  const text = await print(program, { locations: false, platform });
  const path = join(folder, `artifact-${count++}`);
  await new Compiled(name, {}, 0, [{ name, program, text }]).write(path);
  return path;
}

/** An artifact with one program: attention, the sum of its products with weights, and the gradients of that. */
async function artifact({
  kvHeads = 2,
  group = 1,
  seq = 256,
  headDim = 64,
  causal = true,
  dtype = "f32",
  mesh,
  sinks,
  segments,
  ...options
}: Case): Promise<string> {
  const keys = spec({ batch: 2, key: seq, kvHeads, headDim }, dtype);
  const queries = spec({ batch: 2, seq, kvHeads, group, headDim }, dtype);
  const inputs = {
    argument: { q: queries, k: keys, v: keys, weights: queries, ...(sinks && { sinks: spec({ kvHeads }, "f32") }) },
    batch: {
      ...(segments && { segments: spec({ batch: 2, seq }, "i32") }),
      ...(segments === "own" && { keySegments: spec({ batch: 2, key: seq }, "i32") }),
    },
  };
  return written("attention", mesh, () =>
    traceProgram("attention", inputs, ({ argument: { weights, ...operands }, batch }) => {
      const loss = ({ q, k, v, sinks }: typeof operands) => {
        const seen = { causal, sinks, ...batch, ...options, blockSize: 128 };
        const out = attention(q as Tensor, k as Tensor, v as Tensor, seen) as Tensor;
        return weighted(out, weights as Tensor);
      };
      const [value, gradients] = valueAndGrad(loss as never)(operands as never) as unknown as [Tensor, typeof operands];
      return { result: { value, gradients } };
    }),
  );
}

const weighted = (out: Tensor, weights: Tensor): Tensor =>
  out.mul(weights).cast("f32").sum(out.names) as unknown as Tensor;

interface MixtureCase extends MoeOptions {
  readonly stages?: true;
  readonly sizes?: Readonly<Record<"batch" | "seq" | "embed" | "mlp", number>>;
  readonly dtype?: DType;
  readonly mesh?: Readonly<Record<string, number>>;
}

/** Likewise with a mixture of experts, nothing dropped. */
async function mixture(
  { sizes = { batch: 4, seq: 64, embed: 128, mlp: 256 }, dtype = "f32", mesh, stages, ...options }: MixtureCase,
  ...whereAndHow: [platform?: Platform, allowed?: readonly Kernel[]]
): Promise<string> {
  const { mlp, ...ofTokens } = sizes;
  const moe = new Moe({ embed: sizes.embed }, { mlp }, options);
  const inputs = { argument: { moe, x: spec(ofTokens, dtype) as Tensor, weights: spec(ofTokens, dtype) as Tensor } };
  return written(
    "mixture",
    mesh,
    () =>
      traceProgram("mixture", inputs, ({ argument: { weights, ...operands } }) => {
        // As a device has a layer in stages.
        const lone = <T>(tree: T): T => (stages ? mapLeaves(tree, (t) => (t as Tensor).broadcast({ stage: 1 })) : tree);
        const loss = ({ moe, x }: typeof operands) => weighted(lone(moe).call(lone(x)) as Tensor, lone(weights));
        const [value, gradients] = valueAndGrad(loss as never)(operands as never) as unknown as [
          Tensor,
          typeof operands,
        ];
        return { result: { value, gradients } };
      }),
    ...whereAndHow,
  );
}

interface Comparison {
  readonly differences: Readonly<Record<string, number>>;
  readonly kernels: readonly string[];
  readonly placements: EventOf<"ahead">["kernels"];
}

async function compare(path: string, entry = "attention"): Promise<Comparison> {
  await python("compare_kernels.py", path, entry, `${path}.json`);
  return JSON.parse(readFileSync(`${path}.json`, "utf8"));
}

const BOTH = ["xenarc.attention.kernel", "xenarc.attention_backward.kernel"];

// Sums in another order: float32 rounds them apart by some 1e-6, bfloat16 rounds probabilities to 2^-8.
test.each<[string, Case, number]>([
  ["causal, the heads of one group", {}, 1e-5],
  ["causal, grouped queries, batch and heads over a mesh", { group: 2, mesh: { data: 2, tensor: 2 } }, 1e-5],
  ["a window, capped scores, sinks", { window: 70, softCap: 0.5, sinks: true }, 1e-5],
  ["windows in turn, global tokens", { window: { kvHeads: [70, 140] }, globals: 9 }, 1e-5],
  ["packed rows, grouped queries, over a mesh", { segments: "shared", group: 2, mesh: { data: 2, tensor: 2 } }, 1e-5],
  [
    "packed rows, keys of others, capped scores, sinks",
    { segments: "own", causal: false, softCap: 0.5, sinks: true },
    1e-5,
  ],
  ["all keys, 128 wide, bfloat16", { causal: false, headDim: 128, dtype: "bf16" }, 2e-2],
])(
  "%s: values and gradients of the kernels are those of the decomposition",
  async (_, c, tolerance) => {
    const { differences, kernels, placements } = await compare(await artifact(c));
    expect(placements.filter((p) => p.reason !== null)).toEqual([]);
    // Each window has its own.
    const second = typeof c.window === "object";
    expect(kernels).toEqual(BOTH.flatMap((name) => (second ? [name, `${name}_1`] : [name])));
    for (const [name, difference] of Object.entries(differences))
      expect([name, difference < tolerance]).toEqual([name, true]);
    expect(Object.keys(differences)).toHaveLength(c.sinks ? 5 : 4);
  },
  120_000,
);

// 256 rows a device, in blocks of 256: groups end inside of them.
test.each<[string, MixtureCase, number]>([
  ["one device", { experts: 4, perToken: 2 }, 1e-5],
  ["a layer in stages", { experts: 4, perToken: 2, stages: true }, 1e-5],
  [
    "tokens, experts and their width over a mesh",
    { experts: 4, perToken: 2, mesh: { data: 2, expert: 2, tensor: 2 } },
    1e-5,
  ],
  [
    "not all experts taken, parameters over the mesh",
    { experts: 4, perToken: 2, threshold: 0.6, mesh: { fsdp: 4 } },
    1e-5,
  ],
])(
  "grouped products, %s: values and gradients of the kernels are those of the decomposition",
  async (_, c, tolerance) => {
    const { differences, kernels, placements } = await compare(await mixture(c), "mixture");
    expect(placements.filter((p) => p.reason !== null)).toEqual([]);
    expect(kernels.map((name) => name.replace(/_\d+$/, ""))).toEqual(
      expect.arrayContaining(["xenarc.grouped_matmul.kernel", "xenarc.grouped_matmul_weights.kernel"]),
    );
    const wrong = Object.entries(differences).filter(([, difference]) => !(difference < tolerance));
    expect(wrong).toEqual([]);
    expect(Object.keys(differences)).toHaveLength(6);
  },
  120_000,
);

test("a case that no kernel is for runs without, and says why", async () => {
  const { differences, kernels, placements } = await compare(await artifact({ seq: 100 }));
  expect(kernels).toEqual([]);
  const reason = "100 queries and 100 keys are no multiples of 128";
  expect(placements).toEqual([
    { composite: "xenarc.attention", kernel: null, reason },
    { composite: "xenarc.attention_backward", kernel: null, reason },
  ]);
  expect(Math.max(...Object.values(differences))).toBe(0);
}, 60_000);

test.each<[KernelsConfig, string[]]>([
  [
    { target: "tpu:v5e:2x2", kernels: "auto" },
    ["attention", "attention_backward", "grouped_matmul", "grouped_matmul_weights"],
  ],
  [{ target: "tpu:v5e:2x2", kernels: "reference" }, []],
  [{ target: "cpu", kernels: "auto" }, []],
  [{ target: "cpu", kernels: ["grouped_matmul"] }, ["grouped_matmul", "grouped_matmul_weights"]],
])("%j: what a kernel may replace", async (config, names) => {
  const { programs } = await compile(mixtral, { model: mixtralPresets.tiny, ...config }, { only: ["train_step"] });
  const found = [...programs[0]!.text.matchAll(/composite "xenarc\.(\w+)"/g)].map((m) => m[1]!);
  expect([...new Set(found)].sort()).toEqual(names);
});

test("TPUs whose compiler takes no bfloat16 in kernels are given the decomposition", async () => {
  const path = await artifact({ headDim: 128, dtype: "bf16", mesh: { data: 2, tensor: 2 } });
  const event = await compileAhead({
    artifact: path,
    entry: "attention",
    target: parseTarget("tpu:v3:2x1"),
    out: `${path}-out`,
  });
  if (event.event !== "ahead") throw new Error(event.message);
  expect(kernels(parseOptimizedHlo(readFileSync(event.hlo, "utf8"))).get("tpu_custom_call")).toBeUndefined();
  const reason = "the compiler of TPU v3 takes no bfloat16 products in kernels";
  expect(event.kernels.map((p) => p.reason)).toEqual([reason, reason]);
}, 120_000);

test.each<[string, Case]>([
  ["attention", {}],
  [
    "attention of packed rows, a window, global tokens, capped scores, sinks",
    { segments: "shared", window: 200, globals: 100, softCap: 30, sinks: true },
  ],
])(
  "the TPU compiler is given the kernels of %s, on each device's part",
  async (_, c) => {
    const target = parseTarget("tpu:v5e:2x2");
    const path = await artifact({ seq: 512, headDim: 128, dtype: "bf16", mesh: { data: 2, tensor: 2 }, ...c });
    const event = await compileAhead({ artifact: path, entry: "attention", target, out: `${path}-out` });
    if (event.event !== "ahead") throw new Error(event.message);
    const found = kernels(parseOptimizedHlo(readFileSync(event.hlo, "utf8")));
    expect(event.kernels).toEqual([
      { composite: "xenarc.attention", kernel: "splash attention", reason: null },
      { composite: "xenarc.attention_backward", kernel: "splash attention", reason: null },
    ]);
    // One forward; one for the queries' gradient, and one for that of keys and values.
    expect([...found.values()].reduce((a, b) => a + b, 0)).toBe(3);
  },
  120_000,
);

/** What the TPU compiler makes of a mixture of experts, for one device. */
async function mixtureOnTpu(target: Target, c: MixtureCase, allowed: readonly Kernel[]) {
  const path = await mixture(c, "tpu", allowed);
  const event = await compileAhead({ artifact: path, entry: "mixture", target, out: `${path}-out` });
  if (event.event !== "ahead") throw new Error(event.message);
  const hlo = parseOptimizedHlo(readFileSync(event.hlo, "utf8"));
  return { ...event, flops: totalCost(hlo).flops, calls: kernels(hlo).get("tpu_custom_call") ?? 0 };
}

test.each(["tpu:v5e:2x2"])(
  "%s: a mixture's products take a group's share of the work, forward and backward",
  async (name) => {
    const target = parseTarget(name);
    const sizes = { batch: 4, seq: 1024, embed: 1024, mlp: 2048 };
    const c: MixtureCase = {
      experts: 8,
      perToken: 2,
      sizes,
      dtype: "bf16",
      mesh: { fsdp: 2, tensor: target.devices / 2 },
    };
    const [ours, plain] = [await mixtureOnTpu(target, c, KERNELS), await mixtureOnTpu(target, c, [])];
    // Three products, of which each has two in its derivative.
    expect(ours.calls).toBe(9);
    const products = (9 * 2 * 2 * 4 * 1024 * 1024 * 2048) / target.devices;
    expect(ours.flops / products).toBeLessThan(1.05);
    // chlo.ragged_dot multiplies the weights' gradients as if all rows were of all groups.
    expect(plain.flops / products).toBeGreaterThan(3);
    expect(ours.memory.peak).toBeLessThan(1.02 * plain.memory.peak);
  },
  240_000,
);
