/** Configurations: which source wins, and what is said of what is wrong. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { XenarcError } from "../../compiler/errors.js";
import { render } from "../../compiler/source/render.js";
import { explainConfig, resolveConfig } from "../../emit/config.js";

const schema = z.strictObject({
  model: z
    .strictObject({
      context: z.int().min(1).default(64),
      width: z.int().min(1).default(128),
      heads: z.int().min(1).default(4),
      dropout: z.number().min(0).lt(1).default(0),
    })
    .refine((m) => m.width % m.heads === 0, { path: ["heads"], message: "must divide the width" })
    .prefault({}),
  train: z
    .strictObject({
      steps: z.int().positive().default(2000),
      batch: z.int().positive().multipleOf(4).default(12),
      learningRate: z.number().positive().default(1e-3),
      schedule: z.enum(["cosine", "linear", "constant"]).default("cosine"),
      clip: z.union([z.number().positive(), z.literal(false)]).default(1),
      nesterov: z.boolean().default(false),
      dtype: z.enum(["f32", "bf16"]).default("bf16"),
    })
    .prefault({}),
  data: z.strictObject({ path: z.string().default(""), stop: z.array(z.string()).max(2).default([]) }).prefault({}),
});

const root = realpathSync(mkdtempSync(join(tmpdir(), "xenarc-config-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = join(root, "config.yaml");
const write = (text: string | Uint8Array): string => {
  writeFileSync(file, text);
  return file;
};

/** The error of a configuration, as people see it. */
function refusal(text: string | Uint8Array | undefined, ...overrides: string[]): string {
  const yamlFile = text === undefined ? undefined : write(text);
  try {
    resolveConfig(schema, { yamlFile, overrides });
  } catch (error) {
    expect(error).toBeInstanceOf(XenarcError);
    return `\n${render(error as XenarcError, { colour: false })}\n`.replaceAll(`${root}/`, "");
  }
  throw new Error("it was accepted");
}

test("the default loses to the file, the file to an argument, an argument to a later one", () => {
  const yamlFile = write("train:\n  steps: 10\n  batch: 8\n");
  const { train, model } = resolveConfig(schema, { yamlFile, overrides: ["train.batch=4", "train.batch=16"] });
  expect(train).toMatchObject({ steps: 10, batch: 16, learningRate: 1e-3 });
  expect(model.width).toBe(128);
});

test("values are YAML", () => {
  const overrides = [
    "train.learningRate=1e-4",
    "train.nesterov=true",
    'data.path="3"',
    "data.stop=[a, b]",
    "train.clip=false",
  ];
  const { train, data } = resolveConfig(schema, { overrides });
  expect(train).toMatchObject({ learningRate: 1e-4, nesterov: true, clip: false });
  expect(data).toEqual({ path: "3", stop: ["a", "b"] });
});

test("a value may contain =", () => {
  expect(resolveConfig(schema, { overrides: ["data.path=a=b"] }).data.path).toBe("a=b");
});

test.each(["", "# nothing\n", "---\n", "train:\n", "\uFEFFtrain:\n  steps: 2000\n"])("%j says nothing", (text) => {
  expect(resolveConfig(schema, { yamlFile: write(text) })).toEqual(resolveConfig(schema));
});

test("each value has its origin", () => {
  const yamlFile = write("train:\n  steps: 10\n  batch: 8\n");
  const { settings } = explainConfig(schema, { yamlFile, overrides: ["train.batch=4"] });
  const origin = Object.fromEntries(settings.map((s) => [s.key, s.origin]));
  expect(origin["train.steps"]).toEqual({ file, line: 2 });
  expect(origin["train.batch"]).toBe("argument");
  expect(origin["model.width"]).toBe("default");
});

test("a wrong key, with the nearest right one", () => {
  expect(refusal("train:\n  stpes: 10\n  batch: 8\n")).toMatchInlineSnapshot();
  expect(refusal("trian:\n  steps: 10\n")).toMatchInlineSnapshot();
  expect(refusal(undefined, "train.stpes=10")).toMatchInlineSnapshot();
});

