/** Control flow: scan, whileLoop, cond, remat, customVjp, with their first and second derivatives. */
import { traceProgram } from "../../compiler/trace.js";
import { cond, customVjp, grad, named, remat, scan, stopGradient, whileLoop } from "../../ops/control.js";
import { dot, fullLike, gelu, iota, scalar, softmax, where } from "../../ops/functions.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { programText } from "../../runtime-bridge/evaluate.js";
import { agrees, type Case, f32, i1, i32 } from "./harness.js";

const small = { min: -1, max: 1 };

/** x^2 y, its derivative by hand. */
const doubledInFull = customVjp(
  (x: Tensor, y: Tensor) => [x.mul(x).mul(y), { x, y }] as const,
  ({ x, y }, ct) => [ct.mul(x).mul(y).mul(2), ct.mul(x).mul(x)],
);

/** A recurrent network: a carry, inputs along `t`, a captured weight, outputs. */
const recurrent = (options: object, jaxOptions: string, more: Partial<Case> = {}): Case => ({
  inputs: [f32("h", small), f32("t h", small), f32("h", small)],
  run: (h, xs, w) => scan("t", h, xs, (c: Tensor, x: Tensor) => [c.mul(w).add(x).tanh(), c.mul(x)], options),
  jax: `lambda h, xs, w: lax.scan(lambda c, x: (jnp.tanh(c * w + x), c * x), h, xs${jaxOptions})`,
  out: ["h", "t h"],
  ...more,
});

