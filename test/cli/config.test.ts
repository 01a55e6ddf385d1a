/** Configurations: which source wins, and what is said of what is wrong. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
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
    return `\n${render(error as XenarcError, { colour: false, cwd: root })}\n`.replaceAll(`${root}/`, "");
  }
  throw new Error("it was accepted");
}

test("the default loses to the file, the file to an argument, an argument to a later one", () => {
  const yamlFile = write("train:\n  steps: 10\n  batch: 8\n");
  const { train, model } = resolveConfig(schema, { yamlFile, overrides: ["train.batch=4", "train.batch=16"] });
  expect(train).toMatchObject({ steps: 10, batch: 16, learningRate: 1e-3 });
  expect(model.width).toBe(128);
});

test("values given in code lose to the file", () => {
  const yamlFile = write("train:\n  steps: 10\n");
  const values = { train: { steps: 1, batch: 8 } };
  const { config, settings } = explainConfig(schema, { values, yamlFile, overrides: ["model.heads=8"] });
  expect(config.train).toMatchObject({ steps: 10, batch: 8 });
  expect(settings.find(({ key }) => key === "train.batch")?.origin).toBe("code");
  expect(values).toEqual({ train: { steps: 1, batch: 8 } });
  expect(() => resolveConfig(schema, { values: { train: { stpes: 1 } } })).toThrow("Did you mean `train.steps`?");
  expect(() => resolveConfig(schema, { values: 5 })).toThrow(
    "The configuration must be a mapping of settings, and is 5.",
  );
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

test("numbers, true, false and null are what YAML reads", () => {
  const scalar = fc.oneof(
    fc.double().map(String),
    fc.integer().map(String),
    fc.bigInt().map(String),
    fc.stringMatching(/^-?\d{1,4}(\.\d{0,3})?(e[+-]?\d)?$/),
    fc.constantFrom("true", "false", "null", "True", "~", "nul"),
  );
  fc.assert(
    fc.property(scalar, (text) => {
      expect(resolveConfig(z.object({ x: z.unknown() }), { overrides: [`x=${text}`] }).x).toBe(parse(text));
    }),
  );
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
  expect(refusal("train:\n  stpes: 10\n  batch: 8\n")).toMatchInlineSnapshot(`
"
There is no setting \`train.stpes\`. Did you mean \`train.steps\`?

  config.yaml:2:3
    1 | train:
  > 2 |   stpes: 10
      |   ^
    3 |   batch: 8
"
`);
  expect(refusal("trian:\n  steps: 10\n")).toMatchInlineSnapshot(`
"
There is no setting \`trian\`. Did you mean \`train\`?

  config.yaml:1:1
  > 1 | trian:
      | ^
    2 |   steps: 10
"
`);
  expect(refusal(undefined, "train.stpes=10")).toMatchInlineSnapshot(`
"
train.stpes=10: There is no setting \`train.stpes\`. Did you mean \`train.steps\`?
"
`);
});

test("a key of another section", () => {
  expect(refusal("steps: 10\n")).toMatchInlineSnapshot(`
"
There is no setting \`steps\`. Did you mean \`train.steps\`?

  config.yaml:1:1
  > 1 | steps: 10
      | ^
"
`);
  expect(refusal(undefined, "model.batch=10")).toMatchInlineSnapshot(`
"
model.batch=10: There is no setting \`model.batch\`. Did you mean \`train.batch\`?
"
`);
});

test("a key like no other", () => {
  expect(refusal("train:\n  colour: red\n")).toMatchInlineSnapshot(`
"
There is no setting \`train.colour\`.

  config.yaml:2:3
    1 | train:
  > 2 |   colour: red
      |   ^

Expected: one of steps, batch, learningRate, schedule, clip, nesterov, dtype.
"
`);
  expect(refusal(undefined, "__proto__.steps=1")).toMatchInlineSnapshot(`
"
There is no setting \`__proto__\`.

Expected: one of model, train, data.
"
`);
  expect(refusal("__proto__:\n  steps: 1\n")).toMatchInlineSnapshot(`
"
There is no setting \`__proto__\`.

  config.yaml:1:1
  > 1 | __proto__:
      | ^
    2 |   steps: 1

Expected: one of model, train, data.
"
`);
});

test("a wrong value, with what is allowed", () => {
  expect(refusal("train:\n  batch: 8\n  steps: -1\n")).toMatchInlineSnapshot(`
"
\`train.steps\` must be more than 0, and is -1.

  config.yaml:3:10
    1 | train:
    2 |   batch: 8
  > 3 |   steps: -1
      |          ^
"
`);
  expect(refusal("train:\n  schedule: cosin\n")).toMatchInlineSnapshot(`
"
\`train.schedule\` must be "cosine", "linear" or "constant", and is "cosin".

  config.yaml:2:13
    1 | train:
  > 2 |   schedule: cosin
      |             ^

Did you mean "cosine"?
"
`);
  expect(refusal("train: 5\n")).toMatchInlineSnapshot(`
"
\`train\` must be a mapping of settings, and is 5.

  config.yaml:1:8
  > 1 | train: 5
      |        ^
"
`);
  expect(refusal("train:\n  clip: no\n")).toMatchInlineSnapshot(`
"
\`train.clip\` must be a number or false, and is "no".

  config.yaml:2:9
    1 | train:
  > 2 |   clip: no
      |         ^
"
`);
  expect(refusal("data:\n  stop: [a, 1, c]\n")).toMatchInlineSnapshot(`
"
\`data.stop\` must be at most 2 elements long, and is a list.

  config.yaml:2:3
    1 | data:
  > 2 |   stop: [a, 1, c]
      |   ^
"
`);
  expect(refusal(undefined, "train.steps=many")).toMatchInlineSnapshot(`
"
train.steps=many: \`train.steps\` must be a number, and is "many".
"
`);
  expect(refusal(undefined, "train.steps=")).toMatchInlineSnapshot(`
"
train.steps=: \`train.steps\` must be a number, and is nothing.
"
`);
});

test("slips that are known", () => {
  expect(refusal("train:\n  nesterov: yes\n")).toContain("Write true.");
  expect(refusal("train:\n  steps: 10_000\n")).toContain("Write 10000.");
  expect(refusal("data:\n  path: 1984\n")).toContain('Put it in quotes: "1984".');
});

test("a rule between values stands at the value given", () => {
  expect(refusal("model:\n  heads: 3\n")).toMatchInlineSnapshot(`
"
\`model.heads\` is 3: must divide the width.

  config.yaml:2:10
    1 | model:
  > 2 |   heads: 3
      |          ^
"
`);
  expect(refusal(undefined, "model.heads=3")).toMatchInlineSnapshot(`
"
model.heads=3: \`model.heads\` is 3: must divide the width.
"
`);
  expect(refusal("model:\n  width: 130\n")).toMatchInlineSnapshot(`
"
\`model.heads\`: must divide the width.

  config.yaml:1:1
  > 1 | model:
      | ^
    2 |   width: 130
"
`);
});

test("all mistakes at once", () => {
  expect(refusal("train:\n  stpes: 10\n  batch: 3\nmodel:\n  width: wide\n", "train.dtype=f16")).toMatchInlineSnapshot(`
"
4 settings are wrong.
  train.dtype=f16: \`train.dtype\` must be "f32" or "bf16", and is "f16". Did you mean "bf16"?

  config.yaml:2:3
    1 | train:
  > 2 |   stpes: 10
      |   ^ There is no setting \`train.stpes\`. Did you mean \`train.steps\`?
    3 |   batch: 3
    4 | model:

  config.yaml:3:10
    1 | train:
    2 |   stpes: 10
  > 3 |   batch: 3
      |          ^ \`train.batch\` must be a multiple of 4, and is 3.
    4 | model:
    5 |   width: wide

  config.yaml:5:10
    3 |   batch: 3
    4 | model:
  > 5 |   width: wide
      |          ^ \`model.width\` must be a number, and is "wide".
"
`);
});

test("what is no key=value", () => {
  expect(refusal(undefined, "train.steps")).toMatchInlineSnapshot(`
"
\`train.steps\` is not a setting.

Expected: key=value, such as train.steps=100.
"
`);
  expect(refusal(undefined, "train.steps=[1")).toMatchInlineSnapshot(`
"
The value of \`train.steps=[1\` cannot be read: Flow sequence must end with a ]

Expected: a YAML value: a number, true, false, text (quoted if it has special characters), [a, b].
"
`);
});

test("what is no YAML", () => {
  expect(refusal("train:\n  steps: 10\n  steps: 20\n")).toMatchInlineSnapshot(`
"
The YAML is wrong: this key is here twice.

  config.yaml:3:3
    1 | train:
    2 |   steps: 10
  > 3 |   steps: 20
      |   ^
"
`);
  expect(refusal("train:\n\tsteps: 10\n")).toMatchInlineSnapshot(`
"
The YAML is wrong: a tab cannot indent; use spaces.

  config.yaml:2:1
    1 | train:
  > 2 | 	steps: 10
      | ^
"
`);
  expect(refusal('train:\n  schedule: "cosine\n')).toMatchInlineSnapshot(`
"
The YAML is wrong: Missing closing ".

  config.yaml:2:20
    1 | train:
  > 2 |   schedule: "cosine
      |                    ^
"
`);
  expect(refusal("a: !!python/object:os.system 1\n")).toMatchInlineSnapshot(`
"
The YAML is wrong: Unresolved tag: tag:yaml.org,2002:python/object:os.system.

  config.yaml:1:4
  > 1 | a: !!python/object:os.system 1
      |    ^
"
`);
  expect(refusal("train: *nowhere\n")).toMatchInlineSnapshot(`
"
The YAML cannot be used: Unresolved alias (the anchor must be set before the alias): nowhere.

  config.yaml
"
`);
  expect(refusal("- steps\n- batch\n")).toMatchInlineSnapshot(`
"
A configuration is a mapping, and this is a list.

  config.yaml:1:1
  > 1 | - steps
      | ^
    2 | - batch

Expected: sections with settings, such as

  train:
    steps: 100
"
`);
  expect(refusal("a: 1\n---\nb: 2\n")).toMatchInlineSnapshot(`
"
The YAML is wrong: it is several documents (\`---\`); keep one.

  config.yaml:2:1
    1 | a: 1
  > 2 | ---
      | ^
    3 | b: 2
"
`);
});

test("what is no text", () => {
  expect(refusal(Buffer.from("data:\n  path: caf\xe9\n", "latin1"))).toMatchInlineSnapshot(`
"
The file is not UTF-8.

  config.yaml:2:12
    1 | data:
  > 2 |   path: caf�
      |            ^ this byte is not

Save it as UTF-8, or convert it: iconv -f latin1 -t utf-8
"
`);
});

test("bombs", () => {
  const names = [..."abcdefghi"];
  const bomb = names.map((n, i) => `${n}: &${n} [${i === 0 ? "x" : Array(9).fill(`*${names[i - 1]}`)}]`).join("\n");
  expect(refusal(bomb)).toMatchInlineSnapshot(`
"
The YAML cannot be used: its aliases stand for more than any configuration holds.

  config.yaml
"
`);
  expect(refusal(`a: ${"[".repeat(20_000)}`)).toMatch(/nested too deeply|mistakes|wrong/);
});

test("a file that is not there, and one that is a folder", () => {
  expect(() => resolveConfig(schema, { yamlFile: "nowhere.yaml" })).toThrow("There is no file nowhere.yaml.");
  expect(() => resolveConfig(schema, { yamlFile: "test" })).toThrow("test is a folder.");
});
