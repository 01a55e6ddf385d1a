/** Ends the Python worker. */
import { rmSync } from "node:fs";
import { dirname } from "node:path";

export default async function teardown() {
  const worker = globalThis.xenarcWorker;
  if (worker === undefined) return;
  worker.removeAllListeners("exit");
  if (worker.exitCode === null && worker.signalCode === null) {
    worker.kill();
    await new Promise((resolve) => worker.once("exit", resolve));
  }
  rmSync(dirname(process.env.XENARC_WORKER), { recursive: true, force: true });
}
