/** Llama and Mixtral against plain JAX with the same weights; what their small presets compile to; how their large ones trace. */
import { fileURLToPath } from "node:url";
import { loadModule } from "../../compiler/source/load.js";
import { leavesWithPaths } from "../../compiler/tree.js";
import { compile } from "../../emit/compile.js";
import { defineModel, type ModelDefinition } from "../../models/define.js";
import { Llama, llama, llamaConfig, llamaPresets, mixtral, mixtralPresets } from "../../models/index.js";
import type { LanguageModel } from "../../models/language_model.js";
import { type Batch, examplesOf } from "../../models/train/batch.js";
import { tensor as given } from "../../ops/array.js";
import { valueAndGrad } from "../../ops/control.js";
import { collect } from "../../ops/report.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { inOrder } from "../language/harness.js";
import { canonical, encode, execute, expectClose, jaxVjp, numbers, tensor, verify } from "../oracle/oracle.js";
import { drawn, tokensOf } from "./drawn.js";

/** The models in JAX, a Python loop over the layers and over the experts. w: weights by path, layers stacked. */
const REFERENCE = `
def norm(x, scale):
    return x * lax.rsqrt((x ** 2).mean(-1, keepdims=True) + 1e-5) * scale

def turned(x, theta):
    half = x.shape[-1] // 2
    angle = jnp.arange(x.shape[1])[:, None] * theta ** (-jnp.arange(half) / half)
    cos, sin = jnp.cos(angle)[:, None], jnp.sin(angle)[:, None]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

def attention(x, q, k, v, o, theta):
    q, k, v = [jnp.einsum("bse,ehd->bshd", x, m) for m in (q, k, v)]
    q, k = turned(q, theta), turned(k, theta)
    group = q.shape[2] // k.shape[2]
    k, v = jnp.repeat(k, group, 2), jnp.repeat(v, group, 2)
    scores = jnp.einsum("bshd,bthd->bhst", q, k) / q.shape[-1] ** 0.5
    seen = jnp.tril(jnp.ones(scores.shape[-2:], bool))
    return jnp.einsum("bhst,bthd,hde->bse", nn.softmax(jnp.where(seen, scores, -jnp.inf)), v, o)

def expert(x, g, u, d):
    return (nn.silu(x @ g) * (x @ u)) @ d

def mixture(x, router, gate, up, down, k):
    logits = x @ router
    best = lax.top_k(logits, k)[1]
    hit = (best[..., None] == jnp.arange(router.shape[1])).any(-2)
    weight = nn.softmax(jnp.where(hit, logits, -jnp.inf))
    probs = nn.softmax(logits).mean((0, 1))
    balance = router.shape[1] * (hit.mean((0, 1)) / k * probs).sum()
    return sum(weight[..., e, None] * expert(x, gate[e], up[e], down[e]) for e in range(router.shape[1])), balance

def model(w, tokens, targets, theta, k, weight):
    x, extra = w["tokens/weight"][tokens], 0.0
    for i in range(w["blocks/attentionNorm/scale"].shape[0]):
        p = {name[7:]: value[i] for name, value in w.items() if name.startswith("blocks/")}
        h = norm(x, p["attentionNorm/scale"])
        x = x + attention(h, *[p["attention/" + n + "/weight"] for n in ("query", "key", "value", "output")], theta)
        h = norm(x, p["mlpNorm/scale"])
        if k:
            y, balance = mixture(h, p["mlp/router/weight"], p["mlp/gate/weight"], p["mlp/up/weight"], p["mlp/down/weight"], k)
            extra = extra + weight * balance
        else:
            y = expert(h, *[p["mlp/" + n + "/weight"] for n in ("gate", "up", "down")])
        x = x + y
    logits = norm(x, w["norm/scale"]) @ w["head/weight"]
    return [logits, optax.softmax_cross_entropy_with_integer_labels(logits, targets).sum() + extra]
`;
const inScope = (lambda: string) =>
  `(lambda scope: (exec(${JSON.stringify(REFERENCE)}, scope), ${lambda})[1])(dict(jnp=jnp, jax=jax, lax=lax, nn=nn, optax=optax))`;
const reference = (names: readonly string[], theta: number, k: number, weight: number) =>
  inScope(`lambda t, y, *w: scope["model"](dict(zip(${JSON.stringify(names)}, w)), t, y, ${theta}, ${k}, ${weight})`);

