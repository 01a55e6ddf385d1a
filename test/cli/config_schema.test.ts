/** The JSON Schema of a configuration, and what the loader of configurations makes of anything. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { stringify } from "yaml";
import { XenarcError } from "../../compiler/errors.js";
import { explainConfig } from "../../emit/config.js";
import { jsonSchemaOf } from "../../emit/config_schema.js";
import { charTransformer } from "../../models/char_transformer.js";
import * as models from "../../models/index.js";
import { folder, project, root, SLOW, xenarc } from "./command.js";

const { schema } = charTransformer;

test("keys have their types, defaults and comments", () => {
  const { properties, ...whole } = jsonSchemaOf(schema, []) as Record<string, any>;
  expect(whole).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    additionalProperties: false,
  });
  const { model, train, data } = properties;
  expect(train.description).toBe("How a model is trained.");
  expect(train.properties.steps).toMatchObject({ type: "integer", default: 1000, description: "Optimizer steps." });
  expect(train.properties.offload.properties.optimizer.description).toBe("The optimizer's moments.");
  expect(model.properties.bias.description).toBe("Biases in linear layers and norms.");
  expect(data.properties.format.enum).toEqual(["text", "completion", "chat"]);
  expect(data.additionalProperties).toBe(false);
});

/** The keys of a JSON Schema, with their descriptions. */
function described({ properties = {}, items, anyOf = [], additionalProperties }: any, path = ""): [string, string][] {
  const inner = [items, ...anyOf, additionalProperties].filter((part) => typeof part === "object");
  return [
    ...Object.entries<any>(properties).flatMap(([key, part]): [string, string][] => [
      [path + key, part.description ?? ""],
      ...described(part, `${path}${key}.`),
    ]),
    ...inner.flatMap((part) => described(part, path)),
  ];
}

const definitions = Object.values(models).filter(
  (value): value is models.ModelDefinition => typeof value === "object" && "schema" in value,
);

test.each(definitions)("every key of $name is described", ({ schema }) => {
  const keys = described(jsonSchemaOf(schema, []));
  expect(keys.length).toBeGreaterThan(100);
  expect(keys.filter(([, description]) => description === "")).toEqual([]);
});

test("a key is described where it stands, or where its schema does", () => {
  const keys = Object.fromEntries(described(jsonSchemaOf(schema, [])));
  expect(keys).toMatchObject({
    target: "What the programs run on: `cpu`, `cpu:8`, `tpu:v5p:4x4x4`, `tpu:v5e:16x16,slices=2`.",
    kernels: expect.stringMatching(/^What the platform's own kernels may replace: `reference`, nothing;/),
    "model.dtype": "Element type of the computation; weights are float32.",
    "data.sources.weight": "Its share of the rows is this, of all sources' weights. 0: it is left out.",
    "data.sources.dtype": expect.stringContaining("What a `bin` file holds"),
    "train.epsilon": "Added to the root of the second moment (adamw).",
    "log.samples": "Text that is generated while a model is trained, to see what it has learnt.",
    "checkpoint.every": "Steps between checkpoints; 0: only at the end.",
    "eval.every": "Steps between evaluations; 0: only at the end.",
  });
});

test(
  "an author's own keys have the comments of the model file",
  async () => {
    const cwd = project();
    const { out, code } = await xenarc({ cwd }, "config", "schema");
    expect(code).toBe(0);
    expect(JSON.parse(out).properties.model.properties.context).toMatchObject({
      default: 64,
      description: "Longest sequence.",
    });
    // It is asked for where the configuration is wrong, too.
    writeFileSync(join(cwd, "config.yaml"), "trian: 1");
    expect((await xenarc({ cwd }, "config", "schema")).out).toBe(out);
    expect((await xenarc({ cwd: folder() }, "config", "schema")).err).toContain("There is no model.ts in this folder.");
  },
  SLOW,
);

test(
  "`config` is `config show`",
  async () => {
    const cwd = join(root, "examples/llama");
    const [short, long] = await Promise.all([
      xenarc({ cwd }, "config", "model.ts", "train.steps=7"),
      xenarc({ cwd }, "config", "show", "model.ts", "train.steps=7"),
    ]);
    expect(long).toEqual(short);
    expect(long.out).toMatch(/^ {2}steps: 7 +# argument$/m);
  },
  SLOW,
);

describe("anything at all is a configuration or an error for people", () => {
  const place = mkdtempSync(join(tmpdir(), "xenarc-fuzz-"));
  afterAll(() => rmSync(place, { recursive: true, force: true }));
  const yamlFile = join(place, "config.yaml");

  /** Resolves a configuration; any other error than one for people fails the test. */
  const resolves = (text: string | Uint8Array | undefined, overrides: readonly string[]): void => {
    if (text !== undefined) writeFileSync(yamlFile, text);
    try {
      const { config, settings } = explainConfig(schema, {
        yamlFile: text === undefined ? undefined : yamlFile,
        overrides,
      });
      expect(schema.safeParse(config).success).toBe(true);
      expect(settings.length).toBeGreaterThan(20);
    } catch (error) {
      if (!(error instanceof XenarcError)) throw error;
    }
  };
  const key = fc.oneof(
    fc.constantFrom("train", "model", "data", "mesh", "log", "steps", "batch", "remat", "buckets", "xla", "flags"),
    fc.constantFrom("__proto__", "constructor", "toString", "", "a.b", "0", "-"),
    fc.string({ maxLength: 6 }),
  );
  const scalar = fc.oneof(fc.string({ maxLength: 8 }), fc.double(), fc.integer(), fc.boolean(), fc.constant(null));
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      scalar,
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 5, noNullPrototype: true }),
    ),
  }));
  const runs = { numRuns: 300, seed: 5 };

  test("bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => resolves(bytes, [])),
      runs,
    );
  });

  test("text of YAML's characters", () => {
    const unit = fc.constantFrom(
      ..."trainmodelsteps:-[]{}&*!|>'\"%@`#,?\n \t0123.~=<<",
      "train:\n  ",
      "&a ",
      "*a",
      "<<: ",
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => resolves(text, [])),
      runs,
    );
  });

  test("mappings of known and unknown keys", () => {
    fc.assert(
      fc.property(tree, (value) => resolves(stringify(value), [])),
      runs,
    );
  });

  test("settings", () => {
    const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join("."));
    const value = fc.oneof(
      scalar.map(String),
      tree.map((value) => JSON.stringify(value) ?? ""),
    );
    const setting = fc.tuple(path, value).map(([path, value]) => `${path}=${value}`);
    const settings = fc.array(fc.oneof({ weight: 5, arbitrary: setting }, fc.string()), { maxLength: 4 });
    fc.assert(
      fc.property(settings, (overrides) => resolves(undefined, overrides)),
      runs,
    );
  });
});
