/** What Xenith_mini remembers: from text to text as within one, from call to call of `generate`, and over distances that nothing else bridges. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mapLeaves } from "../../compiler/tree.js";
import { compile } from "../../emit/compile.js";
import type { LanguageModel } from "../../models/language_model.js";
import type { Batch } from "../../models/train/batch.js";
import { initialize } from "../../models/train/initialize.js";
import { firstState } from "../../models/train/state.js";
import { trainStep } from "../../models/train/train_step.js";
import { xenithMini } from "../../models/xenith_mini/model.js";
import { tensor } from "../../ops/array.js";
import { scan } from "../../ops/control.js";
import { argmax, full, zeros } from "../../ops/functions.js";
import { parameters } from "../../ops/module.js";
import type { Key } from "../../ops/random.js";
import type { Tensor } from "../../ops/tensor.js";
import { generate, train } from "../../runtime-bridge/bridge.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { inOrder } from "../language/harness.js";
import { drawn, draws, tokensOf } from "../models/drawn.js";
import { expectClose, numbers, tensor as tensorOf } from "../oracle/oracle.js";
import { problem, temporaryFolder, writeText } from "../runtime/support.js";

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
function floatsOf(file: string): number[] {
  const bytes = readFileSync(file);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, begin).toString()) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  return Object.entries(header)
    .filter(([, { dtype }]) => dtype === "F32")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(
      ([
        ,
        {
          data_offsets: [from, to],
        },
      ]) => Array.from({ length: (to - from) / 4 }, (_, i) => bytes.readFloatLE(begin + from + 4 * i)),
    );
}

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

describe("a key that was seen far away", () => {
  const [keys, fillers, context, steps, batch, tests, seeds] = [8, 8, 40, 300, 32, 1024, 3];
  const sizes = {
    ...{ context, vocab: keys + fillers + 1, denseLayers: 1, layers: 1, heads: 4, kvHeads: 2, embed: 32, mlp: 48 },
    ...{ expertWidth: 16, experts: 2, perToken: 1, windows: [4], globals: 0 },
  };
  const distant = { tokens: 8, chunk: 4, vectors: 1, chunks: 16, layers: 1, heads: 2, mlp: 32 };

  /** Rows with a key among the first two tokens, and behind it, further than all windows together reach, the question for it. */
  const rows = (seed: number, count: number): number[] => {
    const draw = draws(seed);
    const below = (n: number) => Math.floor(((draw() + 1) / 2) * n);
    return Array.from({ length: count }, () => {
      const [key, place] = [below(keys), below(2)];
      const before = Array.from({ length: context - 1 }, (_, i) => (i === place ? key : keys + below(fillers)));
      return [...before, keys + fillers, key];
    }).flat();
  };

  /** Of each seed, in how many of a hundred rows that it has not seen the model names the key. */
  const learnt = async (model: object): Promise<number[]> => {
    const settings = { steps, batch, warmup: 20, learningRate: 3e-3, minLearningRate: 3e-4 };
    const c = xenithMini.schema.parse({ model: { ...sizes, ...model }, train: settings });
    const declared = xenithMini.build(c) as LanguageModel;
    const window = context + 1;
    const trained = Array.from({ length: seeds }, (_, i) => rows(100 + i, steps * batch)).flat();
    const random = Array.from({ length: seeds }, (_, i) => [0, i]).flat();
    const right = await evaluate(
      (seed: Tensor, tokens: Tensor, unseen: Tensor) => {
        const place = tokens.at("seed", 0).at("step", 0).mul(0) as Tensor;
        const answers = place.add(full({ window }, 0, "i32")) as Tensor;
        const mask = answers.sub(0).add(onlyLast(window) as never) as Tensor;
        const [, found] = scan("seed", {}, { seed, tokens }, (none, { seed, tokens }) => {
          const params = initialize(declared, seed as Key);
          const begin = firstState(declared, params, seed as Key, c.train);
          const [end] = scan("step", begin, { tokens: tokens as Tensor }, (state, { tokens }) => {
            const given = { tokens, mask } as unknown as Batch<"accumulation" | "batch">;
            return [trainStep(declared, state, given, c.train).state, []] as const;
          });
          const inputs = unseen.slice("window", 0, context).rename("window", "seq") as Tensor<"batch" | "seq">;
          const said = argmax(end.params.call(inputs).at("seq", context - 1) as Tensor, "vocab");
          const asked = unseen.at("window", context);
          return [
            none,
            said
              .eq(asked as never)
              .cast("f32")
              .mean("batch"),
          ] as const;
        });
        return found as Tensor;
      },
      tensor({ seed: seeds, threefry: 2 }, random, "ui32") as Tensor,
      tensor({ seed: seeds, step: steps, accumulation: 1, batch, window }, trained, "i32") as Tensor,
      tensor({ batch: tests, window }, rows(7, tests), "i32") as Tensor,
    );
    return (numbers(inOrder(right, ["seed"])) as number[]).map((share) => 100 * share);
  };
  const onlyLast = (window: number): Tensor =>
    full({ window: window - 1 }, 0, "i32").pad("window", 0, 1, 1) as unknown as Tensor;

  test.each<[string, object, (share: number) => boolean]>([
    ["with a memory it is named", { memory: distant }, (share) => share >= 95],
    ["with global tokens it is named", { globals: 2 }, (share) => share >= 95],
    ["with neither it is guessed", {}, (share) => Math.abs(share - 100 / keys) <= 5],
  ])(
    "%s",
    async (_, model, fits) => {
      const shares = await learnt(model);
      expect([shares, shares.map(fits)]).toEqual([shares, shares.map(() => true)]);
    },
    SLOW,
  );
});
