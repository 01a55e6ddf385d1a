import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, Peer, type Row, withPeers } from "./harness.js";
import { attentionProgram } from "./ours.js";

const LENGTHS = [2048, 4096, 8192, 16384];

export default {
  name: "memory",
  claim: "XLA's temporary memory for attention and its gradient grows linearly with the length of the context",
  async run(): Promise<Row[]> {
    const folder = mkdtempSync(join(tmpdir(), "xenarc-bench-"));
    try {
      const temps: number[] = [];
      await withPeers([Peer.start("program.py", [folder])], async (peer) => {
        for (const length of LENGTHS) {
          const path = join(folder, `attention-${length}.mlir`);
          writeFileSync(path, await attentionProgram(length));
          temps.push((await (peer as Peer).ask<{ temp: number }>(`temp ${path}`)).temp / 2 ** 20);
        }
      });
      return temps.map((ours, i): Row => {
        const what = `temporary memory, S = ${LENGTHS[i]}`;
        const before = temps[i - 1];
        if (before === undefined) return { what, unit: "MiB", ours };
        // Twice the length may take twice the memory and a little that does not depend on it; four times is a square.
        return {
          what: `${what}, against half of it`,
          unit: "MiB",
          ours,
          theirs: before,
          limit: 2.2,
          ratio: exactly(ours / before),
        };
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
} satisfies Bench;

const exactly = (value: number) => ({ median: value, least: value, greatest: value, pairs: 1 });
