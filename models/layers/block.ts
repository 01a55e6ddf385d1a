import { named } from "../../ops/control.js";
import { type Initializer, normal } from "../../ops/initializers.js";
import { Module } from "../../ops/module.js";
import { foldIn, type Key, split } from "../../ops/random.js";
import type { Tensor } from "../../ops/tensor.js";
import { Attention, type AttentionSizes, type KvCache } from "./attention.js";
import { Dropout } from "./dropout.js";
import { GatedMlp } from "./gated_mlp.js";
import { LayerNorm } from "./layer_norm.js";
import { Mlp } from "./mlp.js";
import { Moe, type MoeOptions } from "./moe/moe.js";
import { RmsNorm } from "./rms_norm.js";

/** Sizes and kinds of the parts of a {@link Block}. */
export interface BlockOptions extends AttentionSizes {
  /** Width inside the feed-forward layer, or inside each expert that stands in its place. */
  readonly mlp: number;
  /** `layer`: LayerNorm, `rms`: RmsNorm. Default layer. */
  readonly norm?: "layer" | "rms";
  readonly epsilon?: number;
  /** `gelu`: two linear layers, `swiglu`: gated, or a mixture of experts. Default gelu. */
  readonly feedForward?: "gelu" | "swiglu" | MoeOptions;
  /** A mixture of experts beside the feed-forward layer, on the same input; `mlp`: the width inside each. Default none. */
  readonly moe?: (MoeOptions & { readonly mlp: number }) | undefined;
  /** Biases in linear layers and norms. Default true. */
  readonly bias?: boolean;
  /** Biases in norms. Default as in linear layers. */
  readonly normBias?: boolean;
  /** The part of either branch's result that is dropped while training. Default 0. */
  readonly dropout?: number;
  /** How weights begin. Default normal(0.02). */
  readonly init?: Initializer;
  /** How the weights that end in the residual stream begin. Default as the others. */
  readonly residualInit?: Initializer;
  /** Rotary positions with this base (theta). Default none. */
  readonly rotary?: number | undefined;
  /** See {@link AttentionLayerOptions}. */
  readonly window?: number | readonly number[] | undefined;
  readonly globals?: number | undefined;
  readonly softCap?: number;
  readonly sinks?: boolean;
  /** Queries and keys worked on at a time by attention. Default 512. */
  readonly blockSize?: number;
}

/** The norm in front of a branch, and behind the last block. */
export type Norm = LayerNorm<"embed"> | RmsNorm<"embed">;

/** A norm of the kind that a block's options say. */
export function makeNorm({
  embed,
  norm = "layer",
  epsilon = 1e-5,
  bias = true,
  normBias = bias,
}: Pick<BlockOptions, "embed" | "norm" | "epsilon" | "bias" | "normBias">): Norm {
  return norm === "layer" ? new LayerNorm({ embed }, { epsilon, bias: normBias }) : new RmsNorm({ embed }, { epsilon });
}

/** Positions, cache and randomness of one call of a {@link Block}. */
export interface BlockCallOptions {
  /** See `Attention.call`. */
  readonly positions?: Tensor | undefined;
  readonly cache?: KvCache | undefined;
  readonly causal?: boolean;
  readonly segments?: Tensor | undefined;
  /** Randomness of dropout and of the router's jitter; without it there is none. */
  readonly key?: Key | undefined;
}

/**
 * A transformer block with the norms in front of its two branches: x + attention(norm(x)), then x + mlp(norm(x)) (Xiong et al. 2020,
 * "On Layer Normalization in the Transformer Architecture", arXiv:2002.04745). With `moe` the second is x + mlp(norm(x)) + moe(norm(x)).
 *
 * Names for remat policies, in the order they are computed: `query`, `key`, `value`, `attn_out` (see `attention`), `residual` (the sum
 * after attention), `mlp_gate` and `mlp_up` (before the activation), `mlp_out`. Keeping `attn_out`, `residual` and `mlp_up` saves
 * most of the time that computing again costs.
 */
export class Block extends Module {
  readonly attentionNorm: Norm;
  readonly attention: Attention;
  readonly mlpNorm: Norm;
  readonly mlp: Mlp | GatedMlp | Moe;
  readonly moe: Moe | undefined;
  private readonly dropout: Dropout;
  constructor(options: BlockOptions) {
    super();
    const { embed, mlp, feedForward = "gelu", moe, bias = true, dropout = 0 } = options;
    const { init = normal(0.02), residualInit = init, rotary, window, globals, softCap, sinks, blockSize } = options;
    const weights = { bias, init, outputInit: residualInit };
    this.attentionNorm = makeNorm(options);
    this.attention = new Attention(options, { ...weights, rotary, window, globals, softCap, sinks, blockSize });
    this.mlpNorm = makeNorm(options);
    if (feedForward === "gelu") this.mlp = new Mlp({ embed }, { mlp }, weights);
    else if (feedForward === "swiglu") this.mlp = new GatedMlp({ embed }, { mlp }, weights);
    else this.mlp = new Moe({ embed }, { mlp }, { init, outputInit: residualInit, ...feedForward });
    this.moe = moe && new Moe({ embed }, { mlp: moe.mlp }, { init, outputInit: residualInit, ...moe });
    this.dropout = new Dropout(dropout);
  }

  /** x `[..., seq, embed]` to `[..., seq, embed]`, and the keys and values of its attention. */
  call<B extends string>(
    x: Tensor<B | "seq" | "embed">,
    { key, ...options }: BlockCallOptions = {},
  ): [Tensor<B | "seq" | "embed">, KvCache] {
    // From here on `batch` stands for all of B.
    const before = x as Tensor as Tensor<"batch" | "seq" | "embed">;
    const keys = key && split(key, { branch: 2 });
    const dropped = (y: typeof before, branch: number) => this.dropout.call(y, keys?.at("branch", branch));
    const [attended, cache] = this.attention.call<"batch">(this.attentionNorm.call<"batch" | "seq">(before), options);
    const h = named(before.add(dropped(attended, 0)), "residual");
    const normed = this.mlpNorm.call<"batch" | "seq">(h);
    const through = (layer: Mlp | GatedMlp | Moe) =>
      layer instanceof Moe
        ? layer.call<"batch" | "seq">(normed, { key: keys && foldIn(keys.at("branch", 1), 1) })
        : layer.call<"batch" | "seq">(normed);
    const fed = this.moe ? through(this.mlp).add(through(this.moe)) : through(this.mlp);
    return [h.add(dropped(named(fed, "mlp_out"), 1)) as Tensor, cache];
  }
}
