/** Runs that begin with other weights, as they are told of: adapters, what is trained, what is refused. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project, SLOW, SMALL, TEXT, xenarc } from "./command.js";

let cwd: string;
const file = (...path: string[]): string => join(cwd, ...path);
const train = (...args: string[]) => xenarc({ cwd }, "train", ...SMALL, "--data", "text.txt", ...args);
/** Beside a weight of 8 x 8: 2 x 8 and 8 x 2 numbers. */
const LORA = ["lora.rank=2", 'lora.match=["blocks/attention/query"]'];
const ADAPTED = 32;
/** Of SMALL, with embeddings and a head of 256 x 8: two norms and the last, attention, the feed-forward layer, biases. */
const BASE = 2 * 256 * 8 + 256 + 3 * 16 + 4 * (64 + 8) + (8 * 32 + 32) + (32 * 8 + 8);

beforeAll(async () => {
  cwd = project({ "text.txt": TEXT });
  const { code, err } = await train("--run", "runs/base");
  expect([code, err]).toEqual([0, ""]);
}, SLOW);

test(
  "adapters without weights to stand beside are refused; with them it is said what was read, and what is trained",
  async () => {
    const drawn = await train(...LORA, "--run", "runs/tuned");
    expect([drawn.code, drawn.out.match(/^step/m)]).toEqual([2, null]);
    expect(drawn.err).toMatchInlineSnapshot(`
"error: lora.rank=2 trains adapters alone, beside weights that stay as they are, and no weights are named: they would be random ones.

Say what to begin with: --from PATH (a run, or a folder of safetensors), or train.from. To train the whole model, leave lora out.
"
`);
    // Where nothing stays as it is, there is nothing to stand beside.
    const free = ["train.parameters=[{match: '**', freeze: false}]"];
    expect((await train(...LORA, ...free, "--run", "runs/free")).code).toBe(0);

    const tuned = await train(...LORA, "--run", "runs/tuned", "--from", "runs/base");
    expect([tuned.code, tuned.err]).toEqual([0, ""]);
    const number = (value: number) => value.toLocaleString("en");
    const from = `${number(BASE)} parameters from runs/base/checkpoints/6, ${ADAPTED} drawn`;
    expect(tuned.out).toContain(
      `\n  weights: ${from}\n  trained: ${ADAPTED} parameters; ${number(BASE)} stay as they are\n`,
    );
    const total = number(BASE + ADAPTED);
    expect(readFileSync(file("runs/tuned/log.txt"), "utf8")).toContain(
      `${total} parameters (${ADAPTED} of them trained) begins with ${number(BASE)} of runs/base/checkpoints/6: 6 steps`,
    );
    const longer = await train(...LORA, "train.steps=8", "--run", "runs/tuned", "--resume");
    expect([longer.code, longer.err]).toEqual([0, ""]);
    expect(longer.out).not.toContain("weights:");
    expect(longer.out).toContain(`\n  trained: ${ADAPTED} parameters;`);

    const forgotten = await train("--run", "runs/tuned", "--resume");
    expect([forgotten.code, forgotten.err]).toEqual([
      1,
      expect.stringMatching(
        /with adapters, and the configuration has none now\.\n\n.* lora\.alpha=16 .* lora\.rank=2\n/,
      ),
    ]);
  },
  SLOW,
);
