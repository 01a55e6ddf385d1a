/** Adapters on a model's linear layers: which get one, what is trained, what is said of patterns that mean none. */
import { XenarcError } from "../../compiler/errors.js";
import { compile } from "../../emit/compile.js";
import { llama, llamaPresets, type ModelDefinition, mixtral, mixtralPresets } from "../../models/index.js";
import type { WireTensor } from "../../runtime-bridge/worker.js";
import { execute, jaxEval, numbers, tensor } from "../oracle/oracle.js";
import { batches, type State, tiny as small, value } from "./tiny.js";

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

test("each expert has an adapter of its own", async () => {
  const config = { model: mixtralPresets.tiny, train: { batch: 2 }, lora: { rank: 3, match: ["blocks/mlp/*"] } };
  expect(await inputs(mixtral, config, "optimizer/mu/")).toEqual({
    "blocks/mlp/gate/lora/a": [2, 4, 32, 3],
    "blocks/mlp/gate/lora/b": [2, 4, 3, 24],
    "blocks/mlp/up/lora/a": [2, 4, 32, 3],
    "blocks/mlp/up/lora/b": [2, 4, 3, 24],
    "blocks/mlp/down/lora/a": [2, 4, 24, 3],
    "blocks/mlp/down/lora/b": [2, 4, 3, 32],
  });
});

test("what is dropped of adapters' inputs is what jax.random drops with their keys; the base sees all of its own", async () => {
  const lora = { rank: 2, alpha: 4, dropout: 0.5, match: ["blocks/up", "head"] };
  const compiled = await compile(
    small,
    { train: { batch: 4 }, lora },
    { only: ["init", "train_step"], locations: false },
  );
  const run = async (name: string, given: State): Promise<State> => {
    const { text, program } = compiled.program(name);
    const out = await execute(
      text,
      program.inputs.map((port) => given[port.name]!),
    );
    return Object.fromEntries(program.outputs.map((port, i) => [port.name, out[i]!]));
  };
  const start = await run("init", { key: tensor("ui32", [2], [0, 42]) });
  const names = Object.keys(start).filter((name) => name.startsWith("params/"));
  // From what training would have come to: at first what adapters add is nothing.
  const grown = Object.fromEntries(
    names.map((name) => {
      const { shape } = start[name]!;
      const size = shape.reduce((n, d) => n * d, 1);
      const values = Array.from({ length: size }, (_, i) => Math.sin(i + name.length));
      return [name, name.endsWith("lora/b") ? tensor("f32", shape, values) : start[name]!];
    }),
  );
  const [tokens] = batches(1);
  const step = await run("train_step", { ...start, ...grown, tokens: tokens! });
  const source = `
def loss(trained, p, key, t):
    p = {**p, **trained}
    k = random.fold_in(random.fold_in(random.wrap_key_data(key), 0), 0)
    hash = lambda path: functools.reduce(lambda h, c: ((h ^ ord(c)) * 0x01000193) % 2**32, path, 0x811c9dc5) >> 1
    own = lambda path: random.fold_in(k, hash(path))
    def drop(x, key, axes):
        order = sorted(range(len(axes)), key=lambda d: axes[d])
        kept = random.bernoulli(key, 0.5, [x.shape[d] for d in order])
        return jnp.where(kept.transpose([order.index(d) for d in range(len(axes))]), 2 * x, 0)
    x = p["tokens/weight"][t[:, :-1]]
    for l in range(2):
        w = {name: p["blocks/" + name][l] for name in ["up/weight", "up/bias", "up/lora/a", "up/lora/b", "down/weight"]}
        d = drop(x, random.split(own("blocks/up/lora"), 2)[l], ["batch", "seq", "embed"])
        h = jnp.einsum("bse,ehd->bshd", x, w["up/weight"]) + w["up/bias"]
        h = jnp.tanh(h + 2 * jnp.einsum("bse,er,rhd->bshd", d, w["up/lora/a"], w["up/lora/b"]))
        x = x + jnp.einsum("bshd,hde->bse", h, w["down/weight"])
    d = drop(x, own("head/lora"), ["batch", "seq", "embed"])
    return optax.softmax_cross_entropy_with_integer_labels(x @ p["head/weight"] + 2 * d @ p["head/lora/a"] @ p["head/lora/b"], t[:, 1:]).mean()
def step(key, t, *values):
    p = dict(zip(names, values))
    value, g = jax.value_and_grad(loss)({n: x for n, x in p.items() if "lora" in n}, p, key, t[0])
    return [value, optax.global_norm(g)]
`;
  const scope = `dict(jnp=jnp, jax=jax, random=random, optax=optax, functools=__import__("functools"), names=${JSON.stringify(names.map((n) => n.slice("params/".length)))})`;
  const [expected, norm] = await jaxEval(
    `(lambda scope: (exec(${JSON.stringify(source)}, scope), scope["step"])[1])(${scope})`,
    [start.key!, tokens!, ...names.map((name) => grown[name]!)],
  );
  const one = (t: WireTensor) => (numbers(t) as number[])[0]!;
  expect(value(step, "loss")).toBeCloseTo(one(expected!), 4);
  expect(value(step, "grad_norm") / one(norm!)).toBeCloseTo(1, 4);
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
  const experts = { model: mixtralPresets.tiny, lora: { rank: 3, match: ["blocks/mlp/router"] } };
  expect(await said(mixtral, experts)).toMatchInlineSnapshot(`
"lora.match[0]: "blocks/mlp/router" matches no linear layer.
Expected: a pattern for some of blocks/mlp/gate, blocks/mlp/up, blocks/mlp/down, blocks/attention/query, blocks/attention/key, blocks/attention/value, ...
* stands for one name or a part of it, ** for any number of names: **/bias, blocks/attention/*, head."
`);
  expect(await said(mixtral, { model: mixtralPresets.tiny, lora: { rank: 3, dropout: 0.1 } })).toMatchInlineSnapshot(`
"lora.dropout is 0.1, and there are adapters on experts (blocks/mlp/gate, blocks/mlp/up, blocks/mlp/down), which have no dropout.
Expected: what PEFT can do as well: dropout on adapters of other layers alone
Leave the experts out (lora.match: ["**/attention/*"]), or set lora.dropout to 0."
`);
});
