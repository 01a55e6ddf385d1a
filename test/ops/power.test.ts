import { agreesElementwise, elementwise } from "./harness.js";

// JAX's `pow` takes no integers: theirs is numpy's, for exponents that are not negative.
elementwise("power", {
  operands: 2,
  kinds: ["integer", "float", "complex"],
  except: ["i8", "i32", "i64", "ui8", "ui32", "ui64"],
  jax: "lax.pow",
  tolerance: {},
});
agreesElementwise("power", { operands: 2, kinds: ["integer"], jax: "jnp.power", values: [{}, { min: 0, max: 5 }] });
