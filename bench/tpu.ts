import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { totalCost } from "../compiler/plan/costs.js";
import { parseOptimizedHlo } from "../compiler/plan/optimized_hlo.js";
import { parseTarget } from "../compiler/plan/target.js";
import { ensurePython, ensureTpuCompiler } from "../runtime-bridge/environment.js";
import {
  alternately,
  type Bench,
  compare,
  interleave,
  leastPairs,
  Peer,
  type Row,
  warmUp,
  withPeers,
} from "./harness.js";
import { compileTpu, TPU_RUNS, TPU_TARGET, type TpuRun, traceTpu } from "./ours.js";

const LAYERS = 32;
/** Half a minute each, for either side. */
const COMPILATIONS = 3;

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
      const start = () => Peer.start("jax/tpu.py", [folder], compiler);
      for (const run of quick ? TPU_RUNS.slice(0, 1) : TPU_RUNS) {
        await withPeers([start()], async (jax) => {
          const peer = jax as Peer;
          const theirs = async () => (await peer.ask<{ seconds: number }>(`trace ${run} ${LAYERS}`)).seconds;
          // Both sides as a long-lived process has them: V8 has compiled ours, JAX has imported and cached what it keeps.
          for (let i = 0; i < warmUp; i++) await traceTpu(run);
          await theirs();
          rows.push({
            what: `${run}: trace and print, against trace and lower`,
            unit: "s",
            limit: 0.1,
            ...(await interleave(pairs, () => traceTpu(run), theirs)),
          });
        });
        const ours = () => compileTpu(run, LAYERS, folder);
        // In a process of its own, as ours: the first compilation in one takes longer.
        const theirs = () => withPeers([start()], (jax) => (jax as Peer).ask<Compiled>(`compile ${run} ${LAYERS}`));
        const made = await alternately(quick ? 1 : COMPILATIONS, ours, theirs);
        rows.push(...compared(run, made));
      }
      // A quarter of the batch, for 96 layers to fit.
      const [shallow, deep] = [await compileTpu("7b", 16, folder, 16), await compileTpu("7b", 96, folder, 16)];
      rows.push({
        what: "7b: compile 96 layers, against 16",
        unit: "s",
        limit: 1.2,
        ...compare([[deep.seconds, shallow.seconds]]),
      });
      return rows;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
} satisfies Bench;

/** Both sides of a run, by one analysis of what libtpu made of them, the same each time but for the seconds. */
function compared(run: TpuRun, made: readonly (readonly [Compiled, Compiled])[]): Row[] {
  const [ours, theirs] = made[0]!;
  const [a, b] = [figures(run, ours), figures(run, theirs)];
  const row = (what: string, key: keyof typeof a, unit: Row["unit"]): Row => ({
    what: `${run}: ${what}`,
    unit,
    limit: 1.02,
    ...compare([[a[key], b[key]]]),
  });
  if (ours.hlo === undefined) return [row("peak memory, beyond the chip's", "peak", "GiB")];
  return [
    row("FLOPs", "flops", "TFLOP"),
    row("memory traffic", "bytes", "GB"),
    row("peak memory", "peak", "GiB"),
    row("sent", "sent", "GB"),
    {
      what: `${run}: compile`,
      unit: "s",
      limit: 1.1,
      ...compare(made.map(([{ seconds }, theirs]) => [seconds, theirs.seconds])),
    },
  ];
}

/** Of one device in one step, loops counted by their trips. */
function figures(run: TpuRun, { peak, hlo }: Compiled) {
  const memory = { peak: peak / 2 ** 30 };
  if (hlo === undefined) return { ...memory, flops: Number.NaN, bytes: Number.NaN, sent: Number.NaN };
  const module = parseOptimizedHlo(readFileSync(hlo, "utf8"));
  if (module.unknownLoops.length > 0) throw new Error(`${run}: loops of unknown trips: ${module.unknownLoops}`);
  const { flops, bytes, sent } = totalCost(module, parseTarget(TPU_TARGET).chip);
  return { ...memory, flops: flops / 1e12, bytes: bytes / 1e9, sent: sent / 1e9 };
}
