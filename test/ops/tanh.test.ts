import { elementwise } from "./harness.js";

elementwise("tanh", { kinds: ["float", "complex"], jax: "lax.tanh", tolerance: {} });
