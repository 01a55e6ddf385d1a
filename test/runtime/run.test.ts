import { join } from "node:path";
import { run, train } from "../../runtime-bridge/bridge.js";
import { problem, python, referenceArtifact, temporaryFolder, writeText } from "./support.js";

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
  expect(await message("extra")).toMatch("has `label`, which the entry point does not take");
  expect(await message("shape")).toMatch("`tokens` in");
  expect(await message("shape")).toMatch("is i32[1, 15]; expected tokens: i32[batch=1, seq=16]");
  expect(await message("dtype")).toMatch("is i64[1, 16]; expected tokens: i32[batch=1, seq=16]");
  expect(await message("whole", "backward")).toMatch("no entry point `backward`\nIt has: ");
  expect(await message("none")).toMatch(/No such file or directory: .*none\.safetensors/);
  expect(await message("garbage")).toMatch("is not a safetensors file");
});
