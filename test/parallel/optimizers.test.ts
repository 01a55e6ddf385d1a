/** Optimizers, averages and judged steps on a mesh of 8 CPU devices, with the optimizer's state in the host's memory: one device's values. */
import { charTransformer } from "../../models/char_transformer.js";
import { temporaryFolder } from "../runtime/support.js";
import { lossDifference, trainAll, weightDifference } from "./support.js";

const folder = temporaryFolder();
const model = { layers: 2, heads: 4, embed: 32, context: 16, bias: false };
const mesh = { data: 2, fsdp: 2, tensor: 2 };

test.each<[optimizer: string, settings: object]>([
  ["adafactor", { adafactor: { factorFrom: 8 } }],
  ["muon", {}],
])(
  "%s",
  async (optimizer, settings) => {
    const train = {
      batch: 8,
      warmup: 2,
      steps: 4,
      optimizer,
      ...settings,
      ema: { decay: 0.9 },
      badSteps: { policy: "skip", spike: 6 },
    };
    const [one, run] = await trainAll(
      folder,
      charTransformer,
      [
        { model, train },
        { model, train: { ...train, offload: { optimizer: true } }, mesh },
      ],
      4,
    );
    expect(lossDifference(run!, one!)).toBeLessThan(1e-5);
    expect(weightDifference(run!)[1]).toBeLessThan(1e-4);
    const averages = Object.entries(run!.last).filter(([name]) => name.startsWith("ema/"));
    expect(averages.length).toBeGreaterThan(0);
    expect(Math.max(...averages.map(([, difference]) => difference))).toBeLessThan(1e-4);
  },
  120_000,
);
