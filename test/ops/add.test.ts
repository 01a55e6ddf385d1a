import { elementwise } from "./harness.js";

elementwise("add", { operands: 2, kinds: ["boolean", "integer", "float", "complex"], jax: "jnp.add" });
