import { elementwise } from "./harness.js";

elementwise("atan2", { operands: 2, kinds: ["float", "complex"], jax: "lax.atan2", tolerance: {} });