agrees("scan", {
  forward: recurrent({}, "", { also: ["bf16"] }),
  reversed: recurrent({ reverse: true }, ", reverse=True"),
  "written out": recurrent({ unroll: true }, "", { also: ["bf16"] }),
  "written out and reversed": recurrent({ unroll: true, reverse: true }, ", reverse=True"),
  "of one step": recurrent({}, "", {
    inputs: [f32("h", small), f32("t:1 h", small), f32("h", small)],
    out: ["h", "t:1 h"],
  }),
  "of no step": recurrent({}, "", {
    inputs: [f32("h", small), f32("t:0 h", small), f32("h", small)],
    out: ["h", "t:0 h"],
  }),
  "of one step, written out": recurrent({ unroll: true }, "", {
    inputs: [f32("h", small), f32("t:1 h", small), f32("h", small)],
    out: ["h", "t:1 h"],
  }),
  "of no step, written out": recurrent({ unroll: true }, "", {
    inputs: [f32("h", small), f32("t:0 h", small), f32("h", small)],
    out: ["h", "t:0 h"],
  }),
  "a matrix in the body": {
    inputs: [f32("b h:3", small), f32("b t x:2", small), f32("h:3 o:3", small), f32("o:3 x:2", small)],
    run: (h, xs, w, u) =>
      scan("t", h, xs, (c: Tensor, x: Tensor) => {
        const next = dot(c, w, "h")
          .add(dot(x, u, "x"))
          .tanh()
          .rename("o", "h") as Tensor;
        return [next, softmax(next, "h")];
      }),
    jax: "lambda h, xs, w, u: (lambda c, y: (c, jnp.moveaxis(y, 0, 1)))(*lax.scan(lambda c, x: (lambda n: (n, nn.softmax(n)))(jnp.tanh(c @ w + x @ u.T)), h, jnp.moveaxis(xs, 1, 0)))",
    out: ["b h", "b t h"],
  },
  "a tree of carries, partly integers": {
    inputs: [f32("h", small), f32("t h", small), i32("t", { min: -3, max: 3 })],
    run: (h, xs, ns) => {
      const [carry, ys] = scan(
        "t",
        { h, count: scalar(0, "i32") as any },
        { x: xs, n: ns },
        (c, { x, n }: { x: Tensor; n: Tensor }) => [
          { h: c.h.mul(x).add(n.cast(c.h.dtype)), count: c.count.add(n) },
          [c.count, c.h],
        ],
      );
      return [carry.h, carry.count, ys];
    },
    jax: "lambda h, xs, ns: (lambda c, y: (c[0], c[1], y[0], y[1]))(*lax.scan(lambda c, x: ((c[0] * x[0] + x[1], c[1] + x[1]), (c[1], c[0])), (h, jnp.int32(0)), (xs, ns)))",
    out: ["h", i32(""), i32("t"), "t h"],
  },
  "only the carry is used": {
    inputs: [f32("h", small), f32("t h", small)],
    run: (h, xs) => scan("t", h, xs, (c: Tensor, x: Tensor) => [c.mul(x).sin(), c.exp()])[0],
    jax: "lambda h, xs: lax.scan(lambda c, x: (jnp.sin(c * x), jnp.exp(c)), h, xs)[0]",
    out: "h",
  },
  "only an output is used": {
    inputs: [f32("h", small), f32("t h", small)],
    run: (h, xs) =>
      scan("t", h, xs, (c: Tensor, x: Tensor) => [c.mul(x).sin(), { a: c.exp(), b: x.mul(c), positive: x.gt(0) }])[1].b,
    jax: "lambda h, xs: lax.scan(lambda c, x: (jnp.sin(c * x), x * c), h, xs)[1]",
    out: "t h",
  },
  "no carry": {
    inputs: [f32("t h", small), f32("h", small)],
    run: (xs, w) => scan("t", [], xs, (_, x: Tensor) => [[], x.mul(w).exp()])[1],
    jax: "lambda xs, w: jnp.exp(xs * w)",
    out: "t h",
  },
  "a carry that begins as a constant and depends on what is differentiated later": {
    inputs: [f32("t h", small)],
    run: (xs: Tensor) => {
      const zero = fullLike(xs.at("t", 0), 0) as Tensor;
      return scan("t", [zero, zero] as Tensor[], xs, ([p, q], x: Tensor) => [[q!.mul(2).sin(), q!.add(x)], p])[0];
    },
    jax: "lambda xs: lax.scan(lambda c, x: ((jnp.sin(c[1] * 2), c[1] + x), c[0]), (jnp.zeros_like(xs[0]),) * 2, xs)[0]",
    out: ["h", "h"],
  },
  "a carry that comes out as it went in": {
    inputs: [f32("h", small), f32("t h", small)],
    run: (h, xs) => scan("t", [h, h] as Tensor[], xs, ([p, q], x: Tensor) => [[p!, q!.mul(p!).add(x)], p!.mul(x)]),
    jax: "lambda h, xs: lax.scan(lambda c, x: ((c[0], c[1] * c[0] + x), c[0] * x), (h, h), xs)",
    out: ["h", "h", "t h"],
  },
  "an output that is an input, a carry and a captured value": {
    inputs: [f32("h", small), f32("t h", small), f32("h", small)],
    run: (h, xs, w) => scan("t", h, xs, (c: Tensor, x: Tensor) => [x, [x, c, w]]),
    jax: "lambda h, xs, w: lax.scan(lambda c, x: (x, (x, c, w)), h, xs)",
    out: ["h", "t h", "t h", "t h"],
  },
  "of positions": {
    inputs: [f32("h", small)],
    run: (h) => scan("t", h, iota({ t: 4 }), (c: Tensor, i: any) => [c.mul(i.cast("f32").add(1)).sin(), []])[0],
    jax: "lambda h: lax.scan(lambda c, i: (jnp.sin(c * (i + 1)), None), h, jnp.arange(4))[0]",
    out: "h",
  },
  nested: {
    inputs: [f32("h", small), f32("t s h", small), f32("h", small)],
    run: (h, xs, w) =>
      scan("t", h, xs, (c: Tensor, x: Tensor) => {
        const [d, ys] = scan("s", c, x, (e: Tensor, y: Tensor) => [e.mul(w).add(y).tanh(), e.mul(y).mul(c)]);
        return [d.mul(w), ys];
      }),
    jax: "lambda h, xs, w: lax.scan(lambda c, x: (lambda d, ys: (d * w, ys))(*lax.scan(lambda e, y: (jnp.tanh(e * w + y), e * y * c), c, x)), h, xs)",
    out: ["h", "t s h"],
  },
  "in a cond in a scan": {
    inputs: [f32("h", small), f32("t s h", small), i1("t"), f32("h", small)],
    run: (h, xs, flags, w) =>
      scan("t", h, [xs, flags] as [Tensor, Tensor], (c: Tensor, [x, flag]: [Tensor, Tensor]) => {
        const next = cond(
          flag as any,
          () => scan("s", c, x, (e: Tensor, y: Tensor) => [e.mul(w).add(y).tanh(), []])[0],
          () => c.mul(x.sum("s")).sin() as Tensor,
        );
        return [next, next.mul(c)];
      }),
    jax: "lambda h, xs, flags, w: lax.scan(lambda c, x: (lambda n: (n, n * c))(lax.cond(x[1], lambda: lax.scan(lambda e, y: (jnp.tanh(e * w + y), None), c, x[0])[0], lambda: jnp.sin(c * x[0].sum(0)))), h, (xs, flags))",
    out: ["h", "t h"],
  },
});

