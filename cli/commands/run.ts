/** `xenarc run`: any entry point on the tensors of a safetensors file. */
import { readManifest } from "../../emit/artifact.js";
import { run } from "../../runtime-bridge/bridge.js";
import { interruptible } from "../interrupt.js";
import { checkpoints, requireArtifact, requireEntry } from "../project.js";
import { showWarning } from "../report.js";
import { setUpPython } from "../setup.js";
import { table } from "../terminal.js";

export interface RunCommandOptions {
  readonly in: string;
  readonly out: string;
  readonly run?: string;
  readonly json?: boolean;
}

export async function runCommand(path: string, entry: string, options: RunCommandOptions): Promise<void> {
  const artifact = requireArtifact(path);
  const manifest = await readManifest(artifact);
  requireEntry(entry, Object.keys(manifest.programs));
  await setUpPython();
  const { in: input, out: output } = options;
  const folder = options.run ?? (checkpoints(path).length > 0 ? path : undefined);
  const result = await interruptible(() =>
    run({ artifact, entry, input, output, ...(folder !== undefined && { run: folder }) }, showWarning),
  );
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ path: result.path, tensors: result.tensors }, undefined, 2)}\n`);
    return;
  }
  const rows = result.tensors.map(({ name, dtype, shape }) => [name, `${dtype}[${shape.join(", ")}]`]);
  process.stdout.write(`${[result.path, ...table(rows)].join("\n")}\n`);
}
