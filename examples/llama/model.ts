/**
 * A decoder as Llama's (Touvron et al., 2023, arXiv:2302.13971): RMSNorm, rotary positions, groups of heads that share keys and
 * values, a gated feed-forward layer, no biases. Its block is written out here, of the library's layers.
 */
import {
  Attention,
  type AttentionCallOptions,
  defineModel,
  Embedding,
  GatedMlp,
  type Hidden,
  initializers,
  iota,
  type KvCache,
  LanguageModel,
  Linear,
  llamaHuggingFace,
  Module,
  RmsNorm,
  type RunOptions,
  Stack,
  type Tensor,
} from "xenarc";
import { z } from "zod";

const schema = z
  .strictObject({
    /** Longest sequence. */
    context: z.int().positive().default(128),
    vocab: z.int().positive().default(256),
    layers: z.int().positive().default(4),
    heads: z.int().positive().default(4),
    /** Heads of keys and values. */
    kvHeads: z.int().positive().default(2),
    /** Width of the residual stream. */
    embed: z.int().positive().default(128),
    /** Width inside the feed-forward layer. */
    mlp: z.int().positive().default(352),
    /** Base of the rotary positions' wavelengths. */
    theta: z.number().positive().default(10_000),
    dtype: z.enum(["f32", "bf16"]).default("f32"),
    remat: z.enum(["everything", "nothing"]).default("everything"),
  })
  .refine(({ embed, heads }) => embed % heads === 0, { path: ["heads"], message: "heads must divide embed" })
  .refine(({ heads, kvHeads }) => heads % kvHeads === 0, { path: ["kvHeads"], message: "kvHeads must divide heads" });

type Config = z.infer<typeof schema>;
type Stream = Tensor<"batch" | "seq" | "embed">;

class Block extends Module {
  readonly attentionNorm: RmsNorm<"embed">;
  readonly attention: Attention;
  readonly mlpNorm: RmsNorm<"embed">;
  readonly mlp: GatedMlp;

  constructor({ embed, heads, kvHeads, mlp, theta, layers }: Config) {
    super();
    const init = initializers.normal(0.02);
    const outputInit = initializers.normal(0.02 / Math.sqrt(2 * layers));
    this.attentionNorm = new RmsNorm({ embed });
    this.attention = new Attention({ embed, heads, kvHeads }, { bias: false, init, outputInit, rotary: theta });
    this.mlpNorm = new RmsNorm({ embed });
    this.mlp = new GatedMlp({ embed }, { mlp }, { init, outputInit });
  }

  call(x: Stream, places: AttentionCallOptions): [Stream, KvCache] {
    const [attended, seen] = this.attention.call<"batch">(this.attentionNorm.call(x), places);
    const h = x.add(attended);
    return [h.add(this.mlp.call(this.mlpNorm.call(h))), seen];
  }
}

class Llama extends LanguageModel {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: RmsNorm<"embed">;
  readonly head: Linear<"embed", "vocab">;

  constructor(readonly config: Config) {
    super();
    const { layers, embed, vocab, remat } = config;
    const init = initializers.normal(0.02);
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.blocks = new Stack({ layers }, () => new Block(config), { remat });
    this.norm = new RmsNorm({ embed });
    this.head = new Linear({ embed }, { vocab }, { bias: false, init });
  }

  run(tokens: Tensor<"batch" | "seq">, { positions, segments, cache }: RunOptions = {}): Hidden {
    const at = positions ?? iota({ seq: tokens.size("seq") });
    const x = this.tokens.call(tokens, this.config.dtype);
    const [h, stacked] = this.blocks.scanWith(x, { cache: cache?.blocks }, (block, h, layer) =>
      block.call(h, { positions: at, segments, cache: layer.cache }),
    );
    return { hidden: this.norm.call(h), cache: { blocks: stacked } };
  }

  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }
}

export default defineModel({
  name: "llama",
  config: schema,
  build: (c) => new Llama(c),
  // Its parameters are called as the library's Llama's are: `xenarc export` writes what transformers opens.
  huggingFace: (c) => llamaHuggingFace({ ...c, epsilon: 1e-5 }),
});
