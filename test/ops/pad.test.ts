import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { dtypes, forEach } from "./draw.js";
import { agrees, anyShape, refuses, type Use } from "./harness.js";

const use = anyShape({}, { min: 0, max: 4 }).chain((shape) => {
  const edges = (n: number) => fc.tuple(fc.integer({ min: -n, max: 3 }), fc.integer({ min: -n, max: 3 }), fc.nat(2));
  return fc.tuple(fc.constantFrom(...dtypes.any), forEach(shape, edges)).map(([dtype, drawn]): Use => {
    // Never less than nothing is left.
    const whole = shape.map((n, d) => n + Math.max(n - 1, 0) * drawn[d]![2]);
    const paddings = drawn.map(
      ([low, high, interior], d) => [low, Math.max(high, -whole[d]! - low), interior] as const,
    );
    const [low, high, interior] = ([0, 1, 2] as const).map((i) => paddings.map((p) => p[i]!));
    return {
      inputs: [
        { shape, dtype },
        { shape: [], dtype },
      ],
      build: (b, x, value) => b.pad(x!, value!, low!, high!, interior),
      jax: `lambda x, value: lax.pad(x, value, [${paddings.map((p) => `(${p})`)}])`,
    };
  });
});
agrees("pad", use, { uses: 4 });

const by = (low: number[], high: number[], interior: number[]) => ({
  attrs: { low, high, interior },
  mlir: `edge_padding_low = array<i64: ${low}>, edge_padding_high = array<i64: ${high}>, interior_padding = array<i64: ${interior}>`,
});
refuses(ops.pad, {
  I2: { operands: ["4x6xf32", "1xf32"], results: ["5x7xf32"], ...by([1, 1], [0, 0], [0, 0]) },
  C1: [
    { operands: ["4x6xf32", "f16"], results: ["5x7xf32"], ...by([1, 1], [0, 0], [0, 0]) },
    { operands: ["4x6xf32", "f32"], results: ["5x7xf16"], ...by([1, 1], [0, 0], [0, 0]) },
  ],
  C2: [
    { operands: ["4x6xf32", "f32"], results: ["5x7xf32"], ...by([1], [0, 0], [0, 0]) },
    { operands: ["4x6xf32", "f32"], results: ["5x7xf32"], ...by([1, 1], [0, 0, 0], [0, 0]) },
    { operands: ["4x6xf32", "f32"], results: ["5x7xf32"], ...by([1, 1], [0, 0], [0]) },
  ],
  C3: { operands: ["4x6xf32", "f32"], results: ["1x7xf32"], ...by([0, 1], [0, 0], [-1, 0]) },
  C4: [
    { operands: ["4x6xf32", "f32"], results: ["5x6xf32"], ...by([1, 1], [0, 0], [0, 0]) },
    { operands: ["4x6xf32", "f32"], results: ["0x6xf32"], ...by([-3, 0], [-3, 0], [0, 0]) },
  ],
});
