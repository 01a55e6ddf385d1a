import { join } from "node:path";
import { packageRoot } from "../compiler/source/package.js";
import { type Bench, median, processSeconds, type Row } from "./harness.js";

const SETTINGS =
  "model.context=2048 model.vocab=32768 model.embed=4096 model.heads=32 model.kvHeads=8 model.mlp=11264 model.layers=32 model.dtype=bf16 train.batch=512";

export default {
  name: "plan",
  claim: "a dense model is planned for a pod of 512 chips within 10 s, before the compiler confirms anything",
  async run({ pairs }): Promise<Row[]> {
    const times: number[] = [];
    for (let i = 0; i < Math.min(pairs, 5); i++) {
      const words = ["plan", "models/llama.ts", ...SETTINGS.split(" "), "--target", "tpu:v5p:8x8x8", "--json"];
      times.push(await processSeconds(process.execPath, [join(packageRoot, "dist/cli/main.js"), ...words]));
    }
    return [{ what: "as a whole process", unit: "s", ours: median(times), limit: 10 }];
  },
} satisfies Bench;
