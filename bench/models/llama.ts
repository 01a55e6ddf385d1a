/** The library's Llama in the sizes of bench/jax/llama.py, which describes the same in JAX. */
import { defineModel, Llama, llamaConfig } from "xenarc";

const { context, vocab, layers, heads, kvHeads, embed, mlp, dtype, remat } = llamaConfig.shape;

export default defineModel({
  name: "llama",
  config: llamaConfig.safeExtend({
    context: context.default(2048),
    vocab: vocab.default(32_000),
    layers: layers.default(32),
    heads: heads.default(32),
    kvHeads: kvHeads.default(8),
    embed: embed.default(4096),
    mlp: mlp.default(11_008),
    dtype: dtype.default("bf16"),
    remat: remat.default("nothing"),
  }),
  build: (c) => new Llama(c),
});
