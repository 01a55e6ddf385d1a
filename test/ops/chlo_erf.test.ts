import { elementwise } from "./harness.js";

elementwise("erf", { kinds: ["float"], jax: "lax.erf", tolerance: {} });
