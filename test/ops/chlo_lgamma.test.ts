import { elementwise } from "./harness.js";

elementwise("lgamma", { kinds: ["float"], jax: "lax.lgamma", tolerance: {} });
