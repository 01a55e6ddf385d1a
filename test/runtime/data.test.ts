import { execa } from "execa";
import { dataSchema } from "../../models/train/data.js";
import { ensurePython, stats } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { here, problem } from "./support.js";

test.each(["test_data", "test_data_sources", "test_data_bad", "test_embeddings"])(
  "the data's promises hold (%s.py)",
  async (name) => {
    const { python } = await ensurePython();
    const result = await execa(python, ["-m", "unittest", "-q", name], {
      cwd: here("."),
      env: { ...pythonEnv(), JAX_PLATFORMS: "cpu", PYTHONWARNINGS: "ignore::ResourceWarning" },
      reject: false,
    });
    expect(result.exitCode === 0 ? "" : result.stderr).toBe("");
  },
  300_000,
);

test("the kinds that a configuration may name are those that are read", async () => {
  const { python } = await ensurePython();
  const script = "from xenarc_runtime.data.kinds import KINDS; print(*KINDS)";
  const { stdout } = await execa(python, ["-c", script], { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" } });
  expect([...dataSchema.shape.kind.unwrap().options].sort()).toEqual(stdout.split(" ").sort());
});

test("a kind of data that there is not is refused by the runtime, too", async () => {
  expect(await problem(() => stats({ sources: [here("data.test.ts")], kind: "toml" }))).toMatch(
    /^There is no kind of data `toml`\.\nIt is one of jsonl, parquet, .*, text\.$/,
  );
});
