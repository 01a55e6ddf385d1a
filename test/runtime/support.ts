/** What the runtime's tests share: temporary folders, the reference artifact, Python snippets. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { XenarcError } from "../../compiler/errors.js";
import { type ArtifactSource, writeArtifact } from "../../emit/artifact.js";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";

/** A folder that is gone after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "xenarc-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Runs a Python file with `xenarc_runtime` in reach. */
export async function python(file: string, ...args: string[]): Promise<string> {
  const { python } = await ensurePython();
  return (await execa(python, [here(file), ...args], { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" } })).stdout;
}

/** The bytes of a run's last checkpoint, as a safetensors file written into `folder`. */
export async function stateOf(folder: string, artifact: string, run: string): Promise<Buffer> {
  const file = join(folder, "state.safetensors");
  await python("dump_run.py", "state", artifact, run, file);
  return readFileSync(file);
}

/** The source of the artifact of reference_model.py. */
export async function referenceSource(context: number, steps: number): Promise<ArtifactSource> {
  return JSON.parse(await python("reference_model.py", "artifact", `${context}`, `${steps}`));
}

/** Writes the reference artifact into a folder of its own; its path. */
export async function referenceArtifact(folder: string, context: number, steps: number): Promise<string> {
  const path = join(folder, `artifact-${context}-${steps}`);
  await writeArtifact(path, await referenceSource(context, steps));
  return path;
}

/** The smallest artifact: one program that adds its argument to itself. */
export const doubling: ArtifactSource = {
  name: "doubling",
  xenarc: "0.1.0",
  parameters: 0,
  config: { model: { z: 1, a: [2, null] } },
  programs: [
    {
      name: "forward",
      text: "func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {\n  %0 = stablehlo.add %x, %x : tensor<3xf32>\n  return %0 : tensor<3xf32>\n}\n",
      inputs: [{ name: "x", role: "argument", axes: ["i"], shape: [3], dtype: "f32" }],
      outputs: [{ name: "y", role: "result", axes: ["i"], shape: [3], dtype: "f32" }],
    },
  ],
};

/** The message of the error made for people that `action` fails with; fails if it is any other error, or none. */
export async function problem(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof XenarcError) return error.message;
    throw error;
  }
  throw new Error("expected an error");
}

/** Text that repeats, so that a small model can learn it. */
export function writeText(folder: string, bytes = 6000): string {
  const file = join(folder, "text.txt");
  const line = "the quick brown fox jumps over the lazy dog, and naïve cafés serve it — 12 times a day.\n";
  writeFileSync(file, line.repeat(Math.ceil(bytes / line.length)));
  return file;
}

/** A run's metrics. */
export const metrics = (run: string): Record<string, number>[] =>
  readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The tensors of a safetensors file, by name: their element types and bytes. */
export function tensorsOf(file: string): Map<string, { readonly dtype: string; readonly bytes: Buffer }> {
  const all = readFileSync(file);
  const begin = 8 + Number(all.readBigUInt64LE());
  const header: Record<string, { dtype: string; data_offsets: [number, number] }> = JSON.parse(
    all.toString("utf8", 8, begin),
  );
  const { __metadata__: _, ...tensors } = header;
  return new Map(
    Object.entries(tensors).map(
      ([
        name,
        {
          dtype,
          data_offsets: [from, to],
        },
      ]) => [name, { dtype, bytes: all.subarray(begin + from, begin + to) }],
    ),
  );
}
