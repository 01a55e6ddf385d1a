import { elementwise } from "./harness.js";

elementwise("nextAfter", { operands: 2, kinds: ["float"], jax: "lax.nextafter", gradient: false });
