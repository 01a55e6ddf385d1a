/** Elementwise operations, comparisons and casts: the methods of Tensor, broadcasting by name. */

import type { Tensor } from "../../ops/tensor.js";
import { agrees, type Case, f32, i1, i32, type Range, slot } from "./harness.js";

const narrow = ["bf16", "f16"] as const;

/** A method of one operand. */
const unary = (run: (x: Tensor) => unknown, jax: string, range: Range = {}, more: Partial<Case> = {}): Case => ({
  inputs: [f32("a b", range)],
  run,
  jax: `lambda x: ${jax}`,
  out: "a b",
  also: narrow,
  ...more,
});

agrees("of one operand", {
  neg: unary((x) => x.neg(), "-x"),
  abs: unary((x) => x.abs(), "jnp.abs(x)"),
  sign: unary((x) => x.sign(), "jnp.sign(x)"),
  exp: unary((x) => x.exp(), "jnp.exp(x)"),
  expm1: unary((x) => x.expm1(), "jnp.expm1(x)"),
  log: unary((x) => x.log(), "jnp.log(x)", { min: 0.25 }),
  log1p: unary((x) => x.log1p(), "jnp.log1p(x)", { min: -0.5 }),
  sqrt: unary((x) => x.sqrt(), "jnp.sqrt(x)", { min: 0.25 }),
  rsqrt: unary((x) => x.rsqrt(), "lax.rsqrt(x)", { min: 0.25 }),
  cbrt: unary((x) => x.cbrt(), "jnp.cbrt(x)", { min: 0.25 }),
  sin: unary((x) => x.sin(), "jnp.sin(x)"),
  cos: unary((x) => x.cos(), "jnp.cos(x)"),
  tan: unary((x) => x.tan(), "jnp.tan(x)", { min: -1, max: 1 }),
  tanh: unary((x) => x.tanh(), "jnp.tanh(x)"),
  sigmoid: unary((x) => x.sigmoid(), "nn.sigmoid(x)"),
  erf: unary((x) => x.erf(), "lax.erf(x)"),
  erfInv: unary((x) => x.erfInv(), "lax.erf_inv(x)", { min: -0.75, max: 0.75 }),
  floor: unary((x) => x.floor(), "jnp.floor(x)"),
  ceil: unary((x) => x.ceil(), "jnp.ceil(x)"),
  round: unary((x) => x.round(), "jnp.round(x)"),
  square: unary((x) => x.square(), "jnp.square(x)"),
  not: {
    inputs: [i1("a b"), i32("a")],
    run: (x, n) => [x.not(), n.not()],
    jax: "lambda x, n: (~x, ~n)",
    out: [i1("a b"), i32("a")],
  },
  isFinite: {
    inputs: [f32("a b", { special: true })],
    run: (x) => x.isFinite(),
    jax: "lambda x: jnp.isfinite(x)",
    out: i1("a b"),
    derivatives: 0,
  },
});

/** A method of two operands in every way they may fit: equal axes in any order, one of them smaller, a number on the right. */
const binary = (
  run: (x: Tensor, y: Tensor | number) => unknown,
  jax: (x: string, y: string) => string,
  left: Range = {},
  right: Range = left,
  more: Partial<Case> = {},
): Case => ({
  inputs: [f32("a b c", left), f32("a b c", right), f32("b", right), f32("c a", left), f32("", right)],
  run: (x, y, small, other, one) => [run(x, y), run(x, small), run(other, x), run(other, one), run(x, 1.5)],
  jax: `lambda x, y, small, other, one: (${[
    jax("x", "y"),
    jax("x", "small[None, :, None]"),
    jax("jnp.broadcast_to(other.T[:, None, :], x.shape)", "x"),
    jax("other", "one"),
    jax("x", "jnp.asarray(1.5, x.dtype)"),
  ].join(", ")})`,
  out: ["a b c", "a b c", "a b c", "c a", "a b c"],
  also: ["bf16"],
  ...more,
});

agrees("of two operands", {
  add: binary(
    (x, y) => x.add(y),
    (x, y) => `${x} + ${y}`,
  ),
  sub: binary(
    (x, y) => x.sub(y),
    (x, y) => `${x} - ${y}`,
  ),
  mul: binary(
    (x, y) => x.mul(y),
    (x, y) => `${x} * ${y}`,
  ),
  div: binary(
    (x, y) => x.div(y),
    (x, y) => `${x} / ${y}`,
    { min: 1 },
  ),
  // The derivative jumps where one is a multiple of the other, and XLA may divide by multiplying by an inverse: no drawn numbers are.
  rem: binary(
    (x, y) => x.mul(1.0003).rem(y),
    (x, y) => `lax.rem(*jnp.broadcast_arrays(${x} * 1.0003, ${y}))`,
    { min: 1 },
    { min: 1 },
  ),
  pow: binary(
    (x, y) => x.pow(y),
    (x, y) => `jnp.power(${x}, ${y})`,
    { min: 0.5, max: 2 },
    { min: 0.5, max: 2 },
  ),
  maximum: binary(
    (x, y) => x.maximum(y),
    (x, y) => `jnp.maximum(${x}, ${y})`,
  ),
  minimum: binary(
    (x, y) => x.minimum(y),
    (x, y) => `jnp.minimum(${x}, ${y})`,
  ),
  atan2: binary(
    (x, y) => x.atan2(y),
    (x, y) => `jnp.arctan2(${x}, ${y})`,
    { min: 0.5 },
  ),
});

