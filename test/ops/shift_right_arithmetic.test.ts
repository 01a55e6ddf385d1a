import { elementwise } from "./harness.js";

elementwise("shiftRightArithmetic", { operands: 2, kinds: ["integer"], jax: "lax.shift_right_arithmetic" });
