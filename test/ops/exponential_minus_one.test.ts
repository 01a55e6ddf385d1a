import { elementwise } from "./harness.js";

elementwise("exponentialMinusOne", { kinds: ["float", "complex"], jax: "lax.expm1", tolerance: {} });
