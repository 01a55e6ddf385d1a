import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaNode } from "execa";
import { compileOptionsBytes } from "../../emit/compile_options.js";
import { startWorker, type WireTensor, type Worker } from "../../runtime-bridge/bridge.js";
import { doubling, here, problem, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const program = doubling.programs[0]?.text as string;
let worker: Worker;
beforeAll(async () => {
  worker = await startWorker();
});

const f32 = (...values: number[]): WireTensor => ({
  dtype: "f32",
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const values = (tensor: WireTensor | undefined): number[] => [...new Float32Array((tensor as WireTensor).data.buffer)];

test("executes a program", async () => {
  expect(values((await worker.execute(program, [f32(1, 2, 3)]))[0])).toEqual([2, 4, 6]);
  expect(values((await worker.execute(program, [f32(1, 2, 3)], compileOptionsBytes()))[0])).toEqual([2, 4, 6]);
});

test("passes every element type there and back, empty tensors and scalars too", async () => {
  const types = "i1 i8 i16 i32 i64 ui8 ui16 ui32 ui64 f16 bf16 f32 f64 complex<f32> complex<f64> f8E4M3FN f8E5M2 i4";
  for (const dtype of types.split(" ")) {
    const bytes = dtype.startsWith("complex")
      ? Number(dtype.slice(9, 11)) / 4
      : Math.max(1, Number(/\d+/.exec(dtype)) / 8);
    for (const shape of [[2, 3], [], [0, 4]]) {
      const size = shape.reduce((a, b) => a * b, bytes);
      const tensor = {
        dtype,
        shape,
        data: Uint8Array.from({ length: size }, (_, i) => (dtype === "i1" || dtype === "i4" ? i % 2 : i)),
      };
      const type = `tensor<${[...shape, dtype].join("x")}>`;
      const identity = `func.func @main(%x: ${type}) -> ${type} { return %x : ${type} }`;
      expect(await worker.execute(identity, [tensor])).toEqual([tensor]);
    }
  }
});

test("uses up what is donated, not the caller's bytes", async () => {
  const donating = program.replace("%x: tensor<3xf32>)", "%x: tensor<3xf32> {tf.aliasing_output = 0 : i32})");
  const input = f32(1, 2, 3);
  for (let i = 0; i < 3; i++) expect(values((await worker.execute(donating, [input]))[0])).toEqual([2, 4, 6]);
  expect((await worker.hlo(donating)).memory.aliased).toBe(12);
});

test("answers overlapping calls and several clients", async () => {
  const other = await startWorker();
  const calls = Array.from({ length: 40 }, async (_, i) => {
    const [result] = await (i % 2 ? worker : other).execute(program, [f32(i, i, i)]);
    return values(result)[0];
  });
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 40 }, (_, i) => 2 * i));
  other.close();
});

test("verifies by MLIR, which says what is wrong and where", async () => {
  expect(await worker.verify(program)).toBeUndefined();
  expect(await worker.verify(program.replace("stablehlo.add", "stablehlo.ad"))).toMatch(
    "loc(\"-\":2:8): custom op 'stablehlo.ad' is unknown",
  );
  const wrong = '%1 = "stablehlo.add"(%x, %x) : (tensor<3xf32>, tensor<3xf32>) -> tensor<4xf32>';
  expect(await worker.verify(program.replace("  return", `  ${wrong}\n  return`))).toMatch("requires the same shape");
  const shardy = `sdy.mesh @mesh = <["data"=2]>\n${program.replace("%x: tensor<3xf32>", "%x: tensor<3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}")}`;
  expect(await worker.verify(shardy)).toBeUndefined();
});

test("prints as jaxlib does", async () => {
  const printed = await worker.canonical(program);
  expect(printed).toBe(
    "module {\n  func.func @main(%arg0: tensor<3xf32>) -> tensor<3xf32> {\n    %0 = stablehlo.add %arg0, %arg0 : tensor<3xf32>\n    return %0 : tensor<3xf32>\n  }\n}\n",
  );
  expect(await worker.canonical(printed)).toBe(printed);
  expect(await worker.canonical(program, true)).toContain('loc("-":2:8)');
});

test("gives XLA's own program and its memory", async () => {
  const { text, memory } = await worker.hlo(program);
  expect(text).toMatch(/^HloModule/);
  expect(memory).toMatchObject({ arguments: 12, temporaries: 0 });
});

