import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { totalCost } from "../compiler/plan/costs.js";
import { parseOptimizedHlo } from "../compiler/plan/optimized_hlo.js";
import { parseTarget } from "../compiler/plan/target.js";
import { ensurePython, ensureTpuCompiler } from "../runtime-bridge/environment.js";
import { type Bench, interleave, leastPairs, Peer, type Row, withPeers } from "./harness.js";
import { compileTpu, TPU_RUNS, TPU_TARGET, type TpuRun, traceTpu } from "./ours.js";

const LAYERS = 32;

/** What libtpu says of a step: seconds, bytes a device at the most, the file of the optimized HLO; none of what does not fit. */
interface Compiled {
  readonly seconds: number;
  readonly peak: number;
  readonly hlo: string | undefined;
}

export default {
  name: "tpu",
  claim:
    "compiled for 16 chips of TPU v4, a 7B and a 13B mixture take no more FLOPs, memory traffic, memory and communication a device than plain JAX's, and compile as fast",
  async run({ pairs }): Promise<Row[]> {
    const folder = mkdtempSync(join(tmpdir(), "xenarc-bench-"));
    const compiler = { PYTHONPATH: await ensureTpuCompiler(await ensurePython()) };
    const quick = pairs < leastPairs;
    const rows: Row[] = [];
    try {
      for (const run of quick ? TPU_RUNS.slice(0, 1) : TPU_RUNS) {
        await withPeers([Peer.start("jax/tpu.py", [folder], compiler)], async (jax) => {
          const peer = jax as Peer;
          const theirs = async () => (await peer.ask<{ seconds: number }>(`trace ${run} ${LAYERS}`)).seconds;
          // Both sides as a long-lived process has them: V8 has compiled ours, JAX has imported and cached what it keeps.
          for (let i = 0; i < 20; i++) await traceTpu(run);
          await theirs();
          rows.push({
            what: `${run}: trace and print, against trace and lower`,
            unit: "s",
            limit: 0.1,
            ...(await interleave(pairs, () => traceTpu(run), theirs)),
          });
          const ours = await compileTpu(run, LAYERS, folder);
          rows.push(...compared(run, ours, await peer.ask<Compiled>(`compile ${run} ${LAYERS}`)));
        });
      }
      // A quarter of the batch, for 96 layers to fit.
      const [shallow, deep] = [await compileTpu("7b", 16, folder, 16), await compileTpu("7b", 96, folder, 16)];
      rows.push({
        what: "7b: compile 96 layers, against 16",
        unit: "s",
        limit: 1.2,
        ...against(deep.seconds, shallow.seconds),
      });
      return rows;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
} satisfies Bench;

/** Both sides of a run, by one analysis of what libtpu made of them. */
function compared(run: TpuRun, ours: Compiled, theirs: Compiled): Row[] {
  const [a, b] = [figures(run, ours), figures(run, theirs)];
  const row = (what: string, key: keyof typeof a, unit: Row["unit"], limit: number): Row => ({
    what: `${run}: ${what}`,
    unit,
    limit,
    ...against(a[key], b[key]),
  });
  if (ours.hlo === undefined) return [row("peak memory, beyond the chip's", "peak", "GiB", 1.02)];
  return [
    row("FLOPs", "flops", "TFLOP", 1.02),
    row("memory traffic", "bytes", "GB", 1.02),
    row("peak memory", "peak", "GiB", 1.02),
    row("sent", "sent", "GB", 1.02),
    row("compile", "seconds", "s", 1.1),
  ];
}

/** Of one device in one step, loops counted by their trips. */
function figures(run: TpuRun, { peak, seconds, hlo }: Compiled) {
  const memory = { peak: peak / 2 ** 30, seconds };
  if (hlo === undefined) return { ...memory, flops: Number.NaN, bytes: Number.NaN, sent: Number.NaN };
  const module = parseOptimizedHlo(readFileSync(hlo, "utf8"));
  if (module.unknownLoops.length > 0) throw new Error(`${run}: loops of unknown trips: ${module.unknownLoops}`);
  const { flops, bytes, sent } = totalCost(module, parseTarget(TPU_TARGET).chip);
  return { ...memory, flops: flops / 1e12, bytes: bytes / 1e9, sent: sent / 1e9 };
}

const against = (ours: number, theirs: number) => {
  const ratio = ours / theirs;
  return { ours, theirs, ratio: { median: ratio, least: ratio, greatest: ratio, pairs: 1 } };
};
