import { elementwise } from "./harness.js";

elementwise("or", { operands: 2, kinds: ["boolean", "integer"], jax: "lax.bitwise_or" });
