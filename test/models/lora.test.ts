/** Adapters on a model's linear layers: which get one, what is trained, what is said of patterns that mean none. */
import { XenarcError } from "../../compiler/errors.js";
import { compile } from "../../emit/compile.js";
import { llama, llamaPresets, type ModelDefinition, mixtral, mixtralPresets } from "../../models/index.js";

/** Shapes of a program's inputs under a prefix, by what follows it. */
async function inputs(model: unknown, config: object, prefix: string): Promise<Record<string, readonly number[]>> {
  const compiled = await compile(model as ModelDefinition, config, { only: ["train_step"], locations: false });
  const ports = compiled.program("train_step").program.inputs.filter(({ name }) => name.startsWith(prefix));
  return Object.fromEntries(ports.map(({ name, shape }) => [name.slice(prefix.length), shape]));
}

const tiny = { model: llamaPresets.tiny, train: { batch: 2 } };

test("adapters stand beside the layers that are named, layer by layer, and the optimizer keeps state of them alone", async () => {
  const config = { ...tiny, lora: { rank: 3, match: ["**/query", "head"] } };
  const found = await inputs(llama, config, "params/");
  expect(Object.fromEntries(Object.entries(found).filter(([name]) => name.includes("lora")))).toEqual({
    "blocks/attention/query/lora/a": [2, 32, 3],
    "blocks/attention/query/lora/b": [2, 3, 4, 8],
    "head/lora/a": [32, 3],
    "head/lora/b": [3, 64],
  });
  expect(Object.keys(await inputs(llama, config, "optimizer/mu/"))).toEqual([
    "blocks/attention/query/lora/a",
    "blocks/attention/query/lora/b",
    "head/lora/a",
    "head/lora/b",
  ]);
});

test("a rule frees what is trained beside the adapters", async () => {
  const rules = { batch: 2, parameters: [{ match: "**/scale", freeze: false }] };
  const config = { ...tiny, train: rules, lora: { rank: 3, match: ["head"] } };
  expect(Object.keys(await inputs(llama, config, "optimizer/mu/"))).toEqual([
    "blocks/attentionNorm/scale",
    "blocks/mlpNorm/scale",
    "norm/scale",
    "head/lora/a",
    "head/lora/b",
  ]);
});

test("a pattern that means no linear layer is an error that names some", async () => {
  const said = async (model: unknown, config: object) => {
    const error = await compile(model as ModelDefinition, config, { only: ["train_step"] }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(XenarcError);
    return (error as XenarcError).message;
  };
  expect(await said(llama, { ...tiny, lora: { rank: 3, match: ["**/qeury"] } })).toMatchInlineSnapshot(`
"lora.match[0]: "**/qeury" matches no linear layer. Did you mean "query"?
Expected: a pattern for some of blocks/attention/query, blocks/attention/key, blocks/attention/value, blocks/attention/output, blocks/mlp/gate, blocks/mlp/up, ...
* stands for one name or a part of it, ** for any number of names: **/bias, blocks/attention/*, head."
`);
  const experts = { model: mixtralPresets.tiny, lora: { rank: 3, match: ["blocks/mlp/gate"] } };
  expect(await said(mixtral, experts)).toMatchInlineSnapshot(`
"lora.match[0]: "blocks/mlp/gate" matches no linear layer.
Expected: a pattern for some of blocks/attention/query, blocks/attention/key, blocks/attention/value, blocks/attention/output, head
* stands for one name or a part of it, ** for any number of names: **/bias, blocks/attention/*, head."
`);
});
