import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { readManifest, writeArtifact } from "../../emit/artifact.js";
import { BYTES, readTokenizer, withTemplate } from "../../emit/tokenizer.js";
import { ensurePython, generate, train } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { doubling, here, problem, python, referenceSource, temporaryFolder, writeText } from "./support.js";

const folder = temporaryFolder();
const fixture = (name: string): string => here(`../fixtures/tokenizers/${name}`);
const QWEN = fixture("qwen-style");

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

test.each(["test_tokenizer", "test_chat", "test_pretokenize"])("the runtime's promises hold (%s.py)", async (name) => {
  const { python: interpreter } = await ensurePython();
  const result = await execa(interpreter, ["-m", "unittest", "-q", name], {
    cwd: here("."),
    env: { ...pythonEnv(), JAX_PLATFORMS: "cpu", PYTHONDONTWRITEBYTECODE: "1" },
    reject: false,
  });
  expect(result.exitCode === 0 ? "" : result.stderr).toBe("");
});

test("a tokenizer is a file or its folder, and has the files beside it", () => {
  const qwen = readTokenizer(QWEN);
  expect([qwen.kind, qwen.vocabulary, [...qwen.files.keys()]]).toEqual([
    "json",
    1024,
    ["tokenizer.json", "tokenizer_config.json"],
  ]);
  expect(readTokenizer(join(QWEN, "tokenizer.json"))).toEqual(qwen);
  expect(readTokenizer("bytes")).toBe(BYTES);
});

test("ids are counted to the largest, added tokens and lists of pieces included", () => {
  const file = (name: string, vocab: unknown, ...added: number[]) =>
    write(name, { model: { vocab }, added_tokens: added.map((id) => ({ id, content: `<${id}>` })) });
  expect(readTokenizer(file("bpe.json", { a: 0, b: 4 }, 2)).vocabulary).toBe(5);
  expect(readTokenizer(file("added.json", { a: 0, b: 1 }, 2, 9)).vocabulary).toBe(10);
  const pieces = [
    ["<unk>", 0],
    ["a", -1.5],
    ["b", -2.5],
  ];
  expect(readTokenizer(file("unigram.json", pieces)).vocabulary).toBe(3);
});

test("a name is looked up where huggingface_hub looks, and nowhere else", async () => {
  const hub = join(folder, "hub");
  const snapshot = join(hub, "models--maker--model/snapshots/0123abc");
  mkdirSync(join(hub, "models--maker--model/refs"), { recursive: true });
  mkdirSync(join(hub, "models--maker--model/blobs"));
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(join(hub, "models--maker--model/refs/main"), "0123abc");
  cpSync(join(QWEN, "tokenizer.json"), join(hub, "models--maker--model/blobs/f00"));
  symlinkSync("../../blobs/f00", join(snapshot, "tokenizer.json"));
  const before = { ...process.env };
  process.env.HF_HUB_CACHE = hub;
  try {
    const { python: interpreter } = await ensurePython();
    const look = `from huggingface_hub import hf_hub_download as d; print(d("maker/model", "tokenizer.json", local_files_only=True))`;
    const { stdout } = await execa(interpreter, ["-c", look], { env: { HF_HUB_CACHE: hub } });
    expect(readFileSync(stdout)).toEqual(readFileSync(join(QWEN, "tokenizer.json")));
    expect(readTokenizer("maker/model").files.get("tokenizer.json")).toEqual(readFileSync(stdout));
    const absent = await problem(async () => readTokenizer("maker/other"));
    expect(absent).toContain(`none in the local Hugging Face cache ${hub}.\nDownload it once: hf download maker/other`);
    expect(await problem(async () => readTokenizer("bites"))).toMatch('Did you mean "bytes"?');
    expect(await problem(async () => readTokenizer("../no/such"))).toMatch("There is no tokenizer ../no/such");
  } finally {
    process.env = before;
  }
});

