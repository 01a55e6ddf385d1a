import { elementwise } from "./harness.js";

elementwise("cbrt", {
  kinds: ["float", "complex"],
  jax: "lax.cbrt",
  except: ["complex<f32>", "complex<f64>"],
  tolerance: {},
});