agrees("gradients within", {
  "a scan whose step takes a gradient": {
    inputs: [f32("h", small), f32("t h", small)],
    run: (h, xs) =>
      scan("t", h, xs, (c: Tensor, x: Tensor) => {
        const inner = grad((d: Tensor) => d.mul(x).sin().mul(c).sum("h") as any)(c);
        return [c.sub(inner.mul(0.5)), inner];
      }),
    jax: "lambda h, xs: lax.scan(lambda c, x: (lambda g: (c - 0.5 * g, g))(jax.grad(lambda d: jnp.sum(jnp.sin(d * x) * c))(c)), h, xs)",
    out: ["h", "t h"],
  },
  "the branch of a cond": {
    inputs: [i1(""), f32("a", small)],
    run: (t, x: Tensor) =>
      cond(
        t,
        () => grad((y: Tensor) => y.square().mul(y).sum("a") as any)(x),
        () => x,
      ),
    jax: "lambda t, x: lax.cond(t, lambda: jax.grad(lambda y: jnp.sum(y ** 3))(x), lambda: x)",
    out: "a",
  },
  "a remat of a gradient of a scan of remats": {
    inputs: [f32("a", small), f32("t a", small)],
    run: (x, ys) =>
      remat((p: Tensor, q: Tensor) =>
        grad(
          (r: Tensor) =>
            scan("t", r, q, (c: Tensor, y: Tensor) => [remat((d: Tensor) => d.mul(y).sin())(c), []])[0].sum("a") as any,
        )(p),
      )(x, ys),
    jax: "lambda x, ys: jax.grad(lambda r: lax.scan(lambda c, y: (jnp.sin(c * y), None), r, ys)[0].sum())(x)",
    out: "a",
  },
});

/** A gradient, through a loop in bfloat16, of weights that are kept in float32, and a loop over it. */
const narrow = (x: Tensor, ws: Tensor): Tensor => {
  const loss = (ws: Tensor) =>
    scan("t", x.cast("bf16"), ws, (c: Tensor, w: Tensor) => [c.mul(w.cast("bf16")), []])[0]
      .cast("f32")
      .sum("a") as any;
  return scan("t", x, grad(loss)(ws), (c: Tensor, g: Tensor) => [c.mul(0.5).add(g), []])[0];
};

agrees("weights wider than what is computed with them", {
  "in a loop, their gradient in another": {
    inputs: [f32("a", small), f32("t a", small)],
    run: narrow,
    jax: "lambda x, ws: lax.scan(lambda c, g: (0.5 * c + g, None), x, jax.grad(lambda ws: lax.scan(lambda c, w: (c * w.astype(jnp.bfloat16), None), x.astype(jnp.bfloat16), ws)[0].astype(jnp.float32).sum())(ws))[0]",
    out: "a",
    // bfloat16 has 8 bits; of XLA's programs some round every product to it, others none.
    tolerance: { rtol: 2 ** -5, atol: 2 ** -7 },
    derivatives: 0,
  },
});

