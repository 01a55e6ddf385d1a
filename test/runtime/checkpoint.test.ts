/** Checkpoints, goodput and bad steps: what the runtime's own tests hold true. */
import { execa } from "execa";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { here } from "./support.js";

test.each(["test_checkpoint", "test_goodput"])(
  "%s.py",
  async (module) => {
    const { python } = await ensurePython();
    const result = await execa(python, ["-m", "unittest", "-q", module], {
      cwd: here("."),
      env: { ...pythonEnv(), PYTHONDONTWRITEBYTECODE: "1", JAX_PLATFORMS: "cpu" },
      reject: false,
    });
    expect(result.exitCode === 0 ? "" : result.stderr).toBe("");
  },
  120_000,
);
