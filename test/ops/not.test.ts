import { elementwise } from "./harness.js";

elementwise("not", { kinds: ["boolean", "integer"], jax: "lax.bitwise_not" });
