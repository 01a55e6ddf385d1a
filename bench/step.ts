import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, interleave, Peer, type Row, withPeers } from "./harness.js";
import { nanogptPrograms } from "./ours.js";

/** What a Python side says of a compiled program (bench/jax/measure.py). */
interface Stats {
  readonly temp: number;
  readonly argument: number;
  readonly output: number;
  readonly alias: number;
  readonly bytes: number;
  readonly transposes: number;
  readonly transposeBytes: number;
}

/** Steps in one measurement: about half a second, long against the machine's noise and short against its drift. */
const STEPS = 10;

/**
 * What the runtime asks of glibc's malloc (xenarc_runtime/allocator.py): to keep XLA's temporary memory from step to step. With
 * it, peers show what the program alone is worth.
 */
const RECYCLING = { MALLOC_MMAP_THRESHOLD_: `${2 ** 30}`, MALLOC_TRIM_THRESHOLD_: `${2 ** 32}` };

const MIB = 2 ** 20;

export default {
  name: "step",
  claim:
    "the XLA:CPU step of nanogpt-cpu takes at most 1.03 of plain JAX's time (the aim is 0.75) and no more memory, bytes or transposes",
  async run({ pairs }): Promise<Row[]> {
    const { init, trainStep } = await nanogptPrograms();
    const folder = mkdtempSync(join(tmpdir(), "xenarc-bench-"));
    try {
      writeFileSync(join(folder, "init.mlir"), init);
      writeFileSync(join(folder, "train_step.mlir"), trainStep);
      const starts = [
        Peer.start("program.py", [folder]),
        Peer.start("jax/nanogpt.py", ["serve"]),
        Peer.start("jax/nanogpt.py", ["serve"], RECYCLING),
        Peer.start("jax/nanogpt_tuned.py", [], RECYCLING),
      ];
      return await withPeers(starts, async (ours, theirs, recycling, tuned) => {
        const seconds = (peer: Peer | undefined) => async () =>
          ((await peer?.ask<{ seconds: number }>(`step ${STEPS}`))?.seconds ?? Number.NaN) / STEPS;
        const time = async (what: string, peer: Peer | undefined): Promise<Row> => {
          const pair = await interleave(pairs, seconds(ours), seconds(peer));
          return { what, unit: "ms", limit: 1.03, ...pair, ours: pair.ours * 1000, theirs: pair.theirs * 1000 };
        };
        const a = (await ours?.ask<Stats>("stats")) as Stats;
        const b = (await theirs?.ask<Stats>("stats")) as Stats;
        const peak = (s: Stats) => s.temp + s.argument + s.output - s.alias;
        const compare = (what: string, of: (s: Stats) => number, unit: Row["unit"] = ""): Row => ({
          what,
          unit,
          ours: of(a),
          theirs: of(b),
          ratio: { median: of(a) / of(b), least: of(a) / of(b), greatest: of(a) / of(b), pairs: 1 },
          limit: 1,
        });
        return [
          await time("step, against plain JAX", theirs),
          await time("step, against plain JAX with our runtime's allocator", recycling),
          await time("step, against JAX tuned for XLA:CPU, and our allocator", tuned),
          compare("memory (arguments, results, temporaries)", (s) => peak(s) / MIB, "MiB"),
          compare("bytes read and written", (s) => s.bytes / MIB, "MiB"),
          compare("transposes in the optimized HLO, as often as run", (s) => s.transposes),
          compare("bytes of these transposes", (s) => s.transposeBytes / MIB, "MiB"),
        ];
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
} satisfies Bench;
