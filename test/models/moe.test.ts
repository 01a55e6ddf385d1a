/** Mixtures of experts against JAX, where each expert is computed for each token in a plain loop. */
import { mapLeaves } from "../../compiler/tree.js";
import { lower } from "../../emit/lower.js";
import { Moe, type MoeOptions } from "../../models/layers/index.js";
import { grad } from "../../ops/control.js";
import { spec } from "../../ops/module.js";
import { key } from "../../ops/random.js";
import { collect } from "../../ops/report.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { agrees, type Case, f32 } from "../language/harness.js";

/** The reference: all experts for all tokens, weights of those not chosen being zero. Gives the result and what is reported. */
const REFERENCE = `
def moe(x, router, *rest, k, sigmoid=False, bias=False, groups=None, threshold=None, normalize=True, scale=1, capacity=None,
        shared=False, noise=None, local=False, gelu=False, earlier=False, rank=None, chunk=None):
    if rank:
        gate, ga, gb, up, down, da, db = rest
        rest = (gate + 0.5 * ga @ gb, up, down + 0.5 * da @ db)
    if chunk:
        parts = [moe(part, router, *rest, k=k, capacity=capacity, earlier=earlier) for part in x.reshape(-1, chunk, x.shape[-1])]
        return [jnp.stack([p[0] for p in parts]).reshape(x.shape), *[jnp.stack(y).mean(0) for y in list(zip(*parts))[1:]]]
    if local:
        return [jnp.stack(y) for y in zip(*[moe(row, router, *rest, k=k, capacity=capacity) for row in x])]
    shape, x = x.shape, x.reshape(-1, x.shape[-1])
    b, rest = (rest[0], rest[1:]) if bias else (0, rest)
    gate, up, down, *more = (None, *rest) if gelu else rest
    logits = (x * noise(x) if noise else x).astype(jnp.float32) @ router
    scores = nn.sigmoid(logits) if sigmoid else nn.softmax(logits)
    probs = scores / scores.sum(-1, keepdims=True)
    tokens, experts = scores.shape
    wanted = scores + b
    if groups:
        of, best, by = groups
        inside = jnp.sort(wanted.reshape(tokens, of, -1))[..., -by:].sum(-1)
        among = jnp.argsort(-inside)[:, :best]
        open = (among[:, :, None] == jnp.arange(of)).any(1)
        wanted = jnp.where(jnp.repeat(open, experts // of, 1), wanted, -jnp.inf)
    chosen = jnp.argsort(-wanted)[:, :k]
    hit = chosen[:, :, None] == jnp.arange(experts)
    if threshold is not None:
        p = jnp.take_along_axis(probs, chosen, 1)
        hit &= ((jnp.cumsum(p, 1) - p) < threshold)[:, :, None]
    weight = jnp.where(hit, scores[:, None], 0).sum(1)
    if normalize:
        weight = weight / weight.sum(-1, keepdims=True)
    taken = hit.sum()
    if capacity:
        flat = hit if earlier else hit.swapaxes(0, 1)
        hit = (flat & (jnp.cumsum(flat.reshape(-1, experts), 0) <= capacity).reshape(flat.shape))
        hit = hit if earlier else hit.swapaxes(0, 1)
    weight = jnp.where(hit.any(1), weight, 0) * scale
    inner = lambda e: nn.gelu(x @ up[e]) if gelu else nn.silu(x @ gate[e]) * (x @ up[e])
    out = sum(weight[:, e, None].astype(x.dtype) * (inner(e) @ down[e]) for e in range(experts))
    if shared:
        g, u, d = more
        out = out + (nn.silu(x @ g) * (x @ u)) @ d
    number = hit.any(1).sum(-1) if capacity is None else jnp.zeros(tokens)
    along = jnp.corrcoef(number, -jax.scipy.special.xlogy(probs, probs).sum(-1))[0, 1]
    load = (chosen[:, :, None] == jnp.arange(experts)).sum((0, 1)) / (tokens * k)
    balance = experts * (load * probs.mean(0)).sum()
    z = (jax.scipy.special.logsumexp(logits, -1) ** 2).mean()
    entropy = -jax.scipy.special.xlogy(probs, probs).sum(-1).mean()
    return out.reshape(shape), balance, z, entropy, load, 1 - hit.sum() / taken, number.mean(), along
`;
const reference = (options: string, results = "[0]") =>
  `(lambda scope: (exec(${JSON.stringify(REFERENCE)}, scope), lambda *a: scope["moe"](*a, ${options})${results})[1])(dict(jnp=jnp, jax=jax, nn=nn, random=random))`;

