import { startWorker, type WireTensor } from "../runtime-bridge/worker.js";
import { type Bench, interleave, type Row, seconds } from "./harness.js";
import { hierarchyProgram } from "./ours.js";

const LENGTH = 32_768;

/** What a run is given: by default a window alone. */
interface Given {
  readonly window: number;
  readonly dilation?: number;
  readonly sparsity?: number;
  readonly chunk?: number;
  /** Which of the paths have a weight, in the order of `PATHS`. */
  readonly paths?: readonly (0 | 1)[];
}

const NONE = [0, 0, 0, 0, 0] as const;
const LOCAL = [1, 0, 0, 0, 0] as const;
const CHUNKS = [0, 0, 0, 0, 1] as const;

const wire = (dtype: "i32" | "f32", data: readonly number[], shape: readonly number[] = []): WireTensor => ({
  dtype,
  shape,
  data: new Uint8Array((dtype === "i32" ? Int32Array.from(data) : Float32Array.from(data)).buffer),
});

export default {
  name: "hierarchy",
  claim:
    "hierarchical attention and its gradient, one executable at S = 32,768: twice the window takes 1.7 to 2.3 times the local path's time; dilation and sparsity leave work out",
  async run({ pairs }): Promise<Row[]> {
    const text = await hierarchyProgram(LENGTH);
    const worker = await startWorker();
    try {
      const time = ({ window, dilation = 1, sparsity = 0, chunk = 1024, paths = LOCAL }: Given) => {
        const numbers = [window, dilation, 0, chunk].map((n) => wire("i32", [n]));
        const inputs = [...numbers, wire("f32", [sparsity]), wire("f32", paths, [paths.length])];
        return seconds(() => worker.execute(text, inputs));
      };
      // Preparing blocks, and what else does not depend on the values, is no path's time.
      const alone = async (given: Given) => (await time(given)) - (await time({ ...given, paths: NONE }));
      const row = async (what: string, least: number, most: number, more: Given, less: Given): Promise<Row[]> => {
        const pair = await interleave(
          pairs,
          () => alone(more),
          () => alone(less),
        );
        return [
          { what, unit: "s", ...pair, limit: most },
          { what: `the same, ${least} over it`, unit: "", ours: least / pair.ratio.median, limit: 1 },
        ];
      };
      return [
        ...(await row("window 4,096 against 2,048", 1.7, 2.3, { window: 4096 }, { window: 2048 })),
        ...(await row("dilation 1 against 2, window 4,096", 1.7, 2.3, { window: 4096 }, { window: 4096, dilation: 2 })),
        ...(await row(
          "sparsity 0.4 against 0.2, chunks alone",
          1.7,
          2.3,
          { window: 1, sparsity: 0.4, paths: CHUNKS },
          { window: 1, sparsity: 0.2, paths: CHUNKS },
        )),
      ];
    } finally {
      worker.close();
    }
  },
} satisfies Bench;
