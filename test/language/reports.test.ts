/** What layers report beside their results, through scan, remat and cond; grouped products. */

import { mapLeaves } from "../../compiler/tree.js";
import { cond, remat, scan } from "../../ops/control.js";
import { groupedDot, ones, scalar, zeros } from "../../ops/functions.js";
import { zeros as zeroInit } from "../../ops/initializers.js";
import { Module, param, Stack, withPaths } from "../../ops/module.js";
import { collect, report } from "../../ops/report.js";
import type { Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { agrees, type Case, f32, i32 } from "./harness.js";

const small = { min: -1, max: 1 };

/** A layer that adds a loss and says a figure. */
const layer = (c: Tensor, x: Tensor): Tensor => {
  const y = c.mul(x).tanh();
  report.loss("size", y.square().sum("h") as never, 0.5);
  report.metric("total", y.sum("h"));
  return y;
};
const reported = (run: (h: Tensor, xs: Tensor) => Tensor, more: Partial<Case> = {}): Case => ({
  inputs: [f32("h", small), f32("t h", small)],
  run: (h, xs) => {
    const [out, { losses, metrics }] = collect(() => run(h, xs));
    return [losses.reduce((a, b) => a.add(b), scalar(0)), metrics.size, metrics.total, out];
  },
  jax: `lambda h, xs: (lambda ys: [0.5 * (ys[1] ** 2).sum(), (ys[1] ** 2).sum(1), ys[1].sum(1), ys[0]])(lax.scan(lambda c, x: (jnp.tanh(c * x),) * 2, h, xs))`,
  out: ["", "t", "t", "h"],
  ...more,
});

agrees("reports", {
  "from a scan": reported((h, xs) => scan("t", h, xs, (c: Tensor, x: Tensor) => [layer(c, x), []])[0]),
  "from a scan that is rematerialized": reported(
    (h, xs) => scan("t", h, xs, (c: Tensor, x: Tensor) => [remat(layer)(c, x), []])[0],
  ),
  "from a scan written out": reported(
    (h, xs) => scan("t", h, xs, (c: Tensor, x: Tensor) => [layer(c, x), []], { unroll: true })[0],
  ),
  "from a branch": {
    inputs: [f32("h", small), i32("", { min: 0, max: 1 })],
    run: (h, go) => {
      const [out, { losses }] = collect(() =>
        cond(
          go.eq(1),
          () => layer(h, h),
          () => h.sin(),
        ),
      );
      return [losses[0], out];
    },
    jax: "lambda h, go: (lambda y: [go * 0.5 * (y ** 2).sum(), jnp.where(go == 1, y, jnp.sin(h))])(jnp.tanh(h * h))",
    out: ["", "h"],
  },
});

class Counting extends Module {
  readonly count = param({ unit: 2 }, zeroInit);
  readonly other = param({ unit: 3 }, zeroInit);
  call(x: Tensor<"unit">): Tensor<"unit"> {
    report.metric("mean", x.mean("unit"));
    report.update(this, this.count, this.count.add(x));
    return x.mul(2);
  }
}

test("reports have the path of their module, and an axis more in a stack", async () => {
  const { metrics, updates } = await evaluate(() => {
    const declared = withPaths({ blocks: new Stack({ layers: 3 }, () => new Counting()) });
    const { blocks } = mapLeaves(declared, (leaf) => zeros((leaf as Tensor).sizes));
    return collect(() => blocks.scan(ones({ unit: 2 }), (block, x) => block.call(x)))[1];
  });
  expect(Object.keys(metrics)).toEqual(["blocks/mean"]);
  expect((metrics["blocks/mean"] as Tensor).toArray()).toEqual([1, 2, 4]);
  expect((updates["blocks/count"] as Tensor).toArray()).toEqual([
    [1, 1],
    [2, 2],
    [4, 4],
  ]);
});

test("an update must fit its parameter", () =>
  expect(
    evaluate(() => {
      const module = new Counting();
      report.update(module, module.other as Tensor, zeros({ unit: 2 }));
      return scalar(0);
    }),
  ).rejects.toThrow(/the parameter \(unit 3\) f32 is "other", and its next value \(unit 2\) f32/));

const inGroups =
  "lambda g, n: (jnp.arange(n)[:, None] >= jnp.cumsum(g) - g) & (jnp.arange(n)[:, None] < jnp.cumsum(g))";
agrees("groupedDot", {
  "over one axis": {
    inputs: [f32("row:7 k"), f32("g:3 k n"), i32("g:3", { min: 0, max: 3 })],
    run: (x, w, sizes) => groupedDot(x, w, sizes, "row", "k"),
    jax: `lambda x, w, g: jnp.einsum("rg,rk,gkn->rn", (${inGroups})(g, 7).astype(x.dtype), x, w)`,
    out: "row n",
    also: ["bf16"],
  },
  "over two axes, with one behind the rows": {
    inputs: [f32("k row:5 m l"), f32("n l g:4 k"), i32("g:4", { min: 0, max: 2 })],
    run: (x, w, sizes) => groupedDot(x, w, sizes, "row", ["l", "k"]),
    jax: `lambda x, w, g: jnp.einsum("rg,krml,nlgk->rmn", (${inGroups})(g, 5).astype(x.dtype), x, w)`,
    out: "row m n",
  },
  "with groups of their own by place, and a batch": {
    inputs: [f32("row:6 b p k"), f32("b g:3 k n"), i32("g:3 p", { min: 0, max: 3 })],
    run: (x, w, sizes) => groupedDot(x, w, sizes, "row", "k"),
    jax: `lambda x, w, g: jnp.einsum("prg,rbpk,bgkn->bprn", jax.vmap(lambda s: (${inGroups})(s, 6), 1)(g).astype(x.dtype), x, w)`,
    out: "b p row n",
  },
});
