import { ops } from "../../ops/hlo/index.js";
import { agreesElementwise, refuses } from "./harness.js";

agreesElementwise("isFinite", { kinds: ["float"], jax: "lax.is_finite" });
refuses(ops.isFinite, {
  I1: { operands: ["2xi32"], results: ["2xi1"] },
  O1: { operands: ["2xf32"], results: ["2xf32"] },
  C1: { operands: ["2xf32"], results: ["3xi1"] },
});