test("a gradient is no wider between loops than it was computed", () => {
  const argument = { x: spec({ a: 5 }), ws: spec({ t: 3, a: 5 }) };
  const text = programText(
    traceProgram("test", { argument }, ({ argument: { x, ws } }) => ({ result: narrow(x, ws) })),
  );
  const stacks = (op: string) =>
    [...text.matchAll(new RegExp(`\\.${op} .*: \\(tensor<(3x\\w+)>`, "g"))].map(([, x]) => x);
  // Written: carries and weights that are kept, gradients. Read: the weights, and those three.
  const narrow3 = Array(3).fill("3x5xbf16");
  expect(stacks("dynamic_update_slice")).toEqual(narrow3);
  expect(stacks("dynamic_slice")).toEqual(["3x5xf32", ...narrow3]);
});

agrees("the same tensor twice", {
  "as both arguments": {
    inputs: [f32("a", small)],
    run: (x: Tensor) => [
      remat((p: Tensor, q: Tensor) => p.sin().mul(q))(x, x),
      doubledInFull(x, x),
      scan("t", x, [x.broadcast({ t: 2 }), x.broadcast({ t: 2 })] as Tensor[], (c: Tensor, [p, q]) => [
        c.mul(p!).add(q!),
        c,
      ])[1],
    ],
    jax: "lambda x: (jnp.sin(x) * x, x ** 3, jnp.stack([x, x * x + x]))",
    out: ["a", "a", "t:2 a"],
  },
  "as several results": {
    inputs: [f32("a", small), f32("t:3 a", small)],
    run: (x: Tensor, ys: Tensor) => {
      const [c, rows] = scan("t", x, ys, (d: Tensor, y: Tensor) => {
        const e = d.mul(y);
        return [e, [e, e, y]];
      });
      return [c, rows, remat((p: Tensor) => [p, p.sin(), p])(x)];
    },
    jax: "lambda x, ys: (*lax.scan(lambda d, y: (d * y, (d * y, d * y, y)), x, ys), (x, jnp.sin(x), x))",
    out: ["a", "t:3 a", "t:3 a", "t:3 a", "a", "a", "a"],
  },
});

agrees("cond", {
  "of captured values": {
    inputs: [i1(""), f32("a b", small), f32("b a", small)],
    run: (t, x, y) =>
      cond(
        t,
        () => [x.mul(y), x.sin()],
        () => [y.exp(), x] as Tensor[],
      ),
    jax: "lambda t, x, y: (lambda y: lax.cond(t, lambda: (x * y, jnp.sin(x)), lambda: (jnp.exp(y), x)))(y.T)",
    out: ["a b", "a b"],
    also: ["bf16"],
  },
  "of a computed condition": {
    inputs: [f32("a b")],
    run: (x: Tensor) =>
      cond(
        x.sum(["a", "b"]).gt(0) as any,
        () => x.square(),
        () => x.mul(3),
      ),
    jax: "lambda x: lax.cond(x.sum() > 0, lambda: x * x, lambda: x * 3)",
    out: "a b",
  },
  "one branch does not depend on anything": {
    inputs: [i1(""), f32("a", small)],
    run: (t, x: Tensor) =>
      cond(
        t,
        () => fullLike(x, 2) as Tensor,
        () => x.square().mul(x),
      ),
    jax: "lambda t, x: lax.cond(t, lambda: jnp.full_like(x, 2), lambda: x ** 3)",
    out: "a",
  },
  "nested, with integers": {
    inputs: [i1(""), i1(""), f32("a", small), i32("a", { min: -5, max: 5 })],
    run: (s, t, x: Tensor, n: Tensor) =>
      cond(
        s,
        () =>
          cond(
            t,
            () => [x.sin(), n],
            () => [x.exp(), n.mul(2)],
          ),
        () => [x, n.neg()] as Tensor[],
      ),
    jax: "lambda s, t, x, n: lax.cond(s, lambda: lax.cond(t, lambda: (jnp.sin(x), n), lambda: (jnp.exp(x), n * 2)), lambda: (x, -n))",
    out: ["a", i32("a")],
  },
});

