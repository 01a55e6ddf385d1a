import { elementwise } from "./harness.js";

elementwise("log", { kinds: ["float", "complex"], jax: "lax.log", tolerance: {} });
