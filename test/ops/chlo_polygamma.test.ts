import { elementwise } from "./harness.js";

elementwise("polygamma", { operands: 2, kinds: ["float"], jax: "lax.polygamma", gradient: [1], tolerance: {} });
