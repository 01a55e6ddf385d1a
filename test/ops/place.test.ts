import fc from "fast-check";
import type { Memory } from "../../compiler/ir.js";
import { agrees, type Use } from "./harness.js";

const use = fc.constantFrom<Memory>("device", "pinned_host").map(
  (memory): Use => ({
    inputs: [{ shape: [2, 3], dtype: "f32" }],
    // What a program returns lies on the device.
    build: (b, x) => b.place(b.place(x!, memory), "device"),
    jax: "lambda x: x",
  }),
);
agrees("place", use, { runs: 2 });
