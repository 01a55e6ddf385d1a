import { elementwise } from "./harness.js";

elementwise("digamma", { kinds: ["float"], jax: "lax.digamma", tolerance: {} });
