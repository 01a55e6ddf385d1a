/** What the long tests share: Python with packages that nothing else needs. */
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Runs a Python file of this folder, in an environment with the packages of requirements.lock that is made before the first test; what it prints. */
export function pythonWithPackages(): (file: string, ...args: string[]) => Promise<string> {
  let python: string;
  beforeAll(async () => {
    ({ python } = await ensurePython({ extraLocks: [here("requirements.lock")] }));
  }, 3_600_000);
  return async (file, ...args) => {
    const env = { ...pythonEnv(), JAX_PLATFORMS: "cpu", HF_HUB_OFFLINE: "1" };
    return (await execa(python, [here(file), ...args], { env })).stdout;
  };
}
