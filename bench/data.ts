import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, interleave, Peer, type Row, withPeers } from "./harness.js";

/** Sequences in a batch, tokens in a sequence, and one more: the last target. */
const ROWS = 32;
const CONTEXT = 1024;
/** Batches in one measurement: about two million tokens. */
const BATCHES = 64;
const MILLIONS = (BATCHES * ROWS * CONTEXT) / 1e6;

/** Tokens of the file: 100 MB. */
const TOKENS = 50_000_000;

export default {
  name: "data",
  claim:
    "the input pipeline gives a million tokens a second and more of a file of token ids, and costs at most twice what a loader written by hand does",
  async run({ pairs }): Promise<Row[]> {
    const folder = mkdtempSync(join(tmpdir(), "xenarc-bench-"));
    try {
      const file = join(folder, "ids.bin");
      writeFileSync(
        file,
        Uint16Array.from({ length: TOKENS }, (_, i) => (i * 40503) % 50257),
      );
      const start = (side: string) => Peer.start("data.py", [side, file, `${ROWS}`, `${CONTEXT + 1}`]);
      return await withPeers([start("ours"), start("theirs")], async (ours, theirs) => {
        const seconds = (peer: Peer | undefined) => async () =>
          ((await peer?.ask<{ seconds: number }>(`batches ${BATCHES}`))?.seconds ?? Number.NaN) / MILLIONS;
        const pair = await interleave(pairs, seconds(ours), seconds(theirs));
        return [
          { what: "a million tokens", unit: "s", ours: pair.ours, limit: 1 },
          { what: "a million tokens, against a loader written by hand", unit: "s", ...pair, limit: 2 },
        ];
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
} satisfies Bench;
