import { elementwise } from "./harness.js";

elementwise("cosine", { kinds: ["float", "complex"], jax: "lax.cos", tolerance: {} });
