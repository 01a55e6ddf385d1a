import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CHIPS, type ChipName } from "../../compiler/plan/chips.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { costliest, totalCost } from "../../compiler/plan/costs.js";
import { type HloModule, parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { parseTarget, type Target } from "../../compiler/plan/target.js";
import { type ArtifactSource, addExecutable, readManifest, writeArtifact } from "../../emit/artifact.js";
import { flagsFor } from "../../emit/xla_flags.js";
import { compileAhead, type EventOf, inspect } from "../../runtime-bridge/bridge.js";
import { doubling, here, problem, python, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const GiB = 2 ** 30;

interface Ahead {
  readonly event: EventOf<"ahead">;
  readonly module: HloModule;
  readonly source: ArtifactSource;
}

let count = 0;
/** Compiles a program that JAX traced: a file of this folder, and what its mesh is. */
async function attempt(target: string, file: string, ...args: string[]) {
  const source: ArtifactSource = JSON.parse(await python(file, ...args));
  const artifact = join(folder, `artifact-${count++}`);
  await writeArtifact(artifact, source);
  const entry = source.programs[0]!.name;
  const event = await compileAhead({ artifact, entry, target: parseTarget(target), out: `${artifact}-out` });
  return { event, source };
}

async function compiled(target: string, file: string, ...args: string[]): Promise<Ahead> {
  const { event, source } = await attempt(target, file, ...args);
  if (event.event !== "ahead") throw new Error(event.message);
  return { event, source, module: parseOptimizedHlo(readFileSync(event.hlo, "utf8")) };
}

const table = ({ module, source }: Ahead): string[] =>
  collectiveTable(collectives(module, source.mesh))
    .map(({ kind, axes, acrossSlices, count, bytes }) => {
      return `${kind} ${axes.join("+")}${acrossSlices ? " across slices" : ""}: ${count} x ${bytes / count}`;
    })
    .sort();

// One for each generation; a device of the mesh is not always a chip.
const STEPS: [target: string, mesh: string, device: string][] = [
  ["cpu:8", "2x4", "cpu"],
  ["tpu:v3:8x16", "64x4", "TPU v3"],
  ["tpu:v4:2x2x4", "4x4", "TPU v4"],
  ["tpu:v5e:16x16", "64x4", "TPU v5 lite"],
  ["tpu:v5p:4x4x4", "16x4", "TPU v5"],
  ["tpu:v6e:16x16", "64x4", "TPU v6 lite"],
  ["tpu:7x:4x4x4", "32x4", "TPU7x"],
];

/** Eight layers, 256 tokens a device, matrices of 1,024 x 4,096 over `model` 4. */
const LAYERS = 8;
const MATRIX = 1024 * 1024 * 2;
const ACTIVATIONS = 256 * 1024 * 2;

test.each(STEPS)("a train step for %s", async (target, mesh, kind) => {
  const step = await compiled(target, "sharded_step.py", mesh);
  const { event, module, source } = step;
  const devices = parseTarget(target).devices;
  expect(event).toMatchObject({ program: "train_step", devices, device: kind });
  expect(module.unknownLoops).toEqual([]);

  // Forward two products a layer, backward four and one again for remat.
  const { chip } = parseTarget(target);
  expect(totalCost(module, chip, source.mesh).flops).toBe(LAYERS * 7 * 2 * 256 * 1024 * 1024);

  // What FSDP and tensor parallelism communicate; XLA may put gradients together, and CPUs gather and reduce in float32.
  if (chip !== undefined) {
    const rows = collectiveTable(collectives(module, source.mesh));
    const of = (name: string, axis: string) => rows.find((row) => row.kind === name && row.axes.join() === axis);
    expect(of("all-gather", "data")).toMatchObject({ count: LAYERS * 4, bytes: LAYERS * 4 * MATRIX });
    expect(of("reduce-scatter", "data")).toMatchObject({ bytes: LAYERS * 2 * MATRIX });
    expect(of("all-reduce", "model")).toMatchObject({ count: LAYERS * 2, bytes: LAYERS * 2 * ACTIVATIONS });
    expect(of("all-reduce", "data")).toMatchObject({ count: 1, bytes: 4 });
    expect(rows).toHaveLength(4);
  }

  // Weights are donated; each device has its part of them, and of the batch.
  const data = Number(mesh.split("x")[0]);
  const weights = (LAYERS * 2 * MATRIX) / data;
  expect(event.memory.arguments).toBe(weights + 2 * ACTIVATIONS);
  expect(event.memory.aliased).toBe(weights);
  expect(event.memory.host_arguments).toBe(0);
  expect(statSync(event.executable).size).toBeGreaterThan(10_000);

  const matrices = readFileSync(here("sharded_step.py"), "utf8")
    .split("\n")
    .findIndex((line) => line.includes("x @ up"));
  const lines = costliest(module, chip, source.mesh, 3).map(({ stack }) => stack[0]?.line);
  expect(lines).toContain(matrices + 1);
});

test.each(["cpu:8", "tpu:v3:2x2", "tpu:v5e:2x4", "tpu:v5p:2x2x2", "tpu:7x:2x2x1"])(
  "each collective, in a loop of three, for %s",
  async (target) => {
    const array = 64 * 64 * 4;
    expect(table(await compiled(target, "all_collectives.py", "2x4"))).toEqual([
      `all-gather model: 3 x ${4 * array}`,
      `all-reduce data: 3 x ${array}`,
      `all-to-all data+model: 3 x ${array}`,
      `collective-permute model: 3 x ${array}`,
      `reduce-scatter model: 3 x ${4 * array}`,
    ]);
  },
);

test("two slices: what goes between them is told from what stays inside", async () => {
  const step = await compiled("tpu:v5e:4x4,slices=2", "sharded_step.py", "8x4", "1024", "2");
  expect(step.event.devices).toBe(32);
  expect(step.module.partitions).toBe(16);
  const rows = collectiveTable(collectives(step.module, step.source.mesh));
  const across = rows.filter((row) => row.acrossSlices);
  expect(across.map(({ kind, axes }) => `${kind} ${axes}`).sort()).toEqual(["all-gather data", "all-reduce data"]);
  // Gradients: each of a slice's four devices along `data` sums its quarter with the other slice's.
  const gradients = across.find(({ kind }) => kind === "all-reduce");
  expect(gradients?.bytes).toBeGreaterThanOrEqual((LAYERS * 2 * MATRIX) / 4);
  expect(gradients?.bytes).toBeLessThan((LAYERS * 2 * MATRIX) / 4 + 10_000);
});

test("too much memory is a result, by how much", async () => {
  const { event } = await attempt("tpu:v5e:2x2", "sharded_step.py", "2x2", "16384");
  if (event.event !== "out_of_memory") throw new Error("it fits");
  expect(event.available).toBe(Math.round(15.75 * GiB));
  expect(event.needed).toBeGreaterThan(16 * GiB);
  expect(event.message).toContain("RESOURCE_EXHAUSTED");
});

test("XLA's list of allocations is read", async () => {
  const report = `RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm. Used 20.10G of 15.48G hbm. Exceeded hbm capacity by 4.62G.

Total hbm usage >= 20.62G:
    reserved        530.00M
    program          20.10G

  Largest program allocations in hbm:

  1. Size: 4.00G
     Operator: op_name="jit(step)/attention/dot_general" source_file="model.ts" source_line=12
     Shape: f32[32768,32768]{1,0:T(8,128)}
     Unpadded size: 4.00G
     XLA label: fusion.1 = fusion(p0, p1), kind=kOutput
     Allocation type: HLO temp
     ==========================

  2. Size: 512.50M
     Shape: bf16[8,64]{1,0:T(8,128)(2,1)}
     Unpadded size: 1.0K
     Extra memory due to padding: 512.5M (512x expansion)
     XLA label: copy.2 = copy(fusion.1)
     Allocation type: HLO temp
     ==========================
`;
  expect(JSON.parse(await python("memory_report.py", report))).toEqual({
    needed: Math.round(20.1 * GiB),
    available: Math.round(15.48 * GiB),
    allocations: [
      {
        bytes: 4 * GiB,
        unpadded: 4 * GiB,
        shape: "f32[32768,32768]{1,0:T(8,128)}",
        op_name: "jit(step)/attention/dot_general",
        label: "fusion.1 = fusion(p0, p1), kind=kOutput",
        kind: "HLO temp",
      },
      {
        bytes: 512.5 * 2 ** 20,
        unpadded: 1024,
        shape: "bf16[8,64]{1,0:T(8,128)(2,1)}",
        op_name: "",
        label: "copy.2 = copy(fusion.1)",
        kind: "HLO temp",
      },
    ],
    message: report.split("\n")[0],
  });
  expect(JSON.parse(await python("memory_report.py", "out"))).toMatchObject({ needed: null, allocations: [] });
});

describe("what cannot be is said", () => {
  const artifact = join(folder, "doubling");
  const out = join(folder, "nothing");
  const ahead = (target: string, entry = "forward") =>
    problem(() => compileAhead({ artifact, entry, target: parseTarget(target), out }));

  beforeAll(() => writeArtifact(artifact, doubling));

  test("an entry point that is none", async () => {
    expect(await ahead("cpu:1", "train_step")).toMatch(/has no entry point `train_step`/);
  });

  test("a topology that TPUs do not come in", async () => {
    expect(await ahead("tpu:v5p:3x3x3")).toMatch(/The TPU compiler has no v5p:3x3x3: .*not divisible/s);
  });

  test("a GPU", async () => {
    expect(await ahead("gpu:h100:8")).toMatch(/gpu:h100:8: programs are compiled for GPUs where there are GPUs/);
  });

  test("a mesh of more devices than the target has", async () => {
    expect(await problem(() => attempt("tpu:v5e:2x2", "all_collectives.py", "2x4"))).toMatch(
      /The artifact is for 8 devices; there are 4 \(TPU v5 lite\)/,
    );
    expect(existsSync(out)).toBe(false);
  });
});

test.each(["v4", "v5e", "v5p", "v6e", "7x"])("%s takes the flags that are set for it", async (generation) => {
  const target = parseTarget(
    `tpu:${generation}:${CHIPS[generation as ChipName].interconnect.dimensions === 2 ? "2x2" : "2x2x1"}`,
  );
  const flags = flagsFor(target);
  expect(Object.keys(flags).length).toBeGreaterThan(0);
  expect(await doubled(target, flags)).toBe("ahead");
});

test("a flag that XLA has not is said", async () => {
  expect(await problem(() => doubled(parseTarget("tpu:v5e:2x2"), { xla_no_such_flag: true }))).toMatch(
    "xla_no_such_flag",
  );
});

/** What becomes of the smallest program, compiled with flags. */
async function doubled(target: Target, flags: Record<string, boolean | number | string>): Promise<string> {
  const artifact = join(folder, `artifact-${count++}`);
  const programs = doubling.programs.map((program) => ({ ...program, options: { flags } }));
  await writeArtifact(artifact, { ...doubling, programs });
  return (await compileAhead({ artifact, entry: "forward", target, out: `${artifact}-out` })).event;
}

test("an executable for other devices is said, and the program compiled", async () => {
  const artifact = join(folder, "for-tpu");
  await writeArtifact(artifact, doubling);
  const target = parseTarget("tpu:v5e:2x2");
  const event = await compileAhead({ artifact, entry: "forward", target, out: `${artifact}-out` });
  if (event.event !== "ahead") throw new Error(event.message);
  const { executable, device, devices, versions } = event;
  await addExecutable(artifact, "forward", executable, { device, devices, versions });
  expect((await readManifest(artifact)).programs.forward!.executable).toMatchObject({
    device: "TPU v5 lite",
    devices: 1,
  });
  const said: string[] = [];
  await inspect({ artifact }, (e) => void (e.event === "log" && said.push(e.message)));
  expect(said.join("\n")).toMatch(
    /^`forward` was compiled ahead of time for 1 x TPU v5 lite \(jaxlib [\d.]+, libtpu [\d.]+\); here is 1 x cpu .*: compiling it\.$/,
  );
});
