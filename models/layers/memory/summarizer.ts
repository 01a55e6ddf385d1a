import { currentLayout, withLayout } from "../../../compiler/trace.js";
import { concatenate, iota, ones } from "../../../ops/functions.js";
import { type Initializer, normal } from "../../../ops/initializers.js";
import { Module, param, Stack, type StackOptions } from "../../../ops/module.js";
import type { Tensor } from "../../../ops/tensor.js";
import { Block } from "../block.js";
import { RmsNorm } from "../rms_norm.js";

/** Sizes of a {@link Summarizer}. */
export interface SummarizerOptions {
  readonly embed: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlp: number;
  /** Vectors that a chunk becomes. */
  readonly vectors: number;
  /** Rotary positions with this base within a chunk. Default none. */
  readonly rotary?: number | undefined;
  readonly epsilon?: number | undefined;
  readonly init?: Initializer;
  readonly stack?: StackOptions | undefined;
}

/**
 * A transformer that makes a few vectors of a chunk of states: learned tokens stand behind it, all see all, and what becomes of these is
 * the summary (the memory tokens of Bulatov et al. 2022, "Recurrent Memory Transformer", arXiv:2207.06881).
 */
export class Summarizer extends Module {
  readonly tokens: Tensor<"vector" | "embed">;
  readonly blocks: Stack<Block, "layers">;
  readonly norm: RmsNorm<"embed">;
  constructor({ embed, layers, heads, mlp, vectors, rotary, epsilon = 1e-5, stack, ...options }: SummarizerOptions) {
    super();
    const { init = normal(0.02) } = options;
    const block = {
      embed,
      heads,
      mlp,
      rotary,
      epsilon,
      init,
      norm: "rms",
      feedForward: "swiglu",
      bias: false,
    } as const;
    const residualInit = normal(0.02 / Math.sqrt(2 * layers));
    this.tokens = param({ vector: vectors, embed }, init);
    this.blocks = new Stack({ layers }, () => new Block({ ...block, residualInit }), stack);
    this.norm = new RmsNorm({ embed }, { epsilon });
  }

  /** Chunks `[..., seq, embed]` to `[..., vector, embed]`. `seen`: the states that count (1, else 0), `[..., seq]`. */
  call(states: Tensor, seen?: Tensor): Tensor {
    const [chunk, vectors] = [states.size("seq"), this.tokens.size("vector")];
    const { seq: _, embed: __, ...outer } = states.sizes as Record<string, number>;
    const tokens = this.tokens.cast(states.dtype).rename("vector", "seq").broadcast(outer) as Tensor;
    const all = concatenate([states, tokens], "seq") as Tensor;
    const counting = seen && (concatenate([seen, ones({ ...outer, seq: vectors }, "i32") as Tensor], "seq") as Tensor);
    const options = { positions: iota({ seq: chunk + vectors }) as Tensor, segments: counting, causal: false };
    // A chunk is whole where it is, whatever splits the sequence that it is of, or a cache.
    const whole = currentLayout()?.withActivations({ seq: [], key: [] });
    return withLayout(whole ?? currentLayout(), () => {
      const x = this.blocks.scan(all, (block, x) => block.call<string>(x, options)[0] as Tensor);
      const made = x.slice("seq", chunk, chunk + vectors).rename("seq", "vector") as Tensor;
      return this.norm.call<string>(made) as Tensor;
    });
  }
}
