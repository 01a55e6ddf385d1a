import { elementwise } from "./harness.js";

elementwise("subtract", { operands: 2, kinds: ["integer", "float", "complex"], jax: "lax.sub" });
