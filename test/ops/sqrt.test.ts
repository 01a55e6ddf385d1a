import { elementwise } from "./harness.js";

elementwise("sqrt", { kinds: ["float", "complex"], jax: "lax.sqrt", tolerance: {} });