test("a key of another section", () => {
  expect(refusal("steps: 10\n")).toMatchInlineSnapshot();
  expect(refusal(undefined, "model.batch=10")).toMatchInlineSnapshot();
});

test("a key like no other", () => {
  expect(refusal("train:\n  colour: red\n")).toMatchInlineSnapshot();
  expect(refusal(undefined, "__proto__.steps=1")).toMatchInlineSnapshot();
  expect(refusal("__proto__:\n  steps: 1\n")).toMatchInlineSnapshot();
});

test("a wrong value, with what is allowed", () => {
  expect(refusal("train:\n  batch: 8\n  steps: -1\n")).toMatchInlineSnapshot();
  expect(refusal("train:\n  schedule: cosin\n")).toMatchInlineSnapshot();
  expect(refusal("train: 5\n")).toMatchInlineSnapshot();
  expect(refusal("train:\n  clip: no\n")).toMatchInlineSnapshot();
  expect(refusal("data:\n  stop: [a, 1, c]\n")).toMatchInlineSnapshot();
  expect(refusal(undefined, "train.steps=many")).toMatchInlineSnapshot();
  expect(refusal(undefined, "train.steps=")).toMatchInlineSnapshot();
});

test("slips that are known", () => {
  expect(refusal("train:\n  nesterov: yes\n")).toContain("Write true.");
  expect(refusal("train:\n  steps: 10_000\n")).toContain("Write 10000.");
  expect(refusal("data:\n  path: 1984\n")).toContain('Put it in quotes: "1984".');
});

test("a rule between values stands at the value given", () => {
  expect(refusal("model:\n  heads: 3\n")).toMatchInlineSnapshot();
  expect(refusal(undefined, "model.heads=3")).toMatchInlineSnapshot();
  expect(refusal("model:\n  width: 130\n")).toMatchInlineSnapshot();
});

test("all mistakes at once", () => {
  expect(
  refusal("train:\n  stpes: 10\n  batch: 3\nmodel:\n  width: wide\n", "train.dtype=f16")
).toMatchInlineSnapshot();
});

test("what is no key=value", () => {
  expect(refusal(undefined, "train.steps")).toMatchInlineSnapshot();
  expect(refusal(undefined, "train.steps=[1")).toMatchInlineSnapshot();
});

test("what is no YAML", () => {
  expect(refusal("train:\n  steps: 10\n  steps: 20\n")).toMatchInlineSnapshot();
  expect(refusal("train:\n\tsteps: 10\n")).toMatchInlineSnapshot();
  expect(refusal('train:\n  schedule: "cosine\n')).toMatchInlineSnapshot();
  expect(refusal("a: !!python/object:os.system 1\n")).toMatchInlineSnapshot();
  expect(refusal("train: *nowhere\n")).toMatchInlineSnapshot();
  expect(refusal("- steps\n- batch\n")).toMatchInlineSnapshot();
  expect(refusal("a: 1\n---\nb: 2\n")).toMatchInlineSnapshot(); keep one.

  config.yaml:2:1
    1 | a: 1
  > 2 | ---
      | ^
    3 | b: 2
"
`);
});

test("what is no text", () => {
  expect(refusal(Buffer.from("data:\n  path: caf\xe9\n", "latin1"))).toMatchInlineSnapshot();
});

test("bombs", () => {
  const names = [..."abcdefghi"];
  const bomb = names.map((n, i) => `${n}: &${n} [${i === 0 ? "x" : Array(9).fill(`*${names[i - 1]}`)}]`).join("\n");
  expect(refusal(bomb)).toMatchInlineSnapshot();
  expect(refusal(`a: ${"[".repeat(20_000)}`)).toMatch(/nested too deeply|mistakes|wrong/);
});

test("a file that is not there, and one that is a folder", () => {
  expect(() => resolveConfig(schema, { yamlFile: "nowhere.yaml" })).toThrow("There is no file nowhere.yaml.");
  expect(() => resolveConfig(schema, { yamlFile: "test" })).toThrow("test is a folder.");
});
