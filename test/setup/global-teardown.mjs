/** Ends the Python workers. */
import { rmSync } from "node:fs";

export default async function teardown() {
  if (globalThis.xenarcWorkers === undefined) return;
  const { folder, processes } = globalThis.xenarcWorkers;
  for (const worker of processes) {
    worker.removeAllListeners("exit");
    if (worker.exitCode !== null || worker.signalCode !== null) continue;
    worker.kill();
    await new Promise((resolve) => worker.once("exit", resolve));
  }
  rmSync(folder, { recursive: true, force: true });
}
