import { ops } from "../../ops/hlo/index.js";
import { misbranch } from "./branches.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

// A number that is no branch's runs the last; JAX would run the nearest.
const use = anyShape().map(
  (shape): Use => ({
    inputs: [
      { shape: [], dtype: "i32" },
      { shape, dtype: "f32" },
      { shape, dtype: "f32" },
    ],
    build: (b, i, x, y) =>
      b.case(i!, [
        b.nested([], (c) => [c.multiply(x!, y!)]),
        b.nested([], (c) => [c.negate(y!)]),
        b.nested([], () => [x!]),
      ]),
    jax: "lambda i, x, y: lax.switch(jnp.where((i < 0) | (i > 2), 2, i), [lambda: x * y, lambda: -y, lambda: x])",
    values: [
      { min: -1, max: 3 },
      { min: -3, max: 3 },
      { min: -3, max: 3 },
    ],
    gradient: [1, 2],
  }),
);
agrees("case", use, { uses: 4 });

refuses(ops.case, {
  I1: [misbranch(ops.case, "i64", [{}, {}]), misbranch(ops.case, "1xi32", [{}, {}])],
  C1: misbranch(ops.case, "i32", [], []),
  C2: misbranch(ops.case, "i32", [{}, { args: ["i32"] }, {}]),
  C3: [misbranch(ops.case, "i32", [{}, {}, { gives: ["i32"] }]), misbranch(ops.case, "i32", [{}, { gives: [] }])],
  C4: [misbranch(ops.case, "i32", [{}, {}], ["f16"]), misbranch(ops.case, "i32", [{}, {}], [])],
});
