import { ops } from "../../ops/hlo/index.js";
import { agreesElementwise, refuses } from "./harness.js";

agreesElementwise("complex", { operands: 2, kinds: ["float"], except: ["bf16", "f16"], jax: "lax.complex" });
refuses(ops.complex, {
  I1: { operands: ["2xf16", "2xf16"], results: ["2xcomplex<f32>"] },
  I2: { operands: ["2xf32", "2xi32"], results: ["2xcomplex<f32>"] },
  O1: { operands: ["2xf32", "2xf32"], results: ["2xf32"] },
  C1: { operands: ["2xf32", "2xf64"], results: ["2xcomplex<f32>"] },
  C2: { operands: ["2xf32", "2xf32"], results: ["3xcomplex<f32>"] },
  C3: { operands: ["2xf32", "2xf32"], results: ["2xcomplex<f64>"] },
});
