import { elementwise } from "./harness.js";

elementwise("erfc", { kinds: ["float"], jax: "lax.erfc", tolerance: {} });
