/** What the editor shows under the cursor: `^?` points to a name in the line above it. Nothing here runs. */
import { dot, grad, Linear, Module, param, random, scan, softmax, type Tensor, topK } from "xenarc";
import { normal } from "../../../ops/initializers.js";

declare const x: Tensor<"batch" | "seq" | "embed">;

export function hover(weight: Tensor<"embed" | "mlp">): void {
  const hidden = dot(x, weight, "embed");
  //    ^? const hidden: Tensor<"batch" | "seq" | "mlp">
  const loss = softmax(hidden, "mlp").mean(["batch", "seq", "mlp"]);
  //    ^? const loss: Tensor<never>
  const keys = x.rename("seq", "key");
  //    ^? const keys: Tensor<"batch" | "embed" | "key">
  const heads = new Linear({ embed: 64 }, { heads: 4, headDim: 16 }).call(x);
  //    ^? const heads: Tensor<"batch" | "seq" | "heads" | "headDim">
  const [carry, outputs] = scan("seq", x.at("seq", 0), x, (c, row) => [c.add(row), { row, sum: row.sum("embed") }]);
  //     ^? const carry: Tensor<"batch" | "embed">
  //            ^? const outputs: { row: Tensor<"batch" | "seq" | "embed">; sum: Tensor<"batch" | "seq">; }
  const { values } = topK(x, "embed", { choice: 2 });
  //      ^? const values: Tensor<"batch" | "seq" | "choice">
  class Params extends Module {
    readonly weight = param({ embed: 3 }, normal(1));
    //       ^? (property) Params.weight: Tensor<"embed">
  }
  const gradient = grad((p: Params) => p.weight.square().sum("embed"))(new Params());
  //    ^? const gradient: Params
  const key = random.key(0);
  //    ^? const key: random.Key
  const noise = random.normal(key, { batch: 2, embed: 3 });
  //    ^? const noise: Tensor<"batch" | "embed">
  const wrong = x.rename("seq", "batch");
  //    ^? const wrong: AxisError<"rename: the tensor has an axis batch already">
  void [loss, keys, heads, carry, outputs, values, gradient, noise, wrong];
}
