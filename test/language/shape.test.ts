/** Operations that move elements: rename, split, merge, slices, joining, looking up, sorting. */
import {
  argsort,
  concatenate,
  constant,
  gather,
  iota,
  oneHot,
  put,
  scatterAdd,
  sort,
  sortBy,
  stack,
  topK,
} from "../../ops/functions.js";
import type { Tensor } from "../../ops/tensor.js";
import { agrees, type Case, f32, i32, type Range, slot } from "./harness.js";

const narrow = ["bf16"] as const;
const one = (run: (x: Tensor) => unknown, jax: string, out: Case["out"], axes = "a b c"): Case => ({
  inputs: [f32(axes)],
  run,
  jax: `lambda x: ${jax}`,
  out,
  also: narrow,
});

agrees("axes", {
  rename: one((x) => x.rename("a", "z").rename("b", "a"), "x", "z:2 a:3 c", "a:2 b:3 c"),
  "rename to itself": one((x) => x.rename("a", "a"), "x", "a b c"),
  split: one((x) => x.split("b", { p: 2, q: 3 }), "x.reshape(x.shape[0], 2, 3, x.shape[2])", "a p:2 q:3 c", "a b:6 c"),
  "split with an unknown size": one(
    (x) => x.split("b", { p: -1, b: 2 }),
    "x.reshape(x.shape[0], 3, 2, x.shape[2])",
    "a p:3 b:2 c",
    "a b:6 c",
  ),
  merge: one((x) => x.merge(["a", "b"], "m"), "x.reshape(6, x.shape[2])", "m:6 c", "a:2 b:3 c"),
  "merge of axes that stand apart": one(
    (x) => x.merge(["c", "a"], "a2"),
    "jnp.transpose(x, (2, 0, 1)).reshape(8, x.shape[1])",
    "a2:8 b",
    "a:2 b c:4",
  ),
  "merge of three": one(
    (x) => x.merge(["b", "c", "a"], "m"),
    "jnp.transpose(x, (1, 2, 0)).reshape(-1)",
    "m:12",
    "a:2 b:3 c:2",
  ),
  "split and merge": one(
    (x) => x.split("a", { p: 2, q: 2 }).merge(["q", "p"], "a"),
    "x.reshape(2, 2, -1).swapaxes(0, 1).reshape(4, -1)",
    "a:4 b",
    "a:4 b",
  ),
  broadcast: one((x) => x.broadcast({ m: 2, n: 3 }), "jnp.broadcast_to(x, (2, 3, *x.shape))", "m:2 n:3 a b c"),
  ordered: one((x) => x.ordered(["c", "a", "b"]).mul(2), "x * 2", "a b c"),
});

