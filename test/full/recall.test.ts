/** What is further back than all windows reach is named by whatever leads there, and guessed without. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { NOTHING, recalled } from "../../bench/recall.js";
import { EARLY, LENGTH, systems } from "../../bench/systems.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();
const GUESSED = 100 / 8;

const ways = Object.entries(systems).flatMap(([name, { recall }]) =>
  recall ? [NOTHING, ...Object.keys(recall.ways)].map((way): [string, string] => [name, way]) : [],
);

test.each(ways)(
  "%s with %s",
  async (name, way) => {
    const { definition, recall } = systems[name]!;
    expect(recall!.reach).toBeLessThan(LENGTH - EARLY);
    const shares = await recalled(definition, recall!, way, mkdtempSync(join(folder, "way-")));
    const fits = (share: number) => (way === NOTHING ? Math.abs(share - GUESSED) <= 5 : share >= 95);
    expect(Object.values(shares).filter((share) => !fits(share))).toEqual([]);
  },
  3_600_000,
);
