import fc from "fast-check";
import { Region, type TensorType, type Value } from "../../compiler/ir.js";
import { type HloBuilder, ops } from "../../ops/hlo/index.js";
import { agrees, refuses, type, type Use } from "./harness.js";

const attributes = { causal: true, cap: { value: 2.5, type: "f32" } } as const;

/** `x * sin(y)`, as one operation. */
function scaledSine(b: HloBuilder, x: Parameters<HloBuilder["sine"]>[0], y: typeof x) {
  const body = new Region();
  const [p, q] = [body.arg(x.type), body.arg(y.type)];
  const inner = b.on(body);
  body.results = [inner.multiply(p, inner.sine(q))];
  return b.composite([x, y], body, { name: "xenarc.scaled_sine", attributes })[0]!;
}

const use = fc.constant<Use>({
  inputs: [
    { shape: [2, 3], dtype: "f32" },
    { shape: [2, 3], dtype: "f32" },
  ],
  values: { min: -2, max: 2 },
  build: (b, x, y) => scaledSine(b, x!, y!),
  jax: "lambda x, y: x * jnp.sin(y)",
  tolerance: { rtol: 1e-6, atol: 1e-6 },
});
agrees("composite", use, { runs: 2 });

/** A composite of one operand whose decomposition takes and gives something else. */
const wrong = (name: string, argument: TensorType, result: TensorType, body?: (b: HloBuilder, x: Value) => Value) => ({
  inputs: ["2xf32"],
  emit(b: HloBuilder, x: Value) {
    const region = new Region();
    const inner = region.arg(argument);
    region.results = [body ? body(b.on(region), x) : inner];
    b.emit(ops.composite, [x], { name, attributes: {} }, [result], [region]);
  },
  // A function of the module would have to stand beside it.
  generic: false as const,
});
const [one, other] = [type("2xf32"), type("3xf32")];
refuses(ops.composite, {
  C1: wrong("nothing", one, one),
  C3: wrong("xenarc.test", other, other),
  C4: wrong("xenarc.test", one, other),
  closed: wrong("xenarc.test", one, one, (b, x) => b.sine(x)),
});
