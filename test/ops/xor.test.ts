import { elementwise } from "./harness.js";

elementwise("xor", { operands: 2, kinds: ["boolean", "integer"], jax: "lax.bitwise_xor" });