const small = { min: -0.5, max: 0.5 };
const [E, D, F] = [8, 6, 5];
const weights = (experts = E) => [
  f32(`expert:${experts} embed:${D} mlp:${F}`, small),
  f32(`expert:${experts} embed:${D} mlp:${F}`, small),
  f32(`expert:${experts} mlp:${F} embed:${D}`, small),
];
const given = (experts = E) => [f32(`batch seq embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:${experts}`)];

/** A mixture with these weights, as float32 like every master weight; its experts' maps, but for `up`, with adapters of a rank. */
function mixture(options: MoeOptions, ws: readonly Tensor[], rank?: number): Moe {
  let i = 0;
  const made = new Moe({ embed: D }, { mlp: F }, options);
  if (rank !== undefined) for (const map of [made.gate!, made.down]) map.adapt({ rank, scale: 0.5 });
  return mapLeaves(made, () => {
    const w = ws[i++]!.cast("f32");
    return w.has("inner") ? (w.rename("inner", "mlp") as Tensor) : w;
  });
}
const layer =
  (options: MoeOptions, rank?: number) =>
  (x: Tensor, ...ws: Tensor[]) =>
    mixture(options, ws, rank).call(x);

const table: Record<string, Case> = {};
const plain = { experts: E, perToken: 2 };
const variants: Record<string, { options: MoeOptions; jax: string; inputs: Case["inputs"]; more?: Partial<Case> }> = {
  "two of eight experts": { options: plain, jax: "k=2", inputs: [...given(), ...weights()], more: { derivatives: 2 } },
  "raw weights, all experts": {
    options: { experts: 3, perToken: 3, normalize: false },
    jax: "k=3, normalize=False",
    inputs: [...given(3), ...weights(3)],
  },
  "sigmoid, a bias, groups, a scale and shared experts: DeepSeek-V3": {
    options: {
      experts: E,
      perToken: 3,
      scores: "sigmoid",
      groups: { of: 4, best: 2, by: 2 },
      scale: 2.5,
      shared: 7,
      biasRate: 0.1,
    },
    jax: "k=3, sigmoid=True, bias=True, groups=(4, 2, 2), scale=2.5, shared=True",
    inputs: [
      ...given(),
      f32(`expert:${E}`, small),
      ...weights(),
      f32(`embed:${D} inner:7`, small),
      f32(`embed:${D} inner:7`, small),
      f32(`inner:7 embed:${D}`, small),
    ],
  },
  "groups by their best expert: DeepSeek-V2": {
    options: { experts: E, perToken: 2, groups: { of: 4, best: 2 }, normalize: false, scale: 16 },
    jax: "k=2, groups=(4, 2, 1), normalize=False, scale=16",
    inputs: [...given(), ...weights()],
  },
  "as many experts as it takes": {
    options: { experts: E, perToken: 4, threshold: 0.6 },
    jax: "k=4, threshold=0.6",
    inputs: [...given(), ...weights()],
  },
};
for (const [name, { options, jax, inputs, more }] of Object.entries(variants)) {
  const shape: Omit<Case, "run"> = {
    inputs,
    jax: reference(jax),
    out: `batch seq embed:${D}`,
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
    ...more,
  };
  table[name] = { ...shape, run: layer(options) };
  table[`${name}, with room enough`] = { ...shape, run: layer({ ...options, capacity: E }) };
}
agrees("mixtures of experts", table);