const families = [
  ["llama", llama, { ...llamaPresets.tiny }, [10_000, 0, 0]],
  ["llama without groups", llama, { ...llamaPresets.tiny, kvHeads: 4, theta: 500, remat: "nothing" }, [500, 0, 0]],
  ["mixtral", mixtral, { ...mixtralPresets.tiny }, [1e6, 2, 0.02]],
  [
    "mixtral with room enough",
    mixtral,
    { ...mixtralPresets.tiny, capacity: 4, perToken: 3, loadBalance: 0.5, remat: "nothing" },
    [1e6, 3, 0.5],
  ],
] as const;

test.each(families)(
  "%s: scores, loss and gradients are JAX's",
  async (_, definition, config, numbersOf) => {
    const model = drawn(definition as ModelDefinition, config);
    const { context, vocab } = config;
    const [tokens, targets] = [tokensOf(1, 2, context, vocab), tokensOf(2, 2, context, vocab)];
    const [[total, logits], gradients] = await evaluate(
      (params: LanguageModel, tokens: Tensor<"batch" | "seq">, targets: Tensor<"batch" | "seq">) =>
        valueAndGrad((p: LanguageModel): readonly [Scalar, Tensor] => {
          const [{ sum }, { losses }] = collect(() => p.loss(tokens, targets));
          return [losses.reduce((a, b) => a.add(b), sum), p.call(tokens)];
        })(params),
      model,
      tokens.ours,
      targets.ours,
    );
    const weights = leavesWithPaths(model) as [string, Tensor][];
    const source = reference(
      weights.map(([path]) => path),
      ...(numbersOf as readonly [number, number, number]),
    );
    const shape = [2, context, vocab];
    const zero = encode("f32", shape, new Array(2 * context * vocab).fill(0));
    const expected = await jaxVjp(
      source,
      [tokens.theirs, targets.theirs, ...weights.map(([, w]) => inOrder(w, w.names))],
      [zero, encode("f32", [], [1])],
      { argnums: weights.map((_, i) => i + 2) },
    );
    expectClose(inOrder(logits as Tensor, ["batch", "seq", "vocab"]), expected.outputs[0]!, { rtol: 1e-4, atol: 1e-4 });
    expectClose(inOrder(total as unknown as Tensor, []), expected.outputs[1]!, { rtol: 1e-5, atol: 0 });
    const ours = leavesWithPaths(gradients) as [string, Tensor][];
    ours.forEach(([path, g], i) => {
      try {
        expectClose(inOrder(g, weights[i]![1].names), expected.grads[i]!, { rtol: 1e-3, atol: 1e-3 });
      } catch (error) {
        throw new Error(`gradient of ${path}: ${(error as Error).message}`);
      }
    });
  },
  120_000,
);

/** Documents in two rows: where each begins and ends. Behind those of the first row there is nothing. */
const DOCUMENTS = [
  [0, 0, 5],
  [0, 5, 6],
  [0, 6, 14],
  [1, 0, 11],
  [1, 11, 17],
] as const;

