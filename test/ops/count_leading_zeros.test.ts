import { elementwise } from "./harness.js";

elementwise("countLeadingZeros", { kinds: ["integer"], jax: "lax.clz" });