const ungated = {
  inputs: [f32(`batch:2 seq:4 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:4`), ...weights(4).slice(1)],
  jax: reference("k=2, gelu=True"),
  out: `batch:2 seq:4 embed:${D}`,
  derivatives: 1,
  tolerance: { rtol: 1e-4, atol: 1e-4 },
} as const;
agrees("experts without a gate", {
  dropless: { ...ungated, run: layer({ experts: 4, perToken: 2, feedForward: "gelu" }) },
  "with room enough": { ...ungated, run: layer({ experts: 4, perToken: 2, feedForward: "gelu", capacity: 4 }) },
});

const adapted = {
  inputs: [
    f32(`batch seq embed:${D}`, { min: -2, max: 2 }),
    f32(`embed:${D} expert:4`),
    f32(`expert:4 embed:${D} mlp:${F}`, small),
    f32(`expert:4 embed:${D} rank:3`, small),
    f32(`expert:4 rank:3 mlp:${F}`, small),
    f32(`expert:4 embed:${D} mlp:${F}`, small),
    f32(`expert:4 mlp:${F} embed:${D}`, small),
    f32(`expert:4 mlp:${F} rank:3`, small),
    f32(`expert:4 rank:3 embed:${D}`, small),
  ],
  jax: reference("k=2, rank=3"),
  out: `batch seq embed:${D}`,
  derivatives: 1,
  tolerance: { rtol: 1e-4, atol: 1e-4 },
} satisfies Partial<Case>;
agrees("adapters beside experts' weights, each expert's its own, as the weights with them added", {
  dropless: { ...adapted, run: layer({ experts: 4, perToken: 2 }, 3) },
  "with room enough": { ...adapted, run: layer({ experts: 4, perToken: 2, capacity: 4 }, 3) },
});

