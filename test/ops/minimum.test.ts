import { elementwise } from "./harness.js";

elementwise("minimum", { operands: 2, kinds: ["boolean", "integer", "float", "complex"], jax: "lax.min" });
