import { elementwise } from "./harness.js";

// What the remainder of complex numbers is, the specification leaves open.
elementwise("remainder", {
  operands: 2,
  kinds: ["integer", "float", "complex"],
  except: ["complex<f32>", "complex<f64>"],
  jax: "lax.rem",
});
