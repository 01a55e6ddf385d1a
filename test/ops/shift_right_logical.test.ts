import { elementwise } from "./harness.js";

elementwise("shiftRightLogical", { operands: 2, kinds: ["integer"], jax: "lax.shift_right_logical" });
