import { elementwise } from "./harness.js";

elementwise("floor", { kinds: ["float"], jax: "lax.floor" });
