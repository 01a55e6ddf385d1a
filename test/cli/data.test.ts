/** Data before training: tokenized ahead, and counted. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folder, project, root, SLOW, SMALL, xenarc } from "./command.js";

let cwd: string;
const call = (...args: string[]) => xenarc({ cwd }, ...args);
const QWEN = join(root, "test/fixtures/tokenizers/qwen-style");
beforeAll(() => {
  const lines = ["To be, or not to be", "that is the question", "To be, or not to be", "é 🙂"];
  const records = Array.from({ length: 60 }, (_, i) => ({ text: `${lines[i % 4]} ${i < 4 ? "" : i}` }));
  cwd = project({
    "plays.jsonl": records.map((record) => `${JSON.stringify(record)}\n`).join(""),
    "bad.jsonl": '{"text": "one"}\n{"text": 1}\n',
  });
});

test(
  "tokenize writes shards that are trained on",
  async () => {
    const made = await call("data", "tokenize", "plays.jsonl", "--tokenizer", QWEN, "-o", "tokens");
    expect([made.code, made.err]).toEqual([0, ""]);
    expect(made.out).toMatch(
      /^ {2}tokens +[\d,]+\n {2}documents +60\n {2}written +1 shard \(bin, uint16\) and index\.json in tokens/,
    );
    expect(made.out).toContain(`Train on it with: data.path=tokens data.tokenizer=${QWEN}`);
    const index = JSON.parse(readFileSync(join(cwd, "tokens/index.json"), "utf8"));
    expect(index).toMatchObject({ format: "bin", dtype: "uint16", documents: 60, complete: true });
    const again = await call("data", "tokenize", "plays.jsonl", "--tokenizer", QWEN, "-o", "tokens", "--json");
    expect(again.err).toBe("");
    expect(JSON.parse(again.out)).toMatchObject({ tokens: index.tokens, shards: 1, bad: 0 });

    const settings = ["data.path=tokens", `data.tokenizer=${QWEN}`, "model.vocab=1024"];
    const trained = await call("train", ...SMALL, ...settings, "--json");
    expect([trained.code, trained.err]).toEqual([0, ""]);
    const start = trained.out.split("\n").find((line) => line.includes('"start"'));
    const { train_tokens, validation_tokens } = JSON.parse(start!);
    expect(train_tokens + validation_tokens).toBe(index.tokens);
  },
  SLOW,
);

test(
  "tokenize says what is wrong",
  async () => {
    const bad = await call("data", "tokenize", "bad.jsonl", "-o", "none");
    expect([bad.code, bad.out]).toEqual([1, ""]);
    expect(bad.err).toMatch(/bad\.jsonl, line 2: .*\n\nMend it, or leave it out\. All such .* with --skip-bad\./);
    const skipped = await call("data", "tokenize", "bad.jsonl", "-o", "some", "--skip-bad");
    expect(skipped.out).toMatch(/documents +1, 1 more left out: they are broken/);
    const other = await call("data", "tokenize", "plays.jsonl", "-o", "some");
    expect([other.code, other.err]).toEqual([2, expect.stringContaining("some holds other data, as `sources` in its")]);
    const foreign = folder({ "thesis.txt": "" });
    const full = await call("data", "tokenize", "plays.jsonl", "-o", foreign);
    expect([full.code, full.err]).toEqual([2, expect.stringContaining("is not empty")]);
    expect(readdirSync(foreign)).toEqual(["thesis.txt"]);
    const characters = await call("data", "tokenize", "plays.jsonl", "--tokenizer", "characters", "-o", "c");
    expect([characters.code, characters.err]).toEqual([2, expect.stringContaining("is made when a model is compiled")]);
    for (const option of ["--kind", "--dtype"]) {
      const unknown = await call("data", "stats", "plays.jsonl", option, "xml");
      expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("Allowed choices are")]);
    }
    const nothing = await call("data", "stats", "nowhere.jsonl");
    expect([nothing.code, nothing.err]).toEqual([
      1,
      expect.stringContaining("There is no file or folder nowhere.jsonl"),
    ]);
  },
  SLOW,
);

test(
  "stats shows lengths, duplicates and entropies",
  async () => {
    const { code, out, err } = await call("data", "stats", "plays.jsonl");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatchInlineSnapshot(`
"  source       kind   files  records  bytes  shortest  median  longest
  plays.jsonl  jsonl      1       60  1,141         8      22       23

records by bytes
   8 to 15  15  ██████████████
  16 to 31  45  ████████████████████████████████████████

  text        1.14 kB
  vocabulary  31 of 256 ids of bytes
  duplicates  1 exact, 0 near
  unigram     2.824 nats a byte
  bigram      1.155 nats a byte
"
`);
    const json = JSON.parse((await call("data", "stats", "plays.jsonl", "--tokenizer", QWEN, "--json")).out);
    expect(json.sources[0]).toMatchObject({ path: "plays.jsonl", kind: "jsonl", records: 60, bad: 0 });
    expect(json.bigram).toBeLessThan(json.unigram);
  },
  SLOW,
);
