/** What Xenith_mini remembers: from text to text as within one, and from call to call of `generate`. What it recalls is in test/full/recall. */
import { join } from "node:path";
import { mapLeaves } from "../../compiler/tree.js";
import { compile } from "../../emit/compile.js";
import type { LanguageModel } from "../../models/language_model.js";
import { xenithMini } from "../../models/xenith_mini/model.js";
import { full, zeros } from "../../ops/functions.js";
import { parameters } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { generate, train } from "../../runtime-bridge/bridge.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { inOrder } from "../language/harness.js";
import { drawn, tokensOf } from "../models/drawn.js";
import { expectClose, numbers, tensor as tensorOf } from "../oracle/oracle.js";
import { problem, temporaryFolder, tensorsOf, writeText } from "../runtime/support.js";

const folder = temporaryFolder();
const SLOW = 300_000;

/** Layers whose windows end at their own token: whatever comes from further back has been remembered. */
const alone = {
  ...{ context: 24, vocab: 24, denseLayers: 1, layers: 1, heads: 2, kvHeads: 1, embed: 8, mlp: 12, expertWidth: 6 },
  ...{ experts: 2, perToken: 1, windows: [1], globals: 0 },
};
const memory = { tokens: 4, chunk: 2, vectors: 2, chunks: 3, layers: 1, heads: 2, mlp: 6 };

test.each([
  ["oldest", 8],
  ["oldest", 2],
  ["newest", 8],
])(
  "a text read in parts is the text, when the %s chunk is done without; the first part has %d tokens",
  async (evict, first) => {
    const [length, decoded, batch] = [24, 4, 2];
    const model = drawn(xenithMini, { ...alone, memory: { ...memory, evict } });
    const { ours } = tokensOf(3, batch, length, alone.vocab);
    const [whole, parts] = await evaluate(
      (m: LanguageModel, tokens: Tensor<"batch" | "seq">) => {
        let session = mapLeaves(m.session(batch)!, (leaf) => {
          const { sizes, dtype } = leaf as Tensor;
          return zeros(sizes as Record<string, number>, dtype) as Tensor;
        });
        const hidden: Tensor[] = [];
        // Two parts: of each all but the last tokens at once, in a row that is longer, those one by one.
        for (const [from, to] of [
          [0, first],
          [first, length],
        ] as const) {
          const [read, decoding] = [to - from - Math.min(decoded, to - from - 1), Math.min(decoded, to - from - 1)];
          const row = tokens.slice("seq", from, from + read).pad("seq", 0, decoding);
          const counted = full({ batch }, read, "i32");
          let { hidden: h, cache } = m.run(row, { session, length: counted });
          hidden.push(h.slice("seq", 0, read));
          for (let at = read; at < to - from; at++) {
            const one = tokens.slice("seq", from + at, from + at + 1);
            ({ hidden: h, cache } = m.run(one, { positions: one.mul(0).add(at), cache }));
            hidden.push(h);
          }
          session = m.remember(cache, full({ batch }, to - from, "i32"));
        }
        return [m.run(tokens).hidden, hidden] as const;
      },
      model,
      ours,
    );
    const order = ["seq", "batch", "embed"];
    const got = parts.flatMap((part) => numbers(inOrder(part, order)) as number[]);
    const wanted = inOrder(whole, order);
    expectClose({ ...wanted, data: Float32Array.from(got) } as never, wanted, { rtol: 1e-4, atol: 1e-4 });
  },
  SLOW,
);

test("adapters stand beside every linear layer, the memories' and the experts' too, and are all that is trained", () => {
  const model = xenithMini.build(xenithMini.schema.parse({ model: { ...alone, memory }, lora: { rank: 2 } }));
  const all = parameters(model);
  const paths = new Set(all.map(([path]) => path));
  const bare = [...paths].filter((path) => path.endsWith("/weight") && !paths.has(path.replace(/weight$/, "lora/a")));
  expect(bare).toEqual(["tokens/weight", "blocks/mlp/router/weight"]);
  const trained = all.filter(([, { freeze }]) => !freeze).map(([path]) => path);
  expect(trained).toEqual([...paths].filter((path) => /lora\/[ab]$/.test(path)));
});

/** All floats of a safetensors file: in the order of the tensors' names. */
const floatsOf = (file: string): number[] =>
  [...tensorsOf(file)]
    .filter(([, { dtype }]) => dtype === "F32")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { bytes }]) => Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)));

describe("generate --session", () => {
  const [artifact, run] = [join(folder, "artifact"), join(folder, "run")];
  beforeAll(async () => {
    const config = {
      model: { ...alone, vocab: 256, memory: { ...memory, chunk: 1, tokens: 6, chunks: 40 } },
      train: { steps: 30, batch: 4, learningRate: 1e-2, warmup: 5 },
    };
    await (await compile(xenithMini, config, { locations: false })).write(artifact);
    await train({ artifact, run, data: writeText(folder) });
  }, SLOW);

  const written = async (prompt: string, maxTokens: number, session?: string) => {
    let text = "";
    const options = { artifact, run, prompt, maxTokens, temperature: 0, ...(session && { session }) };
    await generate(options, (event) => {
      if (event.event === "text") text += event.text;
    });
    return text;
  };

  test(
    "remembers of two calls what it remembers of one, which is longer than the context",
    async () => {
      const [twice, once] = [join(folder, "twice.safetensors"), join(folder, "once.safetensors")];
      const [first, second] = ["the quick brown fox ", " jumps over "];
      const begun = await written(first, 20, twice);
      const following = await written(second, 20, twice);
      expect(following).toBe(await written(first + begun + second, 20, once));
      const [got, wanted] = [floatsOf(twice), floatsOf(once)];
      expect(got.length).toBeGreaterThan(0);
      expectClose(tensorOf("f32", [got.length], got), tensorOf("f32", [got.length], wanted), {
        rtol: 1e-3,
        atol: 1e-4,
      });
    },
    SLOW,
  );

  test(
    "refuses what is no session of the model",
    async () => {
      const text = writeText(folder);
      expect(await problem(() => written("a", 1, text))).toMatch("is not a safetensors file");
    },
    SLOW,
  );
});
