import { elementwise } from "./harness.js";

elementwise("negate", { kinds: ["integer", "float", "complex"], jax: "lax.neg" });
