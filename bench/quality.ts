import { type Bench, median, type Row, Skipped } from "./harness.js";
import { validationLoss } from "./ours.js";

const SEEDS = [1, 2, 3];

export default {
  name: "quality",
  claim: "nanogpt-cpu reaches a validation loss of 1.90 on tinyshakespeare in 2,000 steps (median of 3 seeds)",
  async run({ data }): Promise<Row[]> {
    if (data === undefined) throw new Skipped("give the text by --data FILE");
    const losses: number[] = [];
    for (const seed of SEEDS) losses.push(await validationLoss(data, seed));
    return [
      ...SEEDS.map((seed, i): Row => ({ what: `seed ${seed}`, unit: "nats", ours: losses[i] as number })),
      { what: "median", unit: "nats", ours: median(losses), limit: 1.9 },
    ];
  },
} satisfies Bench;
