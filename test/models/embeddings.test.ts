/** Vectors in the place of tokens: as in plain JAX, trained with the rest; in XenArcAIi2 causal, and the same token by token. */
import { z } from "zod";
import { systems } from "../../bench/systems.js";
import { defineModel } from "../../models/define.js";
import { LanguageModel, type RunOptions } from "../../models/language_model.js";
import { Embedding, type GivenEmbeddings, Linear, projections, withEmbeddings } from "../../models/layers/index.js";
import type { Batch } from "../../models/train/batch.js";
import { firstState } from "../../models/train/state.js";
import { trainStep } from "../../models/train/train_step.js";
import { tensor as given } from "../../ops/array.js";
import { cumsum, full } from "../../ops/functions.js";
import { normal } from "../../ops/initializers.js";
import { key } from "../../ops/random.js";
import type { Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { inOrder } from "../language/harness.js";
import { expectAllClose, expectClose, jaxEval, tensor } from "../oracle/oracle.js";
import { drawn, draws, tokensOf } from "./drawn.js";

const kinds = { image: { width: 5, most: 3 }, sound: { width: 3, most: 2 } };
type Name = keyof typeof kinds;
const names = Object.keys(kinds) as Name[];

/** By row: which vector stands where; -1 where a token does. */
const SLOTS: Readonly<Record<Name, readonly (readonly number[])[]>> = {
  image: [
    [2, -1, 0, 1],
    [-1, -1, -1, 0],
  ],
  sound: [
    [-1, 1, -1, -1],
    [-1, -1, 0, -1],
  ],
};
const slots = (name: Name, size: number): number[] =>
  SLOTS[name].flatMap((row) => Array.from({ length: size }, (_, at) => row[at] ?? -1));
const vectors = (name: Name, seed: number): number[] => {
  const draw = draws(seed);
  return Array.from({ length: 2 * kinds[name].most * kinds[name].width }, draw);
};

/** In two rows along `rows`. */
const placed = (rows: object, along: object, size: number, seed = 11): GivenEmbeddings<any, any> =>
  Object.fromEntries(
    names.map((name) => [
      name,
      {
        slots: given({ ...rows, ...along }, slots(name, size), "i32"),
        vectors: given({ ...rows, slot: kinds[name].most, width: kinds[name].width }, vectors(name, seed)),
      },
    ]),
  ) as never;

const [vocab, embed, context] = [7, 4, 6];

class Sums extends LanguageModel<object> {
  readonly tokens = new Embedding({ vocab }, { embed });
  readonly embeddings = projections(kinds, { embed }, normal(0.5));
  readonly head = new Linear({ embed }, { vocab }, { bias: false });
  override accepts() {
    return kinds;
  }
  run(tokens: Tensor<"batch" | "seq">, { embeddings }: RunOptions<object> = {}) {
    const x = withEmbeddings(this.tokens.call(tokens), this.embeddings, embeddings);
    return { hidden: cumsum(x, "seq").tanh(), cache: {} };
  }
  logits<A extends string>(hidden: Tensor<A | "embed">) {
    return this.head.call<A>(hidden);
  }
}

const sums = defineModel({
  name: "sums",
  config: z.strictObject({ context: z.int().default(context) }),
  build: () => new Sums(),
});

test("a step of training takes vectors, and their maps learn by plain JAX's gradient", async () => {
  const train = { batch: 1, accumulation: 2, optimizer: "sgd", sgd: { momentum: 0 }, weightDecay: 0, clip: 0 };
  const rate = { schedule: "constant", warmup: 0, learningRate: 0.1 };
  const c = sums.schema.parse({ train: { ...train, ...rate } });
  const declared = sums.build(c) as Sums;
  const model = drawn(sums, {}) as LanguageModel<object> as Sums;
  const window = context + 1;
  const micro = { accumulation: 2, batch: 1 };
  // Where a vector stands no token does.
  const ids = tokensOf(5, 2, window, vocab).data.map((id, i) =>
    names.some((name) => slots(name, window)[i]! >= 0) ? -1 : id,
  );
  const tokens = given({ ...micro, window }, ids, "i32") as Tensor;
  const { loss, params } = await evaluate(
    (params: Sums, batch: Batch<"accumulation" | "batch">) => {
      const { state, metrics } = trainStep(declared, firstState(declared, params, key(0), c.train), batch, c.train);
      return { loss: metrics.loss, params: state.params };
    },
    model,
    { tokens, embeddings: placed(micro, { window }, window) } as Batch<"accumulation" | "batch">,
  );
  const flat = (m: Sums): Tensor[] =>
    [
      ...[m.tokens.weight, m.embeddings.image!.weight, m.embeddings.image!.bias!],
      ...[m.embeddings.sound!.weight, m.embeddings.sound!.bias!, m.head.weight],
    ] as Tensor[];
  const wire = (m: Sums) => flat(m).map((x, i) => inOrder(x, flat(model)[i]!.names));
  const ofKind = names.flatMap((name) => [
    tensor("i32", [2, window], slots(name, window)),
    tensor("f32", [2, kinds[name].most, kinds[name].width], vectors(name, 11)),
  ]);
  const expected = await jaxEval(
    `lambda t, si, vi, ss, vs, *w: (lambda put, f: (lambda l, g: [l] + [x - 0.1 * y for x, y in zip(w, g)])(*jax.value_and_grad(f)(w)))(
      lambda x, s, v, m, b: jnp.where((s >= 0)[..., None], jnp.take_along_axis(v @ m + b, jnp.maximum(s, 0)[..., None], 1), x),
      lambda w: (lambda put: (lambda h, y: jnp.sum(jnp.where(y >= 0, -jnp.take_along_axis(
          jax.nn.log_softmax(h @ w[5]), jnp.maximum(y, 0)[..., None], 2)[..., 0], 0)) / jnp.sum(y >= 0))(
        jnp.tanh(jnp.cumsum(put(put(w[0][jnp.maximum(t, 0)[:, :-1]], si[:, :-1], vi, w[1], w[2]), ss[:, :-1], vs, w[3], w[4]), 1)),
        t[:, 1:]))(
        lambda x, s, v, m, b: jnp.where((s >= 0)[..., None], jnp.take_along_axis(v @ m + b, jnp.maximum(s, 0)[..., None], 1), x)))`,
    [tensor("i32", [2, window], ids), ...ofKind, ...wire(model)],
  );
  expectAllClose([inOrder(loss as unknown as Tensor, []), ...wire(params)], expected, { rtol: 1e-5, atol: 1e-6 });
});

test("a vector is nothing to what stands before it, and a token after vectors gives the scores of all at once", async () => {
  const { definition, tiny, values: ofLayers } = systems.xenarcai_i2!;
  // One layer of as little as can be: the others come behind.
  const bare = {
    ...{ layers: 1, plan: 0, hyperRank: 0, skip: false, summary: 0, selector: 0 },
    ...{ window: 5, dilation: 1, globals: 2, sparsity: 0.9, chunk: 2, latent: 8 },
  };
  const values = Object.fromEntries(Object.entries(ofLayers!).map(([path, of]) => [path, of.slice(0, of.length / 2)]));
  const model = drawn(definition, { ...tiny, ...bare, embeddings: kinds }, values);
  const [seq, from, batch] = [tiny.context as number, 5, 2];
  const [scores, changed, next] = await evaluate(
    (m: LanguageModel, tokens: Tensor<"batch" | "seq">, a: GivenEmbeddings<"batch">, b: GivenEmbeddings<"batch">) => {
      const { cache } = m.run(tokens, { embeddings: a, length: full({ batch }, from, "i32") });
      const one = tokens.slice("seq", from, from + 1);
      const step = m.run(one, { positions: one.mul(0).add(from), cache });
      const whole = (embeddings: GivenEmbeddings<"batch">) =>
        m.call(tokens, { embeddings }).ordered(["batch", "seq", "vocab"]);
      return [whole(a), whole(b), m.logits<"batch" | "seq">(step.hidden).ordered(["batch", "seq", "vocab"])] as const;
    },
    model,
    tokensOf(3, batch, seq, tiny.vocab as number).ours,
    placed({ batch }, { seq }, seq),
    placed({ batch }, { seq }, seq, 12),
  );
  const at = (x: Tensor, row: number, place: number) => (x.toArray() as number[][][])[row]![place]!;
  const same = (a: number[], b: number[]) =>
    expectClose(tensor("f32", [a.length], a), tensor("f32", [b.length], b), { rtol: 1e-4, atol: 1e-4 });
  for (const place of [0, 1]) same(at(changed, 1, place), at(scores, 1, place));
  expect(at(changed, 1, 2)).not.toEqual(at(scores, 1, 2));
  expect(at(changed, 0, 0)).not.toEqual(at(scores, 0, 0));
  for (const row of [0, 1]) same(at(next, row, 0), at(scores, row, from));
}, 300_000);
