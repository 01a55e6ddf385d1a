/** Experts on several CPU devices, held against one device. */
import { makeMesh } from "../../compiler/mesh.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { mixtral, mixtralPresets } from "../../models/index.js";
import { temporaryFolder } from "../runtime/support.js";
import { gradientDifference, lossDifference, trainAll, weightDifference } from "./support.js";

const folder = temporaryFolder();
const MESHES = [
  { data: 2, expert: 4 },
  { fsdp: 2, expert: 2, tensor: 2 },
];

test.each([
  ["dropless", {}],
  ["with a capacity", { capacity: 1 }],
])(
  "a mixture trains as on one device: %s",
  async (_, more) => {
    const model = { ...mixtralPresets.tiny, ...more };
    const train = { batch: 8, warmup: 2, steps: 10 };
    const configs = [{}, ...MESHES.map((mesh) => ({ mesh }))].map((c) => ({ model, train, ...c }));
    const [one, ...runs] = await trainAll(folder, mixtral, configs, 3);
    for (const [i, run] of runs.entries()) {
      const [gradient, ofGradient] = gradientDifference(run);
      const [weight, ofWeight] = weightDifference(run);
      const found = { loss: lossDifference(run, one!), [gradient]: ofGradient, [weight]: ofWeight };
      const wrong = Object.entries(found).filter(([, difference]) => !(difference < 1e-4));
      expect({ mesh: MESHES[i], wrong }).toEqual({ mesh: MESHES[i], wrong: [] });
      if (!("capacity" in more)) continue;
      const sent = collectiveTable(collectives(parseOptimizedHlo(run.hlo), makeMesh(MESHES[i]!)));
      expect(sent.some(({ kind, axes }) => kind === "all-to-all" && axes.join() === "expert")).toBe(true);
    }
  },
  400_000,
);
