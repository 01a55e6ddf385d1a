import { elementwise } from "./harness.js";

elementwise("sign", { kinds: ["signed", "float", "complex"], jax: "lax.sign" });