agrees("parts of an axis", {
  slice: one(
    (x) => [
      x.slice("b", 1),
      x.slice("b", 1, 4),
      x.slice("b", -3, -1),
      x.slice("b", 0, 6, 2),
      x.slice("b", 1, 6, 3),
      x.slice("b", 2, 2),
    ],
    "(x[:, 1:], x[:, 1:4], x[:, -3:-1], x[:, 0:6:2], x[:, 1:6:3], x[:, 2:2])",
    ["a b:5", "a b:3", "a b:2", "a b:3", "a b:2", "a b:0"],
    "a b:6",
  ),
  at: one(
    (x) => [x.at("b", 2), x.at("b", -1), x.at("a", 0).at("b", 0)],
    "(x[:, 2], x[:, -1], x[0, 0])",
    ["a c", "a c", "c"],
    "a b:4 c",
  ),
  "at a traced position": {
    inputs: [f32("a b:4 c"), i32("", { min: -1, max: 6 })],
    run: (x: Tensor, i) => x.at("b", i),
    // XLA clamps the position as the language does; JAX's indexing counts negative ones from the end.
    jax: "lambda x, i: lax.dynamic_index_in_dim(x, jnp.clip(i, 0, 3), 1, False)",
    out: "a c",
    also: narrow,
  },
  dynamicSlice: {
    inputs: [f32("a b:5"), i32("", { min: 0, max: 6 })],
    run: (x: Tensor, i) => x.dynamicSlice("b", i, 2),
    jax: "lambda x, i: lax.dynamic_slice_in_dim(x, i, 2, 1)",
    out: "a b:2",
    also: narrow,
  },
  update: {
    inputs: [f32("a b:5"), f32("a p:2"), i32("", { min: 0, max: 6 })],
    run: (x: Tensor, part: Tensor, i) => [
      x.update("b", i, part.rename("p", "b")),
      x.update("b", 1, part.rename("p", "b")),
    ],
    jax: "lambda x, p, i: (lax.dynamic_update_slice_in_dim(x, p, i, 1), x.at[:, 1:3].set(p))",
    out: ["a b", "a b"],
    also: narrow,
  },
  pad: one(
    (x) => [x.pad("b", 2, 1), x.pad("a", 0, 2, 1.5)],
    "(jnp.pad(x, ((0, 0), (2, 1))), jnp.pad(x, ((0, 2), (0, 0)), constant_values=1.5))",
    ["a b:6", "a:4 b"],
    "a:2 b:3",
  ),
  reverse: one((x) => x.reverse("b"), "x[:, ::-1]", "a b c"),
});

agrees("joining", {
  concatenate: {
    inputs: [f32("a:2 b"), f32("a2:3 b"), f32("b")],
    run: (x: Tensor, y: Tensor, z: Tensor) => concatenate([x, y.rename("a2", "a"), z.broadcast({ a: 1 })], "a"),
    jax: "lambda x, y, z: jnp.concatenate([x, y, z[None]])",
    out: "a:6 b",
    also: narrow,
  },
  stack: {
    inputs: [f32("a b"), f32("b a"), f32("a b")],
    run: (x: Tensor, y: Tensor, z: Tensor) => stack([x, y, z], "n"),
    jax: "lambda x, y, z: jnp.stack([x, y.T, z])",
    out: "n:3 a b",
    also: narrow,
  },
});

/** Positions, also outside of an axis of 5. */
const positions = (axes: string, range: Range = { min: -2, max: 7 }) => i32(axes, range);

