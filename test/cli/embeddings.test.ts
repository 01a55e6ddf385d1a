/**
 * `xenarc generate` of XenArcAIi2 with `--embeddings`: a model learns to say what a vector shows, and says it of those that it is given; and
 * with `generate.lengths`: the programs of the shortest length that holds the text write it, and it is the same by those of any.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { folder, SLOW, xenarc } from "./command.js";

const LETTERS = "abcd";
const shown = (letter: number): number[] => Array.from(LETTERS, (_, i) => (i === letter ? 2 : 0));
const records = Array.from({ length: 200 }, (_, i) => {
  const letter = (i * 7 + (i >> 3)) % LETTERS.length;
  return { prompt: "it is ", completion: `${LETTERS[letter]}.`, image: shown(letter), image_at: 2 };
});
const settings = [
  ...[
    "model.context=12",
    "model.layers=1",
    "model.heads=2",
    "model.kvHeads=1",
    "model.embed=16",
    "model.expertWidth=8",
  ],
  ...["model.experts=2", "model.perToken=2", "model.plan=0", "model.hyperRank=0", "model.skip=false"],
  ...["model.summary=4", "model.summaryChunk=4", "model.selector=0", "model.maxLatent=16", "model.latent=16"],
  ...["model.rank=8", "model.state=8", "model.unit=4", "model.chunk=4", "model.globals=3", "model.maxGlobals=4"],
  ...["model.sinks=1", "model.window=4", "model.dilation=1", "model.embeddings.image={width: 6, most: 2}"],
  ...["data.format=completion", "data.validation=0", "generate.lengths=[10,9]", "log.tensorboard=false"],
  ...["train.steps=120", "train.batch=8", "train.warmup=5", "train.learningRate=0.01"],
];
let cwd: string;
beforeAll(async () => {
  cwd = folder({ "data.jsonl": records.map((record) => `${JSON.stringify(record)}\n`).join("") });
  writeFileSync(join(cwd, "model.ts"), 'export { xenarcaiI2 as default } from "xenarc";\n');
  const { python } = await ensurePython();
  const script = `import numpy as np
from safetensors.numpy import save_file
for i in range(3): np.save(f"{i}.npy", 2 * np.eye(4, dtype=np.float32)[i])
save_file({"image": 2 * np.eye(4, dtype=np.float16)[3:]}, "3.safetensors")
np.save("wide.npy", np.ones((1, 7)))`;
  execFileSync(python, ["-c", script], { cwd });
  expect(await xenarc({ cwd }, "train", "-d", "data.jsonl", ...settings)).toMatchObject({ code: 0 });
}, 2 * SLOW);

const generate = (...given: string[]) =>
  xenarc({ cwd }, "generate", "--greedy", "--prompt", "it is ", "--json", ...given);

test(
  "what the vector shows is said, by the programs of the length that is needed",
  async () => {
    // Six characters, a vector, and what is written.
    const files = ["0.npy", "2.npy", "3.safetensors"];
    const found = [];
    for (const [i, file] of files.entries()) {
      const { out, err, code } = await generate("--embeddings", file, "--at", "2", "-n", `${i + 2}`);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      const { text, context } = JSON.parse(out);
      found.push([text.slice(0, 2), context]);
    }
    expect(found).toEqual([
      ["a.", 9],
      ["c.", 10],
      ["d.", 12],
    ]);
  },
  SLOW,
);

test(
  "what does not fit is refused in words",
  async () => {
    expect((await generate("--at", "2", "--embeddings", "0.npy", "1.npy")).err).toMatch(
      "--at has 1 numbers, and --embeddings 2 files.",
    );
    expect((await generate("--embeddings", "wide.npy")).err).toMatch(
      "`image` in wide.npy has vectors of 7 dimensions; the model takes at most 6.",
    );
  },
  SLOW,
);
