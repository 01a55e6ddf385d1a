import { elementwise } from "./harness.js";

elementwise("exponential", { kinds: ["float", "complex"], jax: "lax.exp", tolerance: {} });