test.each([families[0], families[2]])(
  "%s: packed rows have the loss and gradients that JAX gives of one document after the other, and so has a train step",
  async (_, definition, config, [theta, k]) => {
    const settings = {
      model: { ...config, ...("experts" in config && { loadBalance: 0 }) },
      train: { batch: 1, accumulation: 2 },
      data: { packing: true, format: "completion" },
    };
    const model = drawn(definition as ModelDefinition, config);
    const [rows, window] = [2, config.context + 1];
    const ids = tokensOf(5, rows, window, config.vocab).data;
    const segments = ids.map(() => 0);
    DOCUMENTS.forEach(([row, from, to], i) => {
      segments.fill(row === 0 ? i + 1 : i - 2, row * window + from, row * window + to);
    });
    const tokens = ids.map((id, i) => (segments[i] === 0 ? -1 : id));
    const mask = ids.map((_, i) => Number(i % 3 > 0));
    const batch = { tokens, segments, mask };

    const weights = leavesWithPaths(model) as [string, Tensor][];
    const ofDocument = ([row, from, to]: (typeof DOCUMENTS)[number]) =>
      `(optax.softmax_cross_entropy_with_integer_labels(scope["model"](w, t[${row}:${row + 1}, ${from}:${to - 1}], t[${row}:${row + 1}, ${from + 1}:${to}], ${theta}, ${k}, 0)[0], t[${row}:${row + 1}, ${from + 1}:${to}]) * m[${row}:${row + 1}, ${from + 1}:${to}]).sum()`;
    const learnt = DOCUMENTS.filter(([, from, to]) => to - from > 1).map(ofDocument);
    const expected = await jaxVjp(
      inScope(
        `lambda t, m, *v: (lambda w: ${learnt.join(" + ")})(dict(zip(${JSON.stringify(weights.map(([path]) => path))}, v)))`,
      ),
      [
        encode("i32", [rows, window], ids),
        encode("i32", [rows, window], mask),
        ...weights.map(([, w]) => inOrder(w, w.names)),
      ],
      [encode("f32", [], [1])],
      { argnums: weights.map((_, i) => i + 2) },
    );
    const count = DOCUMENTS.flatMap(([row, from, to]) => mask.slice(row * window + from + 1, row * window + to));
    const targets = count.reduce((a, b) => a + b);

    const [sum, gradients] = await evaluate(
      (params: LanguageModel, batch: Batch<"batch">) =>
        valueAndGrad((p: LanguageModel): Scalar => {
          const { inputs, targets, ...places } = examplesOf(batch);
          return p.loss(inputs, targets, places).sum;
        })(params),
      model,
      {
        tokens: given({ batch: rows, window }, tokens, "i32"),
        segments: given({ batch: rows, window }, segments, "i32"),
        mask: given({ batch: rows, window }, mask, "i32"),
      },
    );
    expectClose(inOrder(sum as unknown as Tensor, []), expected.outputs[0]!, { rtol: 1e-5, atol: 0 });
    const ours = leavesWithPaths(gradients) as [string, Tensor][];
    ours.forEach(([path, g], i) => {
      try {
        expectClose(inOrder(g, weights[i]![1].names), expected.grads[i]!, { rtol: 1e-3, atol: 1e-3 });
      } catch (error) {
        throw new Error(`gradient of ${path}: ${(error as Error).message}`);
      }
    });

    const only = ["init", "train_step"];
    const [init, step] = (await compile(definition, settings, { only, locations: false })).programs;
    const begun = await execute(init!.text, [tensor("ui32", [2], [0, 1])]);
    const state = Object.fromEntries(init!.program.outputs.map((p, i) => [p.name, begun[i]!]));
    const inputs = step!.program.inputs.map(({ name, shape }) => {
      const weight = weights.find(([path]) => name === `params/${path}`)?.[1];
      if (weight) return inOrder(weight, weight.names);
      return name in batch ? tensor("i32", shape, batch[name as keyof typeof batch]) : state[name]!;
    });
    const results = await execute(step!.text, inputs);
    const metric = (name: string) =>
      (numbers(results[step!.program.outputs.findIndex((p) => p.name === name)]!) as number[])[0]!;
    const [total] = numbers(expected.outputs[0]!) as [number];
    expect(metric("loss") / (total / targets)).toBeCloseTo(1, 5);
    const squares = expected.grads.flatMap((g) => (numbers(g) as number[]).map((x) => x * x));
    expect(metric("grad_norm") / (Math.sqrt(squares.reduce((a, b) => a + b)) / targets)).toBeCloseTo(1, 4);
  },
  120_000,
);

test.each(families)("%s: a token after another gives the scores of all at once", async (_, definition, config) => {
  const model = drawn(definition as ModelDefinition, config);
  const { context, vocab } = config;
  const tokens = tokensOf(3, 2, context, vocab).ours;
  const [all, steps] = await evaluate(
    (params: LanguageModel, tokens: Tensor<"batch" | "seq">) => {
      const start = 5;
      const prompt = tokens.slice("seq", 0, start).pad("seq", 0, context - start);
      let { cache } = params.run(prompt);
      const steps = [];
      for (let at = start; at < start + 3; at++) {
        const one = tokens.slice("seq", at, at + 1);
        const next = params.run(one, { positions: one.mul(0).add(at), cache });
        cache = next.cache;
        steps.push(params.logits<"batch" | "seq">(next.hidden));
      }
      return [params.call(tokens).slice("seq", start, start + 3), steps] as const;
    },
    model,
    tokens,
  );
  const wanted = numbers(inOrder(all, ["seq", "batch", "vocab"])) as number[];
  const got = steps.flatMap((s) => numbers(inOrder(s, ["seq", "batch", "vocab"])) as number[]);
  expectClose(tensor("f32", [got.length], got), tensor("f32", [wanted.length], wanted), { rtol: 1e-4, atol: 1e-4 });
});