test("what is no tokenizer is refused in words", async () => {
  expect(await problem(async () => withTemplate(BYTES, "absent.jinja"))).toMatch(
    "There is no chat template absent.jinja",
  );
  const refusal = (name: string) => problem(async () => readTokenizer(name));
  expect(await refusal(write("broken.json", "{"))).toMatch("The tokenizer is not JSON");
  expect(await refusal(write("other.json", { model: 1 }))).toMatch("This is no tokenizer.json: `model`:");
  expect(await refusal(join(folder, "absent.json"))).toMatch(/There is no tokenizer .*absent\.json: no such file/);
  expect(await refusal("characters")).toMatch("made from the training text, and there is none");
  const sentencepiece = join(folder, "sentencepiece");
  mkdirSync(sentencepiece);
  expect(await refusal(sentencepiece)).toMatch(/has no tokenizer\.json.*\nGive the path of/);
  writeFileSync(join(sentencepiece, "tokenizer.model"), "");
  expect(await refusal(sentencepiece)).toMatch(/has a tokenizer\.model, of SentencePiece\.\ntransformers converts it/);
});

test("it is part of the artifact, and an altered one is refused by both sides", async () => {
  const path = join(folder, "artifact");
  const template = write("template.jinja", "{{ messages }}");
  const source = { ...doubling, tokenizer: withTemplate(readTokenizer(QWEN), template) };
  expect(await writeArtifact(path, source)).toEqual(await readManifest(path));
  const file = join(path, "tokenizer/tokenizer.json");
  expect(readFileSync(file)).toEqual(readFileSync(join(QWEN, "tokenizer.json")));
  expect(readFileSync(join(path, "tokenizer/chat_template.jinja"), "utf8")).toBe("{{ messages }}");
  expect(JSON.parse(await python("load_artifacts.py", path))).toEqual([null]);
  writeFileSync(file, readFileSync(file, "utf8").replace("Ġthe", "Ġteh"));
  await expect(readManifest(path)).rejects.toThrow(/tokenizer\.json is not the file that the artifact was written/);
  const [said] = JSON.parse(await python("load_artifacts.py", path));
  expect(said).toMatch(/tokenizer\.json is not the file/);
});

test("generation ends at the token that ends texts, and takes and gives text by the artifact's tokenizer", async () => {
  const source = await referenceSource(16, 60);
  const data = writeText(folder);
  const run = join(folder, "run");
  const plain = join(folder, "plain");
  await writeArtifact(plain, source);
  await train({ artifact: plain, run, data });
  const generated = async (artifact: string) => {
    let text = "";
    const settings = { prompt: "the quick", maxTokens: 60, temperature: 1, seed: 4 };
    const end = await generate({ artifact, run, ...settings }, (event) => {
      if (event.event === "text") text += event.text;
    });
    return { text, reason: end.reason };
  };
  const bytes = await generated(plain);
  expect(bytes.reason).toBe("length");

  // Byte pair encoding without pairs, whose ids are the bytes: the same model must write the same text.
  const listed = [...Array(256).keys()];
  const shown = listed.filter((b) => (b > 32 && b < 127) || (b > 160 && b !== 173));
  const names = new Map(shown.map((b) => [b, String.fromCodePoint(b)]));
  for (const b of listed) if (!names.has(b)) names.set(b, String.fromCodePoint(256 + names.size - shown.length));
  const level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  const ids = join(folder, "ids");
  mkdirSync(ids);
  const [end] = bytes.text.slice(20).match(/[a-z]/)!;
  const json = {
    version: "1.0",
    ...{ truncation: null, padding: null, added_tokens: [], normalizer: null, post_processor: null },
    ...{ pre_tokenizer: level, decoder: level },
    model: { type: "BPE", vocab: Object.fromEntries([...names].map(([b, name]) => [name, b])), merges: [] },
  };
  writeFileSync(join(ids, "tokenizer.json"), JSON.stringify(json));
  const artifact = join(folder, "bytes-as-json");
  await writeArtifact(artifact, { ...source, tokenizer: readTokenizer(ids) });
  expect(await generated(artifact)).toEqual(bytes);

  writeFileSync(join(ids, "tokenizer_config.json"), JSON.stringify({ eos_token: end }));
  await writeArtifact(artifact, { ...source, tokenizer: readTokenizer(ids) });
  expect(await generated(artifact)).toEqual({ text: bytes.text.slice(0, bytes.text.indexOf(end)), reason: "eos" });
});
