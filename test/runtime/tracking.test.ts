import { execa } from "execa";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { here } from "./support.js";

test("what is tracked can be read by others (test_tracking.py)", async () => {
  const { python } = await ensurePython();
  const result = await execa(python, ["-m", "unittest", "-q", "test_tracking"], {
    cwd: here("."),
    env: { PYTHONPATH: here("../../runtime-bridge/python"), PYTHONDONTWRITEBYTECODE: "1" },
    reject: false,
  });
  expect(result.exitCode === 0 ? "" : result.stderr).toBe("");
});