agrees("looking up", {
  gather: {
    inputs: [f32("a v:5 c"), positions("n m")],
    run: (x: Tensor, i: Tensor) => gather(x, "v", i),
    jax: 'lambda x, i: jnp.moveaxis(jnp.take(x, i, 1, mode="clip"), (1, 2), (0, 1))',
    out: "n m a c",
    also: narrow,
  },
  "gather side by side": {
    inputs: [f32("a v:5 c"), positions("c n a")],
    run: (x: Tensor, i: Tensor) => gather(x, "v", i),
    jax: "lambda x, i: jnp.take_along_axis(x, jnp.clip(jnp.transpose(i, (2, 1, 0)), 0, 4), 1)",
    out: "a n c",
    also: narrow,
  },
  "gather one": {
    inputs: [f32("a v:5"), positions("", { min: 0, max: 4 })],
    run: (x: Tensor, i: Tensor) => gather(x, "v", i),
    jax: "lambda x, i: x[:, i]",
    out: "a",
  },
  scatterAdd: {
    inputs: [f32("a v:5 c"), positions("n m"), f32("m a n c")],
    run: (x: Tensor, i: Tensor, u: Tensor) => scatterAdd(x, "v", i, u),
    jax: 'lambda x, i, u: x.at[:, jnp.where(i < 0, 9, i)].add(jnp.transpose(u, (1, 2, 0, 3)), mode="drop")',
    out: "a v c",
    also: narrow,
  },
  "scatterAdd side by side": {
    inputs: [f32("a v:5"), positions("a n"), f32("a n")],
    run: (x: Tensor, i: Tensor, u: Tensor) => scatterAdd(x, "v", i, u),
    jax: 'lambda x, i, u: jax.vmap(lambda x, i, u: x.at[jnp.where(i < 0, 9, i)].add(u, mode="drop"))(x, i, u)',
    out: "a v",
  },
  put: {
    inputs: [f32("a v:5 c"), f32("n:3 a c")],
    run: (x: Tensor, u: Tensor) => put(x, "v", constant({ n: 3 }, [3, 0, 9], "i32"), u),
    jax: 'lambda x, u: x.at[:, jnp.array([3, 0, 9])].set(jnp.moveaxis(u, 0, 1), mode="drop")',
    out: "a v c",
    also: narrow,
  },
  oneHot: {
    inputs: [positions("n m"), f32("v:5 n")],
    run: (i: Tensor, w: Tensor) => [oneHot(i, { v: 5 }), oneHot(i, { v: 5 }, "bf16"), oneHot(i, { v: 5 }).mul(w)],
    jax: "lambda i, w: (nn.one_hot(i, 5), nn.one_hot(i, 5, dtype=jnp.bfloat16), nn.one_hot(i, 5) * w.T[:, None])",
    out: ["n m v", slot("bf16")("n m v"), "n m v"],
  },
  "iota, constant": {
    inputs: [f32("a:4")],
    run: (x: Tensor) => [iota({ a: 4 }), x.mul(iota({ a: 4 }, "f32")), constant({ p: 2, a: 2 }, [1, 2, 3, 4])],
    jax: "lambda x: (jnp.arange(4), x * jnp.arange(4), jnp.array([[1., 2], [3, 4]]))",
    out: [i32("a"), "a", "p:2 a:2"],
  },
});

const special: Range = { special: true };

agrees("order", {
  sort: one((x) => [sort(x, "b"), sort(x, "a", { descending: true })], "(jnp.sort(x, 1), -jnp.sort(-x, 0))", [
    "a b c",
    "a b c",
  ]),
  "sort infinities, NaN and zeros": {
    inputs: [f32("a b:7", special)],
    run: (x: Tensor) => [sort(x, "b"), argsort(x, "b"), argsort(x, "b", { descending: true })],
    jax: "lambda x: (jnp.sort(x, 1), jnp.argsort(x, 1), jnp.argsort(x, 1, descending=True))",
    out: ["a b", i32("a b"), i32("a b")],
    derivatives: 0,
  },
  "sort integers": {
    inputs: [i32("a:6 b", { min: -9, max: 9 }), slot("ui32")("a:6", { min: 0, max: 2 ** 32 - 1 })],
    run: (x: Tensor, y: Tensor) => [sort(x, "a"), argsort(x, "a", { descending: true }), sort(y, "a")],
    jax: "lambda x, y: (jnp.sort(x, 0), jnp.argsort(x, 0, descending=True), jnp.sort(y))",
    out: [i32("a b"), i32("a b"), slot("ui32")("a")],
  },
  argsort: one((x) => argsort(x, "b"), "jnp.argsort(x, 1)", i32("a b"), "a b:5"),
  sortBy: {
    inputs: [f32("a:5 b"), f32("b a:5")],
    run: (x: Tensor, y: Tensor) => {
      const { sorted, others } = sortBy(x, "a", [y]);
      return [sorted, others[0]];
    },
    jax: "lambda x, y: (jnp.sort(x, 0), jnp.take_along_axis(y.T, jnp.argsort(x, 0), 0))",
    out: ["a b", "a b"],
  },
  topK: {
    inputs: [f32("a b:6 c")],
    run: (x: Tensor) => {
      const { values, indices } = topK(x, "b", { k: 3 });
      return [values, indices];
    },
    jax: "lambda x: (lambda v, i: (v, i))(*lax.top_k(jnp.moveaxis(x, 1, 2), 3))",
    out: ["a c k:3", i32("a c k:3")],
    also: narrow,
  },
});
