/** Uses a worker and says no goodbye: prints the worker's process id. */
import { fileURLToPath } from "node:url";
import { startWorker } from "../../runtime-bridge/bridge.js";

const worker = await startWorker({ plugins: [fileURLToPath(new URL("pid_plugin.py", import.meta.url))] });
console.log((await worker.call("pid")).result);
