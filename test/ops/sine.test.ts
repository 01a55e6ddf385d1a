import { elementwise } from "./harness.js";

elementwise("sine", { kinds: ["float", "complex"], jax: "lax.sin", tolerance: {} });
