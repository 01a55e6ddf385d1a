/** Functions of tensors on meshes of CPU devices, held against JAX. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { z } from "zod";
import { Layout, makeMesh } from "../../compiler/mesh.js";
import { type CollectiveRow, collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { traceProgram, withLayout } from "../../compiler/trace.js";
import { compile } from "../../emit/compile.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";

/** A function on a mesh, and the same in JAX. */
export interface DeviceCase {
  readonly mesh: Readonly<Record<string, number>>;
  /** Further arguments of the layout. */
  readonly layout?: (mesh: Layout["mesh"]) => Layout;
  /** Sizes of the inputs by axis name; their values are random, from -1 to 1. */
  readonly inputs: readonly Readonly<Record<string, number>>[];
  readonly run: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** A Python function of the inputs; `mesh` is a JAX mesh of the same devices. */
  readonly jax: string;
}

/** What a case gave. */
export interface DeviceRun {
  readonly outputs: readonly (readonly number[])[];
  readonly expected: readonly (readonly number[])[];
  /** Communication of the optimized HLO, by kind and mesh axes. */
  readonly collectives: readonly CollectiveRow[];
  readonly hlo: string;
  /** The StableHLO text. */
  readonly text: string;
}

/** Compiles all cases and runs them in one process. */
export async function runOnDevices(folder: string, cases: readonly DeviceCase[], seed = 1): Promise<DeviceRun[]> {
  const random = uniform(seed);
  const texts: string[] = [];
  const given = [];
  for (const [i, c] of cases.entries()) {
    const mesh = makeMesh(c.mesh);
    const names = c.inputs.map((_, k) => `x${k}`);
    const model = {
      name: "case",
      schema: z.strictObject({}),
      parameters: () => 0,
      programs: () => [
        withLayout(c.layout?.(mesh) ?? new Layout(mesh), () =>
          traceProgram(
            "forward",
            { argument: Object.fromEntries(c.inputs.map((sizes, k) => [names[k]!, spec(sizes)])) },
            ({ argument }) => ({
              result: Object.fromEntries([c.run(...names.map((n) => argument[n]!))].flat().map((y, k) => [`y${k}`, y])),
            }),
          ),
        ),
      ],
    };
    const artifact = join(folder, `case-${i}`);
    const compiled = await compile(model, {}, { locations: false });
    await compiled.write(artifact);
    texts.push(compiled.text);
    const inputs = c.inputs.map((sizes, k) => {
      const shape = Object.values(sizes);
      const data = Array.from({ length: shape.reduce((n, d) => n * d, 1) }, random);
      return { name: names[k]!, dtype: "float32", shape, data };
    });
    given.push({ artifact, inputs, jax: c.jax });
  }
  const [from, to] = [join(folder, "cases.json"), join(folder, "outputs.json")];
  writeFileSync(from, JSON.stringify(given));
  const { python } = await ensurePython();
  const script = fileURLToPath(new URL("programs.py", import.meta.url));
  await execa(python, [script, from, to], { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" } });
  const runs = JSON.parse(readFileSync(to, "utf8")) as Pick<DeviceRun, "outputs" | "expected" | "hlo">[];
  return runs.map((run, i) => ({
    ...run,
    text: texts[i]!,
    collectives: collectiveTable(collectives(parseOptimizedHlo(run.hlo), makeMesh(cases[i]!.mesh))),
  }));
}

/** The largest difference of a case's results from JAX's, relative to the largest element of each. */
export const difference = ({ outputs, expected }: DeviceRun): number =>
  Math.max(
    outputs.length === expected.length ? 0 : Number.POSITIVE_INFINITY,
    ...outputs.map((y, i) => {
      const z = expected[i] ?? [];
      if (y.length !== z.length || y.some(Number.isNaN)) return Number.POSITIVE_INFINITY;
      const size = z.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-30);
      return y.reduce((m, v, k) => Math.max(m, Math.abs(v - z[k]!)), 0) / size;
    }),
  );

/** Numbers from -1 to 1, in multiples of 2^-20 (Lehmer's generator). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return Math.round((state / 2147483647) * 2 ** 21) / 2 ** 20 - 1;
  };
}
