/** Layers: what models are made of. */

export { type AttentionOptions, attention } from "./attention/dot_product.js";
export { hierarchical } from "./attention/hierarchical.js";
export { type HierarchyOptions, PATHS, type Path, type Reach, type Usual } from "./attention/reach.js";
export {
  Attention,
  type AttentionCallOptions,
  type AttentionLayerOptions,
  type AttentionSizes,
  type KvCache,
} from "./attention.js";
export { Block, type BlockCallOptions, type BlockOptions } from "./block.js";
export { chunkedCrossEntropy, crossEntropy, tokenLosses } from "./cross_entropy.js";
export { Dropout } from "./dropout.js";
export { Embedding } from "./embedding.js";
export { GatedMlp } from "./gated_mlp.js";
export {
  Hlsa,
  type HlsaCache,
  type HlsaCallOptions,
  type HlsaOptions,
  type HlsaSizes,
  type HlsaValues,
  WEIGHTS,
} from "./hlsa.js";
export { Latent, type LatentOptions } from "./latent.js";
export { LayerNorm, type LayerNormOptions } from "./layer_norm.js";
export { Linear, type LinearOptions } from "./linear.js";
export { Memory, type MemoryCallOptions } from "./memory/memory.js";
export type { MemoryCache, MemoryOptions, Session } from "./memory/session.js";
export { Summarizer, type SummarizerOptions } from "./memory/summarizer.js";
export { Mlp, type MlpOptions } from "./mlp.js";
export { Moe, type MoeCallOptions, type MoeOptions } from "./moe/moe.js";
export { Router, type RouterCallOptions, type RouterOptions, type Routing } from "./moe/router.js";
export {
  type EmbeddingKinds,
  embeddingsSpec,
  type GivenEmbeddings,
  type PlacedEmbeddings,
  type Projections,
  projections,
  withEmbeddings,
} from "./projections.js";
export { RecurrentState, type RecurrentStateOptions } from "./recurrent_state.js";
export { RmsNorm } from "./rms_norm.js";
export { rotary, type Yarn } from "./rotary.js";
export { sinusoidalPositions } from "./sinusoidal_positions.js";
