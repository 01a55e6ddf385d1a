import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alternately, type Bench, compare, median, Peer, type Row, withPeers } from "./harness.js";

/** Of the state that is saved. */
const MIB = 192;

export default {
  name: "checkpoint",
  claim: "a save holds training up for at most 50 ms more than a copy of the state takes",
  async run({ pairs }): Promise<Row[]> {
    const folder = mkdtempSync(join(tmpdir(), "xenarc-bench-"));
    try {
      return await withPeers([Peer.start("checkpoint.py", [folder, `${MIB}`])], async (peer) => {
        const ms = (command: string) => async () =>
          (await (peer as Peer).ask<{ seconds: number }>(command)).seconds * 1000;
        // The first pair is thrown away, as `interleave` does.
        const measured = (await alternately(pairs + 1, ms("save"), ms("copy"))).slice(1);
        return [
          { what: `a save of ${MIB} MiB, against a copy`, unit: "ms", ...compare(measured) },
          {
            what: "what it takes longer",
            unit: "ms",
            ours: median(measured.map(([save, copy]) => save - copy)),
            limit: 50,
          },
        ];
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
} satisfies Bench;