agrees("capacity", {
  "what is beyond is dropped, and counted": {
    inputs: [f32(`batch:3 seq:5 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:4`), ...weights(4)],
    run: (x, ...ws) => {
      const [out, { metrics }] = collect(() => layer({ experts: 4, perToken: 2, capacity: 0.5 })(x, ...ws));
      return [out, metrics.dropped];
    },
    jax: reference("k=2, capacity=4", "[:6:5]"),
    out: [`batch:3 seq:5 embed:${D}`, ""],
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  "an earlier token's second choice comes before a later one's first": {
    inputs: [f32(`batch:3 seq:5 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:4`), ...weights(4)],
    run: (x, ...ws) => {
      const options = { experts: 4, perToken: 2, capacity: 0.5, priority: "token" } as const;
      const [out, { metrics }] = collect(() => layer(options)(x, ...ws));
      return [out, metrics.dropped];
    },
    jax: reference("k=2, capacity=4, earlier=True", "[:6:5]"),
    out: [`batch:3 seq:5 embed:${D}`, ""],
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  "of each place of an axis by itself": {
    inputs: [f32(`batch:3 seq:6 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:4`), ...weights(4)],
    run: layer({ experts: 4, perToken: 2, capacity: 1, local: ["batch"] }),
    jax: reference("k=2, capacity=3, local=True"),
    out: `batch:3 seq:6 embed:${D}`,
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  "of each chunk of a sequence by itself": {
    inputs: [f32(`batch:2 seq:6 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:4`), ...weights(4)],
    run: (x, ...ws) => {
      const options = { experts: 4, perToken: 2, capacity: 1, local: ["batch"], chunk: 3, priority: "token" } as const;
      const [out, { metrics }] = collect(() => layer(options)(x, ...ws));
      return [out, metrics.dropped];
    },
    jax: reference("k=2, capacity=2, earlier=True, chunk=3", "[:6:5]"),
    out: [`batch:2 seq:6 embed:${D}`, ""],
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  "of each chunk, fewer tokens than one at once": {
    inputs: [f32(`batch:3 seq:6 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:4`), ...weights(4)],
    run: layer({ experts: 4, perToken: 2, capacity: 1, local: ["batch"], chunk: 8 }),
    jax: reference("k=2, capacity=3, local=True"),
    out: `batch:3 seq:6 embed:${D}`,
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  "no limit, each place by itself": {
    inputs: [f32(`batch:3 seq:6 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:4`), ...weights(4)],
    run: layer({ experts: 4, perToken: 2, local: ["batch"] }),
    jax: reference("k=2, local=True"),
    out: `batch:3 seq:6 embed:${D}`,
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
});

agrees("what a router reports", {
  "losses and figures": {
    inputs: [...given(), ...weights()],
    run: (x, ...ws) => {
      const options = { ...plain, loadBalance: 0.5, zLoss: 0.25 };
      const [out, { losses, metrics }] = collect(() => layer(options)(x, ...ws));
      const total = losses.reduce((a, b) => a.add(b));
      return [out, total, metrics.load_balance, metrics.router_z, metrics.router_entropy, metrics.utilization];
    },
    jax: `lambda *a: (lambda out, balance, z, entropy, load, *_: [out, 0.5 * balance + 0.25 * z, balance, z, entropy, load.astype(jnp.float32)])(*${reference("k=2", "")}(*a))`,
    out: [`batch seq embed:${D}`, "", "", "", "", `expert:${E}`],
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  "how many experts tokens take, and how that goes with their entropy": {
    inputs: [f32(`batch:2 seq:6 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:${E}`), ...weights()],
    run: (x, ...ws) => {
      const [, { metrics }] = collect(() => layer({ experts: E, perToken: 4, threshold: 0.6 })(x, ...ws));
      return [metrics.active, metrics.active_by_entropy];
    },
    jax: `lambda *a: [jnp.nan_to_num(y) for y in ${reference("k=4, threshold=0.6", "[6:]")}(*a)]`,
    out: ["", ""],
    derivatives: 0,
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
  "noise while training": {
    inputs: [f32(`batch:2 seq:3 embed:${D}`, { min: -2, max: 2 }), f32(`embed:${D} expert:${E}`), ...weights()],
    run: (x, ...ws) => mixture({ ...plain, jitter: 0.25 }, ws).call(x, { key: key(7) }),
    jax: reference(
      `k=2, noise=lambda x: random.uniform(random.key(7), (2, ${D}, 3), minval=0.75, maxval=1.25).swapaxes(1, 2).reshape(x.shape)`,
    ),
    out: `batch:2 seq:3 embed:${D}`,
    derivatives: 1,
    tolerance: { rtol: 1e-4, atol: 1e-4 },
  },
  "a bias that goes towards balance": {
    inputs: [...given(), f32(`expert:${E}`, small), ...weights()],
    run: (x, ...ws) => Object.values(collect(() => layer({ ...plain, biasRate: 0.125 })(x, ...ws))[1].updates),
    jax: `lambda x, r, b, *w: b + 0.125 * jnp.sign(1 / ${E} - ${reference("k=2, bias=True", "[4]")}(x, r, b, *w))`,
    out: `expert:${E}`,
    derivatives: 0,
  },
});

test.each([
  ["dropless", undefined],
  ["capacity", 1],
])("memory of the order of tokens times experts a token times width: %s", async (_, capacity) => {
  const [tokens, experts, embed, mlp, perToken] = [4096, 64, 32, 48, 2];
  const moe = new Moe({ embed }, { mlp }, { experts, perToken, capacity });
  const text = await lower(
    (x: Tensor, layer: Moe) =>
      grad((both: [Tensor, Moe]): Scalar => both[1].call(both[0]).sum(["token", "embed"]) as unknown as Scalar)([
        x,
        layer,
      ]),
    spec({ token: tokens, embed }),
    moe,
  );
  const sizes = [...text.matchAll(/tensor<((?:\d+x)+)/g)].map((m) =>
    m[1]!
      .split("x")
      .slice(0, -1)
      .reduce((n, d) => n * Number(d), 1),
  );
  expect(Math.max(...sizes)).toBeLessThanOrEqual(tokens * perToken * Math.max(experts, mlp));
});
