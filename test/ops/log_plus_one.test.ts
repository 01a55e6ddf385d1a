import { elementwise } from "./harness.js";

elementwise("logPlusOne", { kinds: ["float", "complex"], jax: "lax.log1p", tolerance: {} });
