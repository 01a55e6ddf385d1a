/** Which module a program's operations belong to, against the products of its matrices. */
import { flopsByModule } from "../../compiler/plan/modules.js";
import { compile } from "../../emit/compile.js";
import charTransformer from "../../models/char_transformer.js";

test("operations by module are those of its products, by loops' lengths, and together all of them", async () => {
  const [layers, embed, batch] = [3, 16, 2];
  const model = { layers, heads: 2, embed, context: 12, bias: false };
  const made = await compile(charTransformer, { model, generate: { batch } }, { only: ["decode_step"] });
  const { program } = made.program("decode_step");
  const flops = flopsByModule(program);
  // A multiplication and an addition for each weight, of one token of each sequence.
  const products = { "blocks/attention/query": embed, "blocks/mlp/up": 4 * embed, "blocks/mlp/down": 4 * embed };
  for (const [path, width] of Object.entries(products))
    expect(flops.get(path)).toBe(2 * batch * layers * embed * width);
  expect(flops.get("head")).toBe(2 * batch * embed * 256);
  const sum = [...flops.values()].reduce((a, b) => a + b, 0);
  expect(sum / program.cost.flops).toBeCloseTo(1, 9);
});
