import { lower } from "../../emit/lower.js";
import { Linear } from "../../models/layers/index.js";
import { valueAndGrad } from "../../ops/control.js";
import { spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { evaluationWorker } from "../../runtime-bridge/evaluate.js";

test("a function of trees of tensors is a program that MLIR verifies, with the author's names", async () => {
  const loss = (layer: Linear<"embed", "out">, x: Tensor<"batch" | "embed">) => {
    const scores = layer.call(x);
    return scores.square().mean(["batch", "out"]);
  };
  const text = await lower(valueAndGrad(loss), new Linear({ embed: 3 }, { out: 4 }), spec({ batch: 2, embed: 3 }));
  expect(text).toContain("%_0.weight: tensor<3x4xf32>");
  expect(text).toMatch(/%scores\S* = stablehlo\./);
  const worker = await evaluationWorker();
  expect(await worker.verify(text)).toBeUndefined();
});
