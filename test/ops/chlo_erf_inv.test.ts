import { elementwise } from "./harness.js";

elementwise("erfInv", { kinds: ["float"], jax: "lax.erf_inv", tolerance: {} });