agrees("whileLoop", {
  "until large": {
    inputs: [f32("a", { min: 1, max: 2 }), i32("", { min: 0, max: 5 })],
    run: (x: Tensor, n: Tensor) => {
      const out = whileLoop(
        { x, i: n },
        ({ x: y, i }) => (y.sum("a") as Tensor).lt(100).and(i.lt(20) as Tensor) as any,
        ({ x: y, i }) => ({ x: y.mul(1.5), i: i.add(1) }),
      );
      return [out.x, out.i];
    },
    jax: "lambda x, n: lax.while_loop(lambda c: (c[0].sum() < 100) & (c[1] < 20), lambda c: (c[0] * 1.5, c[1] + 1), (x, n))",
    out: ["a", i32("")],
    derivatives: 0,
  },
  "beside what is differentiated": {
    inputs: [f32("a", small)],
    run: (x: Tensor) =>
      x.mul(
        whileLoop(
          stopGradient(x),
          (c) => (c.max("a") as Tensor).lt(2) as any,
          (c) => c.add(1),
        ),
      ),
    jax: "lambda x: x * lax.while_loop(lambda c: c.max() < 2, lambda c: c + 1, lax.stop_gradient(x))",
    out: "a",
  },
});

/** Two layers whose middle is named. */
const layers = (x: Tensor, w: Tensor): Tensor => {
  const hidden = named(dot(x, w, "h").tanh(), "hidden").rename("o", "h") as Tensor;
  return dot(gelu(hidden), w, "h").mul(hidden.rename("h", "o")).rename("o", "h") as Tensor;
};
const JAX_LAYERS = "(lambda h: (nn.gelu(h) @ w) * h)(jnp.tanh(x @ w))";

agrees("remat", {
  ...Object.fromEntries(
    (["nothing", "everything", ["hidden"], ["another"]] as const).map((policy) => [
      `keeps ${policy}`,
      {
        inputs: [f32("b h:3", small), f32("h:3 o:3", small)],
        run: (x, w) => remat(layers, policy)(x, w),
        jax: `lambda x, w: ${JAX_LAYERS}`,
        out: "b h",
      } satisfies Case,
    ]),
  ),
  ...Object.fromEntries(
    (["nothing", "everything", ["hidden"]] as const).map((policy) => [
      `keeps ${policy} in a scan, weights captured and sliced`,
      {
        inputs: [f32("b h:3", small), f32("t h:3 o:3", small), f32("h:3", small)],
        run: (x, ws, s) =>
          scan("t", x, ws, (c: Tensor, w: Tensor) => [
            remat((p: Tensor, q: Tensor) => layers(p.mul(s), q), policy)(c, w),
            [],
          ])[0],
        jax: `lambda x, ws, s: lax.scan(lambda c, w: ((lambda x: ${JAX_LAYERS})(c * s), None), x, ws)[0]`,
        out: "b h",
      } satisfies Case,
    ]),
  ),
  "trees in and out, a scan inside": {
    inputs: [f32("h", small), f32("t h", small), i32("h", { min: 0, max: 3 })],
    run: (h, xs, n) => {
      const f = remat((p: { h: Tensor; xs: Tensor }, m: Tensor) => {
        const [c, ys] = scan("t", p.h, p.xs, (d: Tensor, x: Tensor) => [d.mul(x).sin(), d.exp()]);
        return { c, ys, m: m.add(1) };
      });
      const { c, ys, m } = f({ h, xs }, n);
      return [c, ys, m];
    },
    jax: "lambda h, xs, n: (*lax.scan(lambda d, x: (jnp.sin(d * x), jnp.exp(d)), h, xs), n + 1)",
    out: ["h", "t h", i32("h")],
  },
  nested: {
    inputs: [f32("a", small), f32("a", small)],
    run: (x, y) =>
      remat((p: Tensor, q: Tensor) =>
        remat((r: Tensor) => r.sin().mul(q))(p)
          .exp()
          .mul(p),
      )(x, y),
    jax: "lambda x, y: jnp.exp(jnp.sin(x) * y) * x",
    out: "a",
  },
});

/** x^2 y with a derivative that is twice the right one. */
const doubled = customVjp(
  (x: Tensor, y: Tensor) => [x.mul(x).mul(y), { x, y }] as const,
  ({ x, y }, ct) => [ct.mul(x).mul(y).mul(4), ct.mul(x).mul(x).mul(2)],
);
const DOUBLED = "(lambda x, y: 2 * x * x * y - lax.stop_gradient(x * x * y))";