test.each([
  ["llama", llama, llamaPresets.tiny],
  ["mixtral", mixtral, mixtralPresets.tiny],
] as const)("%s: what the small preset compiles to", async (name, definition, preset) => {
  const config = { model: preset, train: { batch: 2 } };
  const readable = await compile(definition, config, { locations: false });
  for (const { text } of readable.programs) expect(await verify(text)).toBeUndefined();
  const plain = await compile(definition, config, { names: "canonical", locations: false });
  for (const { text } of plain.programs) expect(await canonical(text)).toBe(text);
  for (const entry of ["forward", "train_step"])
    expect(readable.program(entry).text).toMatchGolden(`${name}-tiny-${entry}`);
});

test("the example, whose block is written out, is the library's Llama", async () => {
  const path = fileURLToPath(new URL("../../examples/llama/model.ts", import.meta.url));
  const example = (await loadModule(path)).default as ModelDefinition;
  const options = { names: "canonical", locations: false } as const;
  expect((await compile(example, {}, options)).text).toBe((await compile(llama, {}, options)).text);
});

const deepSeekV3 = {
  context: 4096,
  vocab: 129_280,
  layers: 61,
  heads: 128,
  kvHeads: 8,
  embed: 7168,
  mlp: 2048,
  experts: 256,
  perToken: 8,
  dtype: "bf16",
  remat: "nothing",
};
test.each([
  ["llama 7b", llama, llamaPresets["7b"], 6.9e9],
  ["mixtral moe13b", mixtral, mixtralPresets.moe13b, 12.6e9],
  ["a mixture of 256 experts", mixtral, deepSeekV3, 697e9],
] as const)(
  "%s: as many parameters as it is named by, traced as quickly as a small one",
  async (_, definition, model, parameters) => {
    const began = performance.now();
    const compiled = await compile(
      definition as ModelDefinition,
      { model, train: { batch: 64 } },
      { only: ["train_step"] },
    );
    expect((performance.now() - began) / 1e3).toBeLessThan(10);
    expect(Math.abs(compiled.parameters / parameters - 1)).toBeLessThan(0.03);
    expect(compiled.text.length).toBeLessThan(2e6);
  },
);

/** What the first step of a model gives, by name. */
async function firstStep(definition: ModelDefinition, config: object) {
  const only = ["init", "train_step"];
  const [init, step] = (await compile(definition, config, { only, locations: false })).programs;
  const byName = (outputs: readonly { name: string }[], values: readonly unknown[]) =>
    Object.fromEntries(outputs.map((p, i) => [p.name, values[i] as ReturnType<typeof tensor>]));
  const state = byName(init!.program.outputs, await execute(init!.text, [tensor("ui32", [2], [0, 1])]));
  const { shape } = step!.program.inputs.find((p) => p.name === "tokens")!;
  const [accumulation, batch, window] = shape as [number, number, number];
  const tokens = tensor("i32", shape, tokensOf(4, accumulation * batch, window, 64).data);
  const inputs = step!.program.inputs.map((p) => (p.name === "tokens" ? tokens : state[p.name]!));
  const out = byName(step!.program.outputs, await execute(step!.text, inputs));
  return (name: string) => ({ shape: out[name]?.shape, values: out[name] && (numbers(out[name]!) as number[]) });
}

test("a step of Mixtral logs what its layers report", async () => {
  const out = await firstStep(mixtral, {
    model: { ...mixtralPresets.tiny, capacity: 1 },
    train: { batch: 2, accumulation: 2 },
  });
  const of = (name: string) => out(`blocks/mlp/${name}`);
  expect(of("router/utilization").shape).toEqual([2, 4]);
  expect(
    of("router/utilization")
      .values!.slice(0, 4)
      .reduce((a, b) => a + b),
  ).toBeCloseTo(1, 5);
  for (const balance of of("router/load_balance").values!) expect(Math.abs(balance - 1)).toBeLessThan(0.05);
  for (const nats of of("router/router_entropy").values!) expect(Math.abs(nats - Math.log(4))).toBeLessThan(0.05);
  for (const part of of("dropped").values!) {
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThan(0.5);
  }
});

test("a step sets the bias that balances: up where there was less than an even share, down where there was more", async () => {
  const balanced = defineModel({
    name: "balanced",
    config: llamaConfig,
    build: (c) => new Llama(c, { experts: 4, perToken: 2, scores: "sigmoid", biasRate: 0.5 }),
  });
  const out = await firstStep(balanced, { model: llamaPresets.tiny, train: { batch: 2 } });
  const shares = out("blocks/mlp/router/utilization").values!;
  expect(new Set(shares).size).toBeGreaterThan(1);
  expect(out("params/blocks/mlp/router/bias").values).toEqual(shares.map((s) => 0.5 * Math.sign(0.25 - s)));
});
