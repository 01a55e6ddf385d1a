/** What is seen of a model while it trains and while it writes, against the same model in plain JAX and numpy's own histograms. */
import { type Compiled, compile } from "../../emit/compile.js";
import charTransformer from "../../models/char_transformer.js";
import { EDGES, summary } from "../../models/probes.js";
import { tensor as host } from "../../ops/array.js";
import type { Tensor as Axes } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { tokens as drawTokens, execute, expectClose, jaxEval, normal, numbers, tensor } from "../oracle/oracle.js";
import { problem } from "../runtime/support.js";

type Tensor = ReturnType<typeof tensor>;

const [layers, heads, embed, context, batch] = [2, 2, 16, 12, 3];
const config = (log: object, model: object = {}) => ({
  model: { layers, heads, embed, context, bias: false, ...model },
  train: { batch, accumulation: 2 },
  log,
});

/** Runs an entry point on tensors by name. */
async function runEntry(
  made: Compiled,
  name: string,
  inputs: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const { text, program } = made.program(name);
  const given = program.inputs.map((p) => inputs[p.name]!);
  const out = await execute(text, given);
  return Object.fromEntries(program.outputs.map((p, i) => [p.name, out[i]!]));
}

/** A model's first state, and what `probe_step` sees of it on a batch. */
async function probed(log: object, model?: object) {
  const options = { only: ["init", "probe_step"], locations: false };
  const made = await compile(charTransformer, config(log, model), options);
  const state = await runEntry(made, "init", { key: tensor("ui32", [2], [0, 42]) });
  const tokens = drawTokens([2, batch, context + 1], 256, 7);
  return { state, tokens, seen: await runEntry(made, "probe_step", { ...state, tokens }) };
}

const WEIGHTS = ["tokens/weight", "blocks/attentionNorm/scale", "blocks/attention/query/weight"].concat(
  ["blocks/attention/key/weight", "blocks/attention/value/weight", "blocks/attention/output/weight"],
  ["blocks/mlpNorm/scale", "blocks/mlp/up/weight", "blocks/mlp/down/weight", "norm/scale", "head/weight"],
);

/** The character transformer in JAX: the mean loss of ids, what its parts give, by layer, and the scores. */
const MODEL = `
(lambda norm, part: lambda ids, emb, *w: (lambda x, blocks: (lambda h, seen: (lambda scores: (
  -jnp.take_along_axis(nn.log_softmax(scores), ids[:, 1:, None], -1).mean(), (*seen, scores)))(norm(h, w[8]) @ w[9]))(
    *lax.scan(part, x, blocks)))(
  emb[ids[:, :-1]] * 4 + (lambda a: jnp.concatenate([jnp.sin(a), jnp.cos(a)], -1))(
    jnp.arange(12.0)[:, None] * jnp.exp(jnp.arange(8.0) * (-jnp.log(10000.0) / 8))), w[:8]))(
  lambda x, s: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5) * s,
  lambda x, w: (lambda norm: (lambda h: (lambda p, v: (lambda a: (lambda y: (lambda m: (y + m, (a, m, y + m, p[0])))(
      nn.gelu(norm(y, w[5]) @ w[6]) @ w[7]))(x + a))(jnp.einsum("bhqk,bkhd,hde->bqe", p, v, w[4])))(
    nn.softmax(jnp.where(jnp.tril(jnp.ones((12, 12), bool)), jnp.einsum("bqhd,bkhd->bhqk",
      jnp.einsum("bse,ehd->bshd", h, w[1]), jnp.einsum("bse,ehd->bshd", h, w[2])) / 8 ** 0.5, -jnp.inf)),
    jnp.einsum("bse,ehd->bshd", h, w[3])))(norm(x, w[0])))(
  lambda x, s: (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5) * s))`;

const GRADIENTS = ["tokens/weight", "blocks/attention/query/weight", "head/weight"];

const edges = tensor("f32", [EDGES.length], EDGES);
/** Numpy's histogram of a layer's numbers and what goes with it; the outermost bins have what lies beyond. */
const SUMMARY = `(lambda x, e: [
  jax.pure_callback(lambda x, e: np.histogram(np.clip(x, e[0], e[-1]), np.asarray(e))[0].astype(np.int32),
    jax.ShapeDtypeStruct((161,), np.int32), x, e),
  x.mean(), jnp.sqrt((x ** 2).mean()), (x == 0).mean()])`;

