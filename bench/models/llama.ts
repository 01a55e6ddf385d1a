/** The Llama-shaped decoder that bench/jax/llama.py describes in JAX: RMSNorm, rotary positions, grouped queries, SwiGLU, untied head. */

import {
  Block,
  defineModel,
  Embedding,
  type Hidden,
  initializers,
  iota,
  LanguageModel,
  Linear,
  RmsNorm,
  type RunOptions,
  Stack,
  type Tensor,
} from "xenarc";
import { z } from "zod";

const config = z.strictObject({
  context: z.int().positive().default(2048),
  vocab: z.int().positive().default(32_000),
  layers: z.int().positive().default(32),
  heads: z.int().positive().default(32),
  kvHeads: z.int().positive().default(8),
  embed: z.int().positive().default(4096),
  mlp: z.int().positive().default(11_008),
  theta: z.number().positive().default(10_000),
});

class Llama extends LanguageModel {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: RmsNorm<"embed">;
  readonly head: Linear<"embed", "vocab">;

  constructor({ layers, heads, kvHeads, embed, mlp, vocab, theta }: z.infer<typeof config>) {
    super();
    const init = initializers.normal(0.02);
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.blocks = new Stack(
      { layers },
      () =>
        new Block({ embed, heads, kvHeads, mlp, bias: false, init, norm: "rms", feedForward: "swiglu", rotary: theta }),
      { remat: "nothing" },
    );
    this.norm = new RmsNorm({ embed });
    this.head = new Linear({ embed }, { vocab }, { bias: false, init });
  }

  run(tokens: Tensor<"batch" | "seq">, { positions, cache }: RunOptions = {}): Hidden {
    const at =
      positions ??
      iota({ seq: tokens.size("seq") })
        .broadcast({ batch: tokens.size("batch") })
        .ordered(["batch", "seq"]);
    const embedded = this.tokens.call(tokens).cast("bf16");
    const [h, stacked] = this.blocks.scanWith(embedded, { cache: cache?.blocks }, (block, h, layer) =>
      block.call(h, { positions: at, cache: layer.cache }),
    );
    return { hidden: this.norm.call(h), cache: { blocks: stacked } };
  }

  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }
}

export default defineModel({ name: "llama", config, build: (c) => new Llama(c) });
