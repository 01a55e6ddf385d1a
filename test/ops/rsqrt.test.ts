import { elementwise } from "./harness.js";

elementwise("rsqrt", { kinds: ["float", "complex"], jax: "lax.rsqrt", tolerance: {} });
