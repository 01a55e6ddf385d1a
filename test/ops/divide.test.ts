import { elementwise } from "./harness.js";

elementwise("divide", {
  operands: 2,
  kinds: ["integer", "float", "complex"],
  jax: "lax.div",
  gradientValues: { min: -3, max: 3 },
});
