import { elementwise } from "./harness.js";

elementwise("shiftLeft", { operands: 2, kinds: ["integer"], jax: "lax.shift_left" });
