import { elementwise } from "./harness.js";

elementwise("tan", { kinds: ["float", "complex"], jax: "lax.tan", tolerance: {} });