agrees("customVjp", {
  "a derivative of the author's": {
    inputs: [f32("a b", small), f32("b a", small)],
    run: (x, y) => doubled(x.sin(), y),
    jax: `lambda x, y: ${DOUBLED}(jnp.sin(x), y.T)`,
    out: "a b",
    // The second derivative differentiates the rule that was given, which the reference does not have.
    derivatives: 1,
    also: ["bf16"],
  },
  "a second derivative, of the rule": {
    inputs: [f32("a", small)],
    run: (x) =>
      customVjp(
        (y: Tensor) => {
          const t = y.tanh();
          return [t, t.square()];
        },
        (square: Tensor, ct: Tensor) => [ct.mul(square.neg().add(1))],
      )(x),
    jax: "lambda x: jnp.tanh(x)",
    out: "a",
  },
  "trees of results and residuals, an integer argument": {
    inputs: [f32("a", small), i32("a", { min: -3, max: 3 })],
    run: (x, n) => {
      const f = customVjp(
        (y: Tensor, m: Tensor) =>
          [
            { s: y.sin(), t: [m.add(1), y.exp()] },
            { y, list: [y.cos()] },
          ] as const,
        ({ y, list }, ct) => [ct.s.mul(list[0]!).add(ct.t[1]!.mul(y.exp())), undefined],
      );
      const { s, t } = f(x, n);
      return [s, t];
    },
    jax: "lambda x, n: (jnp.sin(x), n + 1, jnp.exp(x))",
    out: ["a", i32("a"), "a"],
  },
  "scans in both directions": {
    inputs: [f32("a", small), f32("t a", small)],
    run: customVjp(
      (x: Tensor, ys: Tensor) => {
        const [c, before] = scan("t", x, ys, (d: Tensor, y: Tensor) => [d.mul(y), d]);
        return [c, { before, ys }];
      },
      ({ before, ys }, ct: Tensor) => {
        const [dx, dys] = scan("t", ct, [before, ys] as Tensor[], (d: Tensor, [c, y]) => [d.mul(y!), d.mul(c!)], {
          reverse: true,
        });
        return [dx, dys];
      },
    ),
    jax: "lambda x, ys: x * jnp.prod(ys, 0)",
    out: "a",
  },
  "in a scan in a remat": {
    inputs: [f32("a", small), f32("t a", small)],
    run: (x, ys) =>
      remat((p: Tensor, q: Tensor) => scan("t", p, q, (c: Tensor, y: Tensor) => [doubled(c, y).sin(), []])[0])(x, ys),
    jax: `lambda x, ys: lax.scan(lambda c, y: (jnp.sin(${DOUBLED}(c, y)), None), x, ys)[0]`,
    out: "a",
    derivatives: 1,
  },
  "a captured tensor through which no gradient flows": {
    inputs: [f32("a", small), f32("a", small)],
    run: (x, y) => {
      const fixed = stopGradient(y) as Tensor;
      return customVjp(
        (z: Tensor) => [z.mul(fixed), z],
        (_: Tensor, ct: Tensor) => [ct.mul(fixed)],
      )(x);
    },
    jax: "lambda x, y: x * lax.stop_gradient(y)",
    out: "a",
  },
});

agrees("stopGradient", {
  "in the middle": {
    inputs: [f32("a", small), f32("a", small)],
    run: (x, y) => stopGradient(x.sin()).mul(y).add(x),
    jax: "lambda x, y: lax.stop_gradient(jnp.sin(x)) * y + x",
    out: "a",
  },
  "of a tree": {
    inputs: [f32("a", small)],
    run: (x) => {
      const { p, q } = stopGradient({ p: x.sin(), q: [x.mul(2)] });
      return where(x.gt(0), p.mul(x), q[0]!.mul(x));
    },
    jax: "lambda x: jnp.where(x > 0, lax.stop_gradient(jnp.sin(x)) * x, lax.stop_gradient(x * 2) * x)",
    out: "a",
  },
});
