import { elementwise } from "./harness.js";

elementwise("logistic", { kinds: ["float", "complex"], jax: "lax.logistic", tolerance: {} });
