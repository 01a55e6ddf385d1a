/**
 * The TPU's kernels against the decompositions that they stand for: interpreted on the CPU for their values, compiled by the TPU
 * compiler for that they are there.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DType } from "../../compiler/ir.js";
import { withKernels } from "../../compiler/kernels.js";
import { Layout, makeMesh } from "../../compiler/mesh.js";
import { kernels } from "../../compiler/plan/costs.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { parseTarget } from "../../compiler/plan/target.js";
import { traceProgram, withLayout } from "../../compiler/trace.js";
import { Compiled, print } from "../../emit/compile.js";
import { attention } from "../../models/layers/attention/dot_product.js";
import { valueAndGrad } from "../../ops/control.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { compileAhead } from "../../runtime-bridge/bridge.js";
import { python, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

interface Case {
  readonly kvHeads?: number;
  readonly group?: number;
  readonly seq?: number;
  readonly headDim?: number;
  readonly causal?: boolean;
  readonly window?: number;
  readonly softCap?: number;
  readonly sinks?: true;
  /** Of queries alone, or of keys by themselves too. */
  readonly segments?: "shared" | "own";
  readonly dtype?: DType;
  readonly mesh?: Readonly<Record<string, number>>;
}

let count = 0;
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
  const layout = mesh && new Layout(makeMesh(mesh));
  const inputs = {
    argument: { q: queries, k: keys, v: keys, weights: queries, ...(sinks && { sinks: spec({ kvHeads }, "f32") }) },
    batch: {
      ...(segments && { segments: spec({ batch: 2, seq }, "i32") }),
      ...(segments === "own" && { keySegments: spec({ batch: 2, key: seq }, "i32") }),
    },
  };
  const program = withKernels(["attention"], () =>
    withLayout(layout, () =>
      traceProgram("attention", inputs, ({ argument: { weights, ...operands }, batch }) => {
        const loss = ({ q, k, v, sinks }: typeof operands) => {
          const out = attention(q as Tensor, k as Tensor, v as Tensor, {
            causal,
            sinks,
            ...batch,
            ...options,
            blockSize: 128,
          }) as Tensor;
          return out
            .mul(weights as Tensor)
            .cast("f32")
            .sum(out.names);
        };
        const [value, gradients] = valueAndGrad(loss as never)(operands as never) as unknown as [
          Tensor,
          typeof operands,
        ];
        return { result: { value, gradients } };
      }),
    ),
  );
  const text = await print(program, { locations: false });
  const path = join(folder, `artifact-${count++}`);
  await new Compiled("attention", {}, 0, [{ name: "attention", program, text }]).write(path);
  return path;
}

interface Comparison {
  readonly differences: Readonly<Record<string, number>>;
  readonly kernels: readonly string[];
  readonly missing: readonly string[];
}

async function compare(c: Case): Promise<Comparison> {
  const path = await artifact(c);
  await python("compare_kernels.py", path, "attention", `${path}.json`);
  return JSON.parse(readFileSync(`${path}.json`, "utf8"));
}

const BOTH = ["xenarc.attention.kernel", "xenarc.attention_backward.kernel"];

// Sums in another order: float32 rounds them apart by some 1e-6, bfloat16 rounds probabilities to 2^-8.
test.each<[string, Case, number]>([
  ["causal, the heads of one group", {}, 1e-5],
  ["causal, grouped queries, batch and heads over a mesh", { group: 2, mesh: { data: 2, tensor: 2 } }, 1e-5],
  ["a window, capped scores, sinks", { window: 70, softCap: 0.5, sinks: true }, 1e-5],
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
    const { differences, kernels, missing } = await compare(c);
    expect(missing).toEqual([]);
    expect(kernels).toEqual(BOTH);
    for (const [name, difference] of Object.entries(differences))
      expect([name, difference < tolerance]).toEqual([name, true]);
    expect(Object.keys(differences)).toHaveLength(c.sinks ? 5 : 4);
  },
  120_000,
);

test("a case that no kernel is for runs without, and says why", async () => {
  const { differences, kernels, missing } = await compare({ seq: 100 });
  expect(kernels).toEqual([]);
  expect(missing).toEqual([
    "xenarc.attention runs without a kernel: 100 queries and 100 keys are no multiples of 128",
    "xenarc.attention_backward runs without a kernel: 100 queries and 100 keys are no multiples of 128",
  ]);
  expect(Math.max(...Object.values(differences))).toBe(0);
}, 60_000);

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
}, 120_000);

test.each<[string, Case]>([
  ["attention", {}],
  [
    "attention of packed rows, a window, capped scores, sinks",
    { segments: "shared", window: 200, softCap: 30, sinks: true },
  ],
])(
  "the TPU compiler is given the kernels of %s, on each device's part",
  async (_, c) => {
    const target = parseTarget("tpu:v5e:2x2");
    const path = await artifact({ seq: 512, headDim: 128, dtype: "bf16", mesh: { data: 2, tensor: 2 }, ...c });
    const event = await compileAhead({ artifact: path, entry: "attention", target, out: `${path}-out` });
    if (event.event !== "ahead") throw new Error(event.message);
    const found = kernels(parseOptimizedHlo(readFileSync(event.hlo, "utf8")));
    // One forward; one for the queries' gradient, and one for that of keys and values.
    expect([...found.values()].reduce((a, b) => a + b, 0)).toBe(3);
  },
  120_000,
);
