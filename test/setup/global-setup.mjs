/** Starts a Python worker for each of jest's processes, which all tests of that process share; their sockets are in XENARC_WORKERS. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ensurePython, referenceLock, root } from "../../scripts/setup.mjs";

const NEEDED = [
  "runtime-bridge/environment.ts",
  "runtime-bridge/python/xenarc_runtime/worker.py",
  "test/oracle/plugin.py",
];
const STARTUP_MS = 120_000;

export default async function setup({ maxWorkers }) {
  quicken();
  if (!NEEDED.every((file) => existsSync(join(root, file)))) return;
  const python = process.env.XENARC_TEST_PYTHON ?? (await ensurePython(referenceLock)).python;
  process.env.XENARC_TEST_PYTHON = python;
  // Beside the sockets' short path limit (104 bytes on macOS), the temporary folder is private to this user.
  const folder = mkdtempSync(join(tmpdir(), "xenarc-"));
  const sockets = Array.from({ length: maxWorkers }, (_, i) => join(folder, `${i + 1}.sock`));
  globalThis.xenarcWorkers = { folder, processes: sockets.map((socket) => start(python, socket)) };
  process.env.XENARC_WORKERS = sockets.join(delimiter);
  await Promise.all(sockets.map((socket, i) => listening(globalThis.xenarcWorkers.processes[i], socket)));
  for (const worker of globalThis.xenarcWorkers.processes) {
    worker.on("exit", (code, signal) => {
      console.error(`A Python worker of the tests ended (${signal ?? code}): every test that needs it will fail.`);
    });
  }
}

function start(python, socket) {
  return spawn(
    python,
    ["-m", "xenarc_runtime", "worker", "--socket", socket, "--plugin", join(root, "test/oracle/plugin.py")],
    {
      stdio: ["pipe", "inherit", "inherit"],
      env: { ...process.env, PYTHONPATH: join(root, "runtime-bridge/python"), JAX_PLATFORMS: "cpu" },
    },
  );
}

/**
 * Most programs of `npm test` run once, on little: LLVM's optimizations take longer than they save. What is compiled on the way to
 * LLVM stays as it is. Full tests run what users run.
 */
function quicken() {
  if (process.env.XENARC_FULL === "1") return;
  process.env.XLA_FLAGS = `--xla_backend_optimization_level=0 ${process.env.XLA_FLAGS ?? ""}`.trim();
}

async function listening(worker, socket) {
  let exit;
  worker.on("exit", (code, signal) => {
    exit = signal ?? code;
  });
  for (const started = Date.now(); Date.now() - started < STARTUP_MS; await new Promise((r) => setTimeout(r, 50))) {
    if (exit !== undefined) throw new Error(`The Python worker ended before it listened (${exit}).`);
    if (await accepts(socket)) return;
  }
  worker.kill();
  throw new Error(`The Python worker did not listen within ${STARTUP_MS / 1000} s.`);
}

function accepts(socket) {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.on("connect", () => {
      connection.end();
      resolve(true);
    });
    connection.on("error", () => resolve(false));
  });
}
