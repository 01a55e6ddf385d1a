import { ops } from "../../ops/hlo/index.js";
import { misbranch } from "./branches.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

// Branches see what is around them; one is a branch itself.
const use = anyShape().map(
  (shape): Use => ({
    inputs: [
      { shape: [], dtype: "i1" },
      { shape: [], dtype: "i1" },
      { shape, dtype: "f32" },
      { shape, dtype: "f32" },
    ],
    build: (b, p, q, x, y) =>
      b.if(
        p!,
        b.nested([], (c) => [c.multiply(x!, y!), x!]),
        b.nested([], (c) => {
          const [chosen] = c.if(
            q!,
            c.nested([], (d) => [d.sine(x!)]),
            c.nested([], () => [y!]),
          );
          return [chosen!, c.add(chosen!, chosen!)];
        }),
      ),
    jax: "lambda p, q, x, y: lax.cond(p, lambda: (x * y, x), lambda: (lambda z: (z, z + z))(lax.cond(q, lambda: jnp.sin(x), lambda: y)))",
    values: [undefined, undefined, { min: -3, max: 3 }, { min: -3, max: 3 }],
    tolerance: { rtol: 1e-6, atol: 1e-6 },
    gradient: [2, 3],
  }),
);
agrees("if", use, { uses: 3 });

refuses(ops.if, {
  I1: [misbranch(ops.if, "i32", [{}, {}]), misbranch(ops.if, "2xi1", [{}, {}])],
  C1: [misbranch(ops.if, "i1", [{ args: ["i1"] }, {}]), misbranch(ops.if, "i1", [{}, { args: ["i1"] }])],
  C2: [misbranch(ops.if, "i1", [{}, { gives: ["i32"] }]), misbranch(ops.if, "i1", [{}, { gives: [] }])],
  C3: [misbranch(ops.if, "i1", [{}, {}], ["f16"]), misbranch(ops.if, "i1", [{}, {}], ["f32", "f32"])],
});
