import { join } from "node:path";
import { packageRoot } from "../compiler/source/package.js";
import { type Bench, interleave, processSeconds, python, type Row } from "./harness.js";
import { compileCommand } from "./ours.js";

const peer = (script: string) => (): Promise<number> =>
  processSeconds(python(), [join(packageRoot, "bench/jax", script), "process"]);

const ours = (cache: "cold" | "warm") => async (): Promise<number> => {
  const [command, ...args] = await compileCommand(cache);
  return processSeconds(command, args);
};

export default {
  name: "process",
  claim:
    "as a whole process, `xenarc compile` is 4 times faster than Flax NNX, and than plain JAX 1.5 times cold, 4 times warm",
  async run({ pairs }): Promise<Row[]> {
    const row = async (what: string, limit: number, cache: "cold" | "warm", script: string): Promise<Row> => ({
      what,
      unit: "s",
      limit,
      ...(await interleave(pairs, ours(cache), peer(script))),
    });
    return [
      await row("warm, against Flax NNX", 1 / 4, "warm", "llama_nnx.py"),
      await row("warm, against plain JAX", 1 / 4, "warm", "llama.py"),
      await row("cold, against plain JAX", 1 / 1.5, "cold", "llama.py"),
    ];
  },
} satisfies Bench;
