import { elementwise } from "./harness.js";

elementwise("square", { kinds: ["float", "complex"], jax: "lax.square" });
