import { elementwise } from "./harness.js";

elementwise("maximum", { operands: 2, kinds: ["boolean", "integer", "float", "complex"], jax: "lax.max" });
