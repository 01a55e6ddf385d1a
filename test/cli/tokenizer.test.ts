/** Models with a vocabulary of their own: compile, train, generate, resume. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { project, root, SLOW, SMALL, TEXT, xenarc } from "./command.js";

let cwd: string;
const call = (...args: string[]) => xenarc({ cwd }, ...args);
beforeAll(() => {
  const yaml = "model:\n  vocab: 1000\ndata:\n  tokenizer: qwen\n  path: text.txt\n";
  cwd = project({ "text.txt": TEXT, "qwen.yaml": yaml });
  cpSync(join(root, "test/fixtures/tokenizers/qwen-style"), join(cwd, "qwen"), { recursive: true });
});

test(
  "a tokenizer that is larger than the vocabulary is refused at its line",
  async () => {
    const small = await call("compile", "-c", "qwen.yaml");
    expect([small.code, small.out]).toEqual([1, ""]);
    expect(small.err).toMatch(
      "error: The tokenizer qwen has 1,024 ids, and `model.vocab` is 1,000.\n\n  qwen.yaml:2\n    1 | model:\n  > 2 |   vocab: 1000",
    );
    expect(small.err).toMatch("Expected: model.vocab=1024 or more");
    const none = await call("compile", "data.tokenizer=maker/none");
    expect([none.code, none.err]).toEqual([2, expect.stringMatching(/none in the local Hugging Face cache/)]);
    for (const path of ["..", "a/b/c", "nothing.json"]) {
      const { code, err } = await call("compile", `data.tokenizer=${path}`);
      expect([code, err]).toEqual([
        expect.any(Number),
        expect.stringMatching(/he tokenizer .. has no|There is no tokenizer/),
      ]);
      expect(err).toContain(
        "Give the path of a tokenizer.json, a folder that has one, or a name such as Qwen/Qwen3-8B.",
      );
      expect(err).not.toContain("hf download");
    }
  },
  SLOW,
);

test(
  "chats without a chat template are refused when the model is compiled",
  async () => {
    const chat = ["data.format=chat", "data.tokenizer=bare", "model.vocab=1024", ...SMALL];
    const settings = { eos_token: "<|endoftext|>", chat_template: [{ name: "tool_use", template: "" }] };
    cpSync(join(root, "test/fixtures/tokenizers/qwen-style"), join(cwd, "bare"), { recursive: true });
    writeFileSync(join(cwd, "bare/tokenizer_config.json"), JSON.stringify(settings));
    const { code, err } = await call("compile", ...chat);
    expect([code, err]).toEqual([1, expect.stringContaining("the tokenizer bare has no chat template")]);
    settings.chat_template.push({ name: "default", template: "{{ messages }}" });
    writeFileSync(join(cwd, "bare/tokenizer_config.json"), JSON.stringify(settings));
    expect((await call("compile", ...chat, "--only", "forward")).code).toBe(0);
    writeFileSync(join(cwd, "own.jinja"), "{{ messages }}");
    const bytes = ["data.format=chat", ...SMALL];
    expect((await call("compile", ...bytes)).err).toContain("the tokenizer bytes has no chat template");
    expect((await call("compile", ...bytes, "data.chatTemplate=own.jinja", "--only", "forward")).code).toBe(0);
  },
  SLOW,
);

test(
  "a model of tokens, and one of characters",
  async () => {
    const trained = await call("train", "-c", "qwen.yaml", ...SMALL, "model.vocab=1024", "--run", "runs/q");
    expect([trained.code, trained.err]).toEqual([0, ""]);
    expect(trained.out).toMatch(/^ {2}[\d,]+ tokens of text/m);
    const text = JSON.parse((await call("generate", "-n", "8", "--prompt", "To be", "--json")).out);
    expect(text).toMatchObject({ prompt: "To be", tokens: 8, reason: "length" });

    const settings = [...SMALL, "data.tokenizer=characters", "--run", "runs/c"];
    const characters = await call("train", ...settings, "--data", "text.txt");
    expect([characters.code, characters.err]).toEqual([0, ""]);
    const file = join(cwd, "runs/c/artifact/tokenizer/tokenizer.json");
    const { vocab } = JSON.parse(readFileSync(file, "utf8")).model;
    expect(Object.keys(vocab)).toEqual([...new Set(`\n${TEXT}`)].sort());
    const unknown = await call("generate", "--run", "runs/c", "--prompt", "To bé");
    const said = "The character 'é' (U+00E9, in 'To bé') is not in the vocabulary of 17 characters";
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining(said)]);

    writeFileSync(join(cwd, "other.txt"), `${TEXT}é`);
    const resumed = await call("train", ...settings, "train.steps=7", "--data", "other.txt", "--resume");
    expect([resumed.code, resumed.err]).toEqual([1, expect.stringMatching(/The tokenizer is not the one that/)]);
  },
  SLOW,
);
