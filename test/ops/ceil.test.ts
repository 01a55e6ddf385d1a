import { elementwise } from "./harness.js";

elementwise("ceil", { kinds: ["float"], jax: "lax.ceil" });
