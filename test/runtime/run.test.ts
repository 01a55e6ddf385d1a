import { join } from "node:path";
import { type ProgramSource, writeArtifact } from "../../emit/artifact.js";
import type { Port } from "../../emit/manifest.js";
import { run, train } from "../../runtime-bridge/bridge.js";
import { doubling, problem, python, referenceArtifact, temporaryFolder, writeText } from "./support.js";

const folder = temporaryFolder();
const trained = join(folder, "run");
const output = join(folder, "out.safetensors");
const file = (name: string): string => join(folder, `${name}.safetensors`);
let artifact: string;
beforeAll(async () => {
  artifact = await referenceArtifact(folder, 16, 20);
  await train({ artifact, run: trained, data: writeText(folder) });
  await python("dump_run.py", "state", artifact, trained, file("state"));
  await python("tensors.py", "make", file("state"), folder);
});

test("runs an entry point on the tensors of a file, by name", async () => {
  const result = await run({ artifact, entry: "forward", input: file("whole"), output });
  expect(result.tensors).toEqual([{ name: "logits", dtype: "f32", shape: [1, 16, 256] }]);
  expect(await python("tensors.py", "check", file("whole"), output)).toBe("equal");
});

test("takes parameters that the file lacks from a run", async () => {
  await run({ artifact, entry: "forward", input: file("tokens"), output, run: trained });
  expect(await python("tensors.py", "check", file("whole"), output)).toBe("equal");
});

test("says which argument is missing, too much, or of another shape or type", async () => {
  const message = (input: string, entry = "forward") =>
    problem(() => run({ artifact, entry, input: file(input), output }));
  expect(await message("tokens")).toMatch("lacks `params/embed: f32[d0=256, d1=16]`, `params/head/w");
  expect(await message("tokens")).toMatch(
    "It has: `tokens`. Parameters come from a run's newest checkpoint with --run DIR.",
  );
  expect(await message("extra")).toMatch("has `label`, which the entry point does not take");
  expect(await message("shape")).toMatch("`tokens` in");
  expect(await message("shape")).toMatch("is i32[1, 15]; expected tokens: i32[batch=1, seq=16]");
  expect(await message("dtype")).toMatch("is i64[1, 16]; expected tokens: i32[batch=1, seq=16]");
  expect(await message("whole", "backward")).toMatch("no entry point `backward`.\nIt has: ");
  expect(await message("none")).toMatch(/No such file or directory: .*none\.safetensors/);
  expect(await message("garbage")).toMatch("is not a safetensors file");
});

test("says what the program prints, and stops when an assertion fails", async () => {
  const noted = join(folder, "noted");
  const [forward] = doubling.programs as [ProgramSource];
  const text = `func.func @main(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xi1>) {
  %0 = stablehlo.add %x, %x : tensor<3xf32>
  %1 = stablehlo.is_finite %0 : (tensor<3xf32>) -> tensor<3xi1>
  return %0, %0, %1 : tensor<3xf32>, tensor<3xf32>, tensor<3xi1>
}`;
  const outputs: Port[] = [
    ...forward.outputs,
    { name: "print 0", role: "print", axes: ["i"], shape: [3], dtype: "f32", message: "twice is {}" },
    { name: "assert 0", role: "assert", axes: ["i"], shape: [3], dtype: "i1", message: "twice must be finite" },
  ];
  await writeArtifact(noted, { ...doubling, programs: [{ ...forward, text, outputs }] });
  const said: string[] = [];
  const call = (input: string) =>
    run({ artifact: noted, entry: "forward", input: file(input), output }, (event) => {
      if (event.event === "log") said.push(event.message);
    });
  expect((await call("good")).tensors.map(({ name }) => name)).toEqual(["y"]);
  expect(said).toEqual(["twice is [2. 4. 6.]"]);
  expect(await problem(() => call("bad"))).toMatch("twice must be finite");
});
