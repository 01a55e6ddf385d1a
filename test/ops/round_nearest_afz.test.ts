import { elementwise } from "./harness.js";

elementwise("roundNearestAfz", { kinds: ["float"], jax: "lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO)" });
