/**
 * A character-level transformer: 256 bytes for a vocabulary, embeddings scaled by the square root of the width, sinusoidal
 * positions (Vaswani et al., 2017), pre-LayerNorm causal blocks with a feed-forward layer of four times the width, a linear head.
 */
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

/** The section `model` of the configuration. Every key has a default. */
const schema = z.strictObject({
  /** Longest sequence. */
  context: z.int().positive().default(64),
  vocab: z.int().positive().default(256),
  layers: z.int().positive().default(4),
  heads: z.int().positive().default(4),
  /** Width of the residual stream; the heads share it. */
  embed: z.int().positive().default(128),
  dropout: z.number().min(0).lt(1).default(0),
  /** Element type of the computation; weights are float32. */
  dtype: z.enum(["f32", "bf16"]).default("f32"),
  /** What of a layer is kept for the backward pass; what is not is computed again. */
  remat: z.enum(["everything", "nothing"]).default("everything"),
});

type Config = z.infer<typeof schema>;

class CharTransformer extends LanguageModel {
  readonly tokens: Embedding<"vocab", "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: LayerNorm<"embed">;
  readonly head: Linear<"embed", "vocab">;

  constructor(readonly config: Config) {
    super();
    const { layers, heads, embed, vocab, dropout, remat } = config;
    const init = initializers.normal(0.02);
    // The sum of all layers' outputs starts out as large as one of them.
    const residualInit = initializers.normal(0.02 / Math.sqrt(2 * layers));
    this.tokens = new Embedding({ vocab }, { embed }, { init });
    this.blocks = new Stack(
      { layers },
      () => new Block({ embed, heads, mlp: 4 * embed, bias: true, dropout, init, residualInit }),
      { remat },
    );
    this.norm = new LayerNorm({ embed });
    this.head = new Linear({ embed }, { vocab }, { init });
  }

  run(tokens: Tensor<"batch" | "seq">, { positions, cache, key }: RunOptions = {}): Hidden {
    const { embed, dtype, dropout, layers } = this.config;
    const at =
      positions ??
      iota({ seq: tokens.size("seq") })
        .broadcast({ batch: tokens.size("batch") })
        .ordered(["batch", "seq"]);
    const embedded = this.tokens.call(tokens).mul(Math.sqrt(embed));
    const x = embedded.add(sinusoidalPositions(at, { embed })).cast(dtype);
    const keys = key && dropout > 0 ? random.split(key(), { layers }) : undefined;
    // One loop over the layers, each with its slice of the weights and of the cache.
    const [h, stacked] = this.blocks.scanWith(x, { cache: cache?.blocks, keys }, (block, h, layer) =>
      block.call(h, { positions: at, cache: layer.cache, key: layer.keys }),
    );
    return { hidden: this.norm.call(h), cache: { blocks: stacked } };
  }

  logits<A extends string>(hidden: Tensor<A | "embed">): Tensor<A | "vocab"> {
    return this.head.call<A>(hidden);
  }
}

export default defineModel({ name: "char-transformer", config: schema, build: (c) => new CharTransformer(c) });
