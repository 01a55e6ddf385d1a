/** `xenarc train --anomaly` on a mesh: the operation, at its line of the model. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { folder, SLOW, TEXT, xenarc } from "./command.js";

/** A language model whose layers take the logarithm of numbers of which some are negative. */
const MODEL = `import { defineModel, Embedding, initializers, LanguageModel, Linear, Module, param, Stack, type Tensor } from "xenarc";
import { z } from "zod";

class Layer extends Module {
  readonly mix = new Linear({ embed: 8 }, { mlp: 8 });
  readonly gain = param({ embed: 8 }, initializers.normal(0.02));
  call(x: Tensor<"batch" | "seq" | "embed">) {
    const scale = this.gain.log();
    return x.add(this.mix.call<"batch" | "seq">(x).rename("mlp", "embed").mul(scale));
  }
}

class Model extends LanguageModel<object> {
  readonly tokens = new Embedding({ vocab: 256 }, { embed: 8 });
  readonly blocks = new Stack({ layers: 3 }, () => new Layer());
  readonly head = new Linear({ embed: 8 }, { vocab: 256 });
  run(tokens: Tensor<"batch" | "seq">) {
    return { hidden: this.blocks.scan(this.tokens.call(tokens), (layer, x) => layer.call(x)), cache: {} };
  }
  logits<A extends string>(hidden: Tensor<A | "embed">) {
    return this.head.call<A>(hidden);
  }
}

export default defineModel({
  name: "wrong",
  config: z.strictObject({ context: z.int().default(8) }),
  build: () => new Model(),
});
`;

test(
  "the first operation that made a NaN is named at its line, on a mesh and in micro-batches",
  async () => {
    const cwd = folder({ "model.ts": MODEL, "text.txt": TEXT, "package.json": '{ "type": "module" }' });
    const settings = ["target=cpu:4", "mesh.data=2", "mesh.tensor=2", "train.accumulation=2", "train.batch=2"];
    const { code, out, err } = await xenarc(
      { cwd },
      ...["train", "model.ts", "--anomaly", "-d", "text.txt", "train.steps=4", ...settings],
    );
    expect(err).toContain("Step 1 is bad: the loss is not finite");
    expect(code).toBe(1);
    expect(out).toContain("warning: Step 1: the first NaN was made by `log`: the logarithm of a negative number.");
    expect(out).toContain("in blocks, accumulation 0 (of 2, from 0), layers 0 (of 3, from 0), in the forward pass");
    expect(out).toMatch(/\n {2}model\.ts:8:29\n/);
    expect(out).toContain("\n  >  8 |     const scale = this.gain.log();");
    const [found] = readFileSync(join(cwd, "runs/wrong/anomalies.jsonl"), "utf8").trim().split("\n");
    expect(JSON.parse(found!)).toMatchObject({
      step: 1,
      anomalies: [
        { kind: "nan", operation: "log", module: "blocks", backward: false, lines: [{ path: "model.ts", line: 8 }] },
      ],
    });
  },
  SLOW,
);
