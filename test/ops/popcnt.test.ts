import { elementwise } from "./harness.js";

elementwise("popcnt", { kinds: ["integer"], jax: "lax.population_count" });
