import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, someOf, tuple } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape({ max: 4 }, { min: 0, max: 4 }).chain((shape) =>
  fc
    .tuple(fc.constantFrom(...dtypes.any), someOf(shape.length, { min: shape.length }), fc.nat(4))
    .map(([dtype, order, one]): Use => {
      // The sizes in another order, two of them merged, and a dimension of one more.
      const [p = 1, q = 1, ...rest] = order.map((d) => shape[d]!);
      const to = [p * q, ...rest];
      to.splice(one % (to.length + 1), 0, 1);
      return {
        inputs: [{ shape, dtype }],
        build: (b, x) => b.reshape(x!, to),
        jax: `lambda x: lax.reshape(x, ${tuple(to)})`,
      };
    }),
);
agrees("reshape", use, { uses: 4 });

refuses(ops.reshape, {
  C1: { operands: ["2x3xf32"], results: ["3x2xf16"] },
  C2: { operands: ["2x3xf32"], results: ["4x2xf32"] },
});