const PARTS = ["histogram", "mean", "rms", "zeros"];

/** Compares what was seen of all layers with JAX's numbers, a layer after the other. Rounding may move a number over an edge. */
function compare(seen: Readonly<Record<string, Tensor>>, name: string, expected: readonly Tensor[]): void {
  PARTS.forEach((part, i) => {
    const all = expected.filter((_, k) => k % 4 === i).flatMap((t) => numbers(t) as number[]);
    const ours = numbers(seen[`${name}/${part}`]!) as number[];
    if (part === "histogram") {
      const moved = ours.reduce((sum, n, k) => sum + Math.abs(n - all[k]!), 0) / 2;
      expect([name, ours.length, moved <= 3]).toEqual([name, all.length, true]);
      expect(ours.filter((n) => n > 0).length).toBeGreaterThan(4);
    } else expectClose(tensor("f32", [all.length], ours), tensor("f32", [all.length], all), { rtol: 2e-5, atol: 1e-7 });
  });
}

test("activations, gradients and attention of every layer are those of JAX", async () => {
  const log = { activations: ["**"], gradients: GRADIENTS, attention: ["**"] };
  const { state, tokens, seen } = await probed({ ...log, attention: ["**/attention"] });
  const first = tensor("i32", [batch, context + 1], (numbers(tokens) as number[]).slice(0, batch * (context + 1)));
  const weights = WEIGHTS.map((path) => state[`params/${path}`]!);
  const of = (layer: number, part: number) => `${SUMMARY}(seen[${part}][${layer}], e)`;
  const inner = [0, 1, 2].map((part) => `[${of(0, part)}, ${of(1, part)}]`).join(", ");
  const out = await jaxEval(`lambda e, *a: (lambda seen: [${inner}, seen[3]])(${MODEL}(*a)[1])`, [
    edges,
    first,
    ...weights,
  ]);
  ["blocks/attention", "blocks/mlp", "blocks"].forEach((path, i) => {
    compare(seen, `activations/${path}`, out.slice(8 * i, 8 * i + 8));
  });
  expect(seen["attention/blocks/attention"]!.shape).toEqual([layers, heads, context, context]);
  expectClose(seen["attention/blocks/attention"]!, out[24]!, { rtol: 1e-5, atol: 1e-7 });
  const one = `[${SUMMARY}(x, e) for g in gs for x in (g if g.ndim > 1 and g.shape[0] == 2 else [g])]`;
  const grads = await jaxEval(
    `lambda e, *a: (lambda gs: ${one})(jax.grad(lambda *w: ${MODEL}(a[0], *w)[0], argnums=(${GRADIENTS.map((path) => WEIGHTS.indexOf(path))}))(*a[1:]))`,
    [edges, first, ...weights],
  );
  let at = 0;
  for (const path of GRADIENTS) {
    const rows = path.startsWith("blocks/") ? 2 : 1;
    compare(seen, `gradients/${path}`, grads.slice(at, at + 4 * rows));
    at += 4 * rows;
  }
  expect(at).toBe(grads.length);
}, 120_000);

