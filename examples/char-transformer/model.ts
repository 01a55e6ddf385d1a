/** The character-level transformer: bytes, sinusoidal positions, pre-LayerNorm causal blocks, cross-entropy. */
import {
  Block,
  defineModel,
  Embedding,
  type Hidden,
  initializers,
  iota,
  LanguageModel,
  LayerNorm,
  Linear,
  type RunOptions,
  random,
  Stack,
  sinusoidalPositions,
  type Tensor,
} from "xenarc";
import { z } from "zod";

/** The section `model` of the configuration; every key has a default. */
const charTransformerConfig = z.strictObject({
  /** Longest sequence. */
  context: z.int().positive().default(64),
  /** Entries of the vocabulary: bytes. */
  vocab: z.int().positive().default(256),
  /** Blocks of attention and a feed-forward layer, one after the other. */
  layers: z.int().positive().default(4),
  /** Heads of attention, each of the width embed / heads. */
  heads: z.int().positive().default(4),
  /** Width of the residual stream. */
  embed: z.int().positive().default(128),
  /** Width of the feed-forward layer; default four times the residual stream's. */
  mlp: z.int().positive().optional(),
  /** Biases in linear layers and norms. */
  bias: z.boolean().default(true),
  /** The part of either branch's result that is dropped while training. */
  dropout: z.number().min(0).lt(1).default(0),
  /** Element type of the computation; weights are float32. */
  dtype: z.enum(["f32", "bf16"]).default("f32"),
  /** What of a layer is kept for the backward pass: `everything`, `nothing`, or names. */
  remat: z.union([z.enum(["everything", "nothing"]), z.array(z.string())]).default("everything"),
  /** Layers written one after the other instead of a loop. */
  unroll: z.boolean().default(false),
});
/** A resolved configuration of {@link CharTransformer}. */
type CharTransformerConfig = z.infer<typeof charTransformerConfig>;

/**
 * A character-level transformer: embeddings scaled by the square root of the width, sinusoidal positions (Vaswani et al. 2017,
 * "Attention Is All You Need"), pre-LayerNorm causal blocks, a linear head. Tokens `[batch, seq]` are i32, scores `[batch, seq, vocab]`.
 */
class CharTransformer extends LanguageModel {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: LayerNorm<"embed">;
  readonly head: Linear<"embed", "vocab">;

  constructor(readonly config: CharTransformerConfig) {
    super();
    const { layers, heads, embed, vocab, bias, dropout, remat, unroll } = config;
    const init = initializers.normal(0.02);
    const residual = initializers.normal(0.02 / Math.sqrt(2 * layers));
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.blocks = new Stack(
      { layers },
      () => new Block({ embed, heads, mlp: config.mlp ?? 4 * embed, bias, dropout, init, residualInit: residual }),
      { remat, unroll },
    );
    this.norm = new LayerNorm({ embed }, { bias });
    this.head = new Linear({ embed }, { vocab }, { bias, init });
  }

  run(tokens: Tensor<"batch" | "seq">, { positions, segments, cache, key }: RunOptions = {}): Hidden {
    const { embed, dtype, layers } = this.config;
    const at =
      positions ??
      iota({ seq: tokens.size("seq") })
        .broadcast({ batch: tokens.size("batch") })
        .ordered(["batch", "seq"]);
    const embedded = this.tokens.call(tokens).mul(Math.sqrt(embed));
    const x = embedded.add(sinusoidalPositions(at, { embed }));
    const keys = key && this.config.dropout > 0 ? random.split(key(), { layers }) : undefined;
    const [h, stacked] = this.blocks.scanWith(x.cast(dtype), { cache: cache?.blocks, keys }, (block, h, layer) =>
      block.call(h, { positions: at, segments, cache: layer.cache, key: layer.keys }),
    );
    return { hidden: this.norm.call(h), cache: { blocks: stacked } };
  }

  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }
}

export default defineModel({
  name: "char-transformer",
  config: charTransformerConfig,
  build: (c) => new CharTransformer(c),
});