const compared = (method: "eq" | "ne" | "lt" | "le" | "gt" | "ge", operator: string): Case => ({
  inputs: [
    f32("a b", { special: true }),
    f32("b", { special: true }),
    i32("a b", { min: -2, max: 2 }),
    i32("a", { min: -2, max: 2 }),
  ],
  run: (x, y, n, m) => [x[method](y), y[method](x), n[method](m), n[method](1)],
  jax: `lambda x, y, n, m: (x ${operator} y, y ${operator} x, n ${operator} m[:, None], n ${operator} 1)`,
  out: [i1("a b"), i1("a b"), i1("a b"), i1("a b")],
  derivatives: 0,
});

agrees("comparisons", {
  eq: compared("eq", "=="),
  ne: compared("ne", "!="),
  lt: compared("lt", "<"),
  le: compared("le", "<="),
  gt: compared("gt", ">"),
  ge: compared("ge", ">="),
});

const ui32 = slot("ui32");

agrees("of integers and booleans", {
  arithmetic: {
    inputs: [i32("a b", { min: -9, max: 9 }), i32("a b", { min: 1, max: 9 }), i32("b", { min: 1, max: 9 })],
    run: (x, y, z) => [
      x.add(y),
      x.sub(z),
      x.mul(z),
      x.div(y),
      x.rem(z),
      x.maximum(y),
      x.minimum(3),
      x.neg(),
      x.abs(),
      x.sign(),
    ],
    jax: "lambda x, y, z: (x + y, x - z, x * z, lax.div(x, y), lax.rem(*jnp.broadcast_arrays(x, z)), jnp.maximum(x, y), jnp.minimum(x, 3), -x, abs(x), jnp.sign(x))",
    out: Array.from({ length: 10 }, () => i32("a b")),
  },
  bitwise: {
    inputs: [i32("a b", { min: -99, max: 99 }), i32("a", { min: 0, max: 99 })],
    run: (x, y) => [x.and(y), x.or(y), x.xor(y), x.and(6)],
    jax: "lambda x, y: (x & y[:, None], x | y[:, None], x ^ y[:, None], x & 6)",
    out: Array.from({ length: 4 }, () => i32("a b")),
  },
  logical: {
    inputs: [i1("a b"), i1("b")],
    run: (x, y) => [x.and(y), x.or(y), x.xor(y)],
    jax: "lambda x, y: (x & y, x | y, x ^ y)",
    out: [i1("a b"), i1("a b"), i1("a b")],
  },
  shifts: {
    inputs: [ui32("a b", { min: 0, max: 2 ** 32 - 1 }), ui32("a", { min: 0, max: 31 })],
    run: (x, y) => [x.shiftLeft(y), x.shiftRight(y), x.shiftRight(7)],
    jax: "lambda x, y: (x << y[:, None], x >> y[:, None], x >> 7)",
    out: [ui32("a b"), ui32("a b"), ui32("a b")],
  },
  "wide numbers on the right": {
    inputs: [ui32("a b", { min: 0, max: 2 ** 32 - 1 }), slot("i64")("a", { min: -9, max: 9 })],
    run: (x, n) => [x.add(4_000_000_000), n.mul(5_000_000_000)],
    jax: "lambda x, n: (x + jnp.uint32(4000000000), n * 5000000000)",
    out: [ui32("a b"), slot("i64")("a")],
  },
});

agrees("casts", {
  "between floats": {
    inputs: [f32("a b")],
    run: (x: Tensor) => [x.cast("bf16").cast("f32"), x.cast("f16"), x.cast("f64").cast("f32"), x.cast("f32")],
    jax: "lambda x: (x.astype(jnp.bfloat16).astype(jnp.float32), x.astype(jnp.float16), x, x)",
    out: ["a b", slot("f16")("a b"), "a b", "a b"],
    derivatives: 1,
    tolerance: { rtol: 1e-2, atol: 1e-2 },
  },
  "to and from integers": {
    inputs: [f32("a b"), i32("a", { min: -9, max: 9 }), i1("b")],
    run: (x, n, t) => [x.cast("i32"), n.cast("f32"), t.cast("f32"), n.cast("i1"), x.cast("i1")],
    jax: "lambda x, n, t: (x.astype(jnp.int32), n.astype(jnp.float32), t.astype(jnp.float32), n != 0, x != 0)",
    out: [i32("a b"), "a", "b", i1("a"), i1("a b")],
  },
});