test("says what is wrong with a call", async () => {
  expect(await problem(() => worker.execute(program, []))).toBe("The program takes 1 tensors, 0 were given.");
  expect(await problem(() => worker.execute(program, [f32(1, 2)]))).toBe(
    "Argument 0: the program takes tensor<3xf32>, tensor<2xf32> was given.",
  );
  expect(await problem(() => worker.execute("nonsense", []))).toMatch("custom op 'nonsense' is unknown");
  expect(await problem(() => worker.call("nothing"))).toMatch(
    "There is no method `nothing`.\nKnown: canonical, execute",
  );
  expect(await problem(() => worker.execute(program, [f32(1, 2, 3)], compileOptionsBytes({ partitions: 2 })))).toMatch(
    "The program is for 2 devices",
  );
  expect(await problem(() => worker.execute(program, [f32(1, 2, 3)], new Uint8Array([1, 2, 3])))).toMatch(
    "compile options are damaged",
  );
});

/** Whether a process runs; one that has ended, but that nobody has waited for, does not. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("a worker of its own", () => {
  const shared = process.env.XENARC_WORKER;
  beforeAll(() => {
    delete process.env.XENARC_WORKER;
  });
  afterAll(() => {
    if (shared !== undefined) process.env.XENARC_WORKER = shared;
  });

  test("frees compiled code before the system's memory mappings are used up", async () => {
    if (process.platform !== "linux") return;
    const plugin = join(folder, "mappings.py");
    writeFileSync(
      plugin,
      `import jax, jax.numpy as jnp
from xenarc_runtime import worker
compiled = [jax.jit(lambda x, i=i: jnp.tanh(jnp.sort(x) @ x + i).sum()) for i in range(60)]
def limit(params, tensors):
    worker.kept_mappings = worker._mappings() + params["more"]
    return None, []
def run(params, tensors):
    return float(compiled[params["index"]](jnp.ones(8))), []
METHODS = {"limit": limit, "run": run, "mappings": lambda params, tensors: (worker._mappings(), [])}
`,
    );
    const own = await startWorker({ plugins: [plugin] });
    const call = async (method: string, params = {}) => Number((await own.call(method, params)).result);
    await call("run", { index: 0 });
    const start = await call("mappings");
    await call("limit", { more: 100 });
    let most = 0;
    for (let index = 0; index < 60; index++) {
      const row = `stablehlo.constant dense<${index}.0> : tensor<3xf32>`;
      await own.execute(program.replace("  return", `  %c${index} = ${row}\n  return`), [f32(1, 2, 3)]);
      await call("run", { index });
      most = Math.max(most, await call("mappings"));
    }
    expect(most).toBeLessThan(start + 350);
    expect(await call("run", { index: 3 })).toBeCloseTo(Math.tanh(11), 4);
    own.close();
  });

  test("runs plugins, and says how it died", async () => {
    const plugin = join(folder, "plugin.py");
    writeFileSync(
      plugin,
      `import os, signal, sys
FAILED = "F0000 00:00:00.0 1 x.cc:1] Check failed: x > 0\\n"
METHODS = {
    "swap": lambda params, tensors: ({"sum": params["a"] + params["b"]}, tensors[::-1]),
    "fail": lambda params, tensors: params["missing"],
    "killed": lambda params, tensors: os.kill(os.getpid(), signal.SIGKILL),
    "aborted": lambda params, tensors: (sys.stderr.write("E0000 Error: no host\\n" + 2 * FAILED), os.abort()),
}
`,
    );
    const own = await startWorker({ plugins: [plugin] });
    const { result, tensors } = await own.call("swap", { a: 1, b: 2 }, [f32(1), f32(2)]);
    expect([result, tensors.map(values)]).toEqual([{ sum: 3 }, [[2], [1]]]);
    expect(await problem(() => own.call("fail"))).toBe("KeyError: 'missing'.");
    expect(await problem(() => own.call("killed"))).toMatch(
      /killed \(SIGKILL\), most likely by the system for want of memory/,
    );
    expect(await problem(() => own.call("swap"))).toMatch("The Python worker is gone.");
    const another = await startWorker({ plugins: [plugin] });
    expect(await problem(() => another.call("aborted"))).toMatch(
      /crashed \(SIGABRT\) inside XLA\. It said: F0000 00:00:00\.0 1 x\.cc:1\] Check failed: x > 0$/,
    );
  });

  test("ends with the script that started it, and keeps it no longer", async () => {
    const script = await execaNode(here("use_worker.ts"), [], {
      nodeOptions: ["--import", "tsx"],
      env: { XENARC_WORKER: "" },
      timeout: 20_000,
    });
    const pid = Number(script.stdout);
    const deadline = Date.now() + 10_000;
    while (alive(pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(alive(pid)).toBe(false);
  });
});

test("XENARC_WORKER that leads nowhere is said", async () => {
  const shared = process.env.XENARC_WORKER;
  process.env.XENARC_WORKER = join(folder, "none.sock");
  try {
    expect(await problem(() => startWorker())).toMatch(/No Python worker listens at .*none\.sock/);
  } finally {
    process.env.XENARC_WORKER = shared ?? "";
  }
});
