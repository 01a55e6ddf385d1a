import { elementwise } from "./harness.js";

elementwise("and", { operands: 2, kinds: ["boolean", "integer"], jax: "lax.bitwise_and" });
