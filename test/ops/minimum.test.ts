import { agreesElementwise, elementwise } from "./harness.js";

elementwise("minimum", {
  operands: 2,
  kinds: ["boolean", "integer", "float", "complex"],
  except: ["complex<f32>", "complex<f64>"],
  jax: "lax.min",
});

// Complex numbers with different real parts: where those are equal, XLA:CPU does not look at the imaginary parts.
const [small, large] = [
  { min: -3, max: 0.5 },
  { min: 1, max: 3 },
];
for (const values of [
  [small, large],
  [large, small],
]) {
  agreesElementwise("minimum", { operands: 2, kinds: ["complex"], jax: "lax.min", values }, { runs: 1 });
}
