import { elementwise } from "./harness.js";

elementwise("roundNearestEven", {
  kinds: ["float"],
  jax: "lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)",
});
