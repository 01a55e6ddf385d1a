import fc from "fast-check";
import type { DType, Value } from "../../compiler/ir.js";
import type { HloBuilder } from "../../ops/hlo/index.js";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, DTYPES, refuses, type Use } from "./harness.js";

const dtypes: DType[] = [...DTYPES.integer, ...DTYPES.float];
const use = (dtype: DType) =>
  fc
    .record({ shape: anyShape(), scalarMin: fc.boolean(), scalarMax: fc.boolean() })
    .map(({ shape, scalarMin, scalarMax }): Use => {
      const bound = (scalar: boolean) => ({ shape: scalar ? [] : shape, dtype });
      return {
        inputs: [bound(scalarMin), { shape, dtype }, bound(scalarMax)],
        build: (b: HloBuilder, min: Value, x: Value, max: Value) => b.clamp(min, x, max),
        // JAX differentiates by a scalar bound only when it has been broadcast.
        jax: "lambda min, x, max: lax.clamp(jnp.broadcast_to(min, x.shape), x, jnp.broadcast_to(max, x.shape))",
      };
    });
agrees("clamp", fc.tuple(...dtypes.map(use)));

refuses(ops.clamp, {
  C1: { operands: ["3xf32", "2xf32", "f32"], results: ["2xf32"] },
  C2: { operands: ["f32", "2xf32", "1xf32"], results: ["2xf32"] },
  C3: [
    { operands: ["f64", "2xf32", "f32"], results: ["2xf32"] },
    { operands: ["f32", "2xf32", "i32"], results: ["2xf32"] },
  ],
  C4: { operands: ["f32", "2xf32", "f32"], results: ["3xf32"] },
});
