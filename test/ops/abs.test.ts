import { ops } from "../../ops/hlo/index.js";
import { agreesElementwise, refuses } from "./harness.js";

agreesElementwise("abs", { kinds: ["signed", "float", "complex"], jax: "lax.abs" });
refuses(ops.abs, {
  I1: [
    { operands: ["2xui32"], results: ["2xui32"] },
    { operands: ["2xi1"], results: ["2xi1"] },
  ],
  O1: { operands: ["2xcomplex<f32>"], results: ["2xcomplex<f32>"] },
  C1: { operands: ["2xf32"], results: ["3xf32"] },
  C2: [
    { operands: ["2xf32"], results: ["2xf64"] },
    { operands: ["2xcomplex<f64>"], results: ["2xf32"] },
  ],
});
