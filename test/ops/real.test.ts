import { ops } from "../../ops/hlo/index.js";
import { agreesElementwise, refuses } from "./harness.js";

// JAX's `real` takes complex numbers only.
agreesElementwise("real", { kinds: ["complex"], jax: "lax.real" });
agreesElementwise("real", { kinds: ["float"], jax: "jnp.real" });
refuses(ops.real, {
  I1: { operands: ["2xi32"], results: ["2xf32"] },
  O1: { operands: ["2xcomplex<f32>"], results: ["2xcomplex<f32>"] },
  C1: { operands: ["2xcomplex<f32>"], results: ["3xf32"] },
  C2: { operands: ["2xcomplex<f32>"], results: ["2xf64"] },
});