test("what is seen while text is written is what JAX computes of all tokens at once", async () => {
  const names = ["init", "prefill", "decode_step", "probe_prefill", "probe_decode_step"];
  const made = await compile(
    charTransformer,
    { ...config({}), generate: { trace: ["**"] } },
    { only: names, locations: false },
  );
  const state = await runEntry(made, "init", { key: tensor("ui32", [2], [0, 42]) });
  const text = drawTokens([1, context + 1], 256, 11);
  const ids = numbers(text) as number[];
  const one = "(lambda s, x: [nn.softmax(s[4][0]), s[3], *[jnp.sqrt((s[i][:, 0] ** 2).mean(-1)) for i in (0, 2)]])";
  const [chances, attention, ofAttention, ofBlocks] = (await jaxEval(`lambda *a: ${one}(${MODEL}(*a)[1], a)`, [
    text,
    ...WEIGHTS.map((path) => state[`params/${path}`]!),
  ])) as [Tensor, Tensor, Tensor, Tensor];
  const at = (t: Tensor, place: number, axis: number): number[] => {
    const [size, inner] = [t.shape[axis]!, t.shape.slice(axis + 1).reduce((a, b) => a * b, 1)];
    return (numbers(t) as number[]).filter((_, i) => Math.floor(i / inner) % size === place);
  };
  const close = (actual: Tensor, expected: readonly number[]) =>
    expectClose(
      tensor("f32", [expected.length], numbers(actual) as number[]),
      tensor("f32", [expected.length], expected),
      {
        rtol: 2e-5,
        atol: 1e-6,
      },
    );
  const agrees = (seen: Readonly<Record<string, Tensor>>, last: number) => {
    close(seen.probabilities!, at(chances, last, 0));
    expect(seen["attention/blocks/attention"]!.shape).toEqual([layers, heads, 1, context]);
    close(seen["attention/blocks/attention"]!, at(attention, last, 2));
    close(seen["activations/blocks/attention/rms"]!, at(ofAttention, last, 1));
    close(seen["activations/blocks/rms"]!, at(ofBlocks, last, 1));
    const rows = numbers(seen["attention/blocks/attention"]!) as number[];
    for (let row = 0; row < layers * heads; row++) {
      const sum = rows.slice(row * context, (row + 1) * context).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
  };
  const settings = {
    ...{ key: tensor("ui32", [2], [0, 1]), temperature: tensor("f32", [], [0]) },
    ...{ top_k: tensor("i32", [], [0]), top_p: tensor("f32", [], [1]) },
  };
  const length = 9;
  const prompt = ids.slice(0, context).map((id, i) => (i < length ? id : 0));
  const given = { ...state, tokens: tensor("i32", [1, context], prompt), length: tensor("i32", [1], [length]) };
  const seen = await runEntry(made, "probe_prefill", given);
  agrees(seen, length - 1);
  const following = (numbers(seen.following!) as number[]).slice(0, length - 1);
  close(
    tensor("f32", [length - 1], following),
    following.map((_, i) => (numbers(chances) as number[])[i * 256 + ids[i + 1]!]!),
  );
  let written = await runEntry(made, "prefill", { ...given, ...settings });
  for (let position = length; position < context; position++) {
    const next = { token: tensor("i32", [1], [ids[position]!]), position: tensor("i32", [1], [position]) };
    agrees(await runEntry(made, "probe_decode_step", { ...state, ...written, ...next }), position);
    written = await runEntry(made, "decode_step", { ...state, ...written, ...next, ...settings });
  }
}, 120_000);

test("a histogram counts as numpy does, at the edges, beyond them, and without NaN", async () => {
  const values = [...EDGES.slice(40, 60), 0, -0, 1e30, -1e30, Infinity, -Infinity, 1e-9, -1e-9, ...EDGES.slice(0, 3)];
  const drawn = (numbers(normal([500], 3)) as number[]).map((x, i) => x * 10 ** ((i % 9) - 6));
  const all = [...values, ...drawn];
  const counted = await evaluate(
    (x: Axes<"n">) => summary(x).histogram,
    host({ n: all.length + 1 }, [...all, Number.NaN]),
  );
  const expected = await jaxEval(`lambda x, e: ${SUMMARY}(x, e)[0]`, [tensor("f32", [all.length], all), edges]);
  expect(counted.toArray()).toEqual(numbers(expected[0]!));
});

test("nothing is computed of a model that nobody looks into, and what is unrolled or computed again is seen once", async () => {
  const names = (await compile(charTransformer, config({}))).programs.map((p) => p.name);
  expect(names).not.toContain("probe_step");
  const log = { activations: ["blocks/attention"], attention: ["blocks/attention"], attentionPositions: 4 };
  const [plain, again] = [await probed(log), await probed(log, { remat: "nothing" })];
  expect(plain.seen["attention/blocks/attention"]!.shape).toEqual([layers, heads, 4, 4]);
  expect(again.seen).toEqual(plain.seen);
});

test.each([
  ["a pattern without a module", { activations: ["blocks/attn"] }],
  ["a module without attention", { attention: ["blocks/mlp"] }],
  ["a module that is nowhere, to a trace", {}, { trace: ["blocks/attn"] }],
  ["a parameter that is none", { gradients: ["blocks/attention/qwery"] }],
])("%s is told", async (_, log, generate: object = {}) => {
  expect(await problem(() => compile(charTransformer, { ...config(log), generate }))).toMatchSnapshot();
});
