import { elementwise } from "./harness.js";

elementwise("multiply", { operands: 2, kinds: ["boolean", "integer", "float", "complex"], jax: "jnp.multiply" });
