/** Models and what they are made of. */
export {
  CharTransformer,
  type CharTransformerConfig,
  charTransformer,
  charTransformerConfig,
} from "./char_transformer.js";
export { type ControlConfig, controlSchema } from "./control/config.js";
export type { Controlled, Part, RunValue } from "./control/run_value.js";
export { Decoder, type DecoderOptions } from "./decoder.js";
export { defineModel, type ModelDefinition, type ModelSource } from "./define.js";
export type { HuggingFaceMap } from "./hugging_face.js";
export { type Assess, type Cache, type Hidden, LanguageModel, type RunOptions } from "./language_model.js";
export * from "./layers/index.js";
export { Llama, type LlamaConfig, llama, llamaConfig, llamaHuggingFace, llamaPresets } from "./llama.js";
export { Mixtral, type MixtralConfig, mixtral, mixtralConfig, mixtralHuggingFace, mixtralPresets } from "./mixtral.js";
export type { ProgramConfig } from "./programs/config.js";
export { type CheckpointConfig, checkpointSchema } from "./train/checkpoint.js";
export {
  type GenerateConfig,
  generateSchema,
  rematSchema,
  type TrainConfig,
  trainSchema,
} from "./train/config.js";
export { type DataConfig, dataSchema } from "./train/data.js";
export { initialize } from "./train/initialize.js";
export { type LogConfig, logSchema } from "./train/log.js";
export { type Xenarcai600bConfig, xenarcai600b, xenarcai600bConfig } from "./xenarcai_600b/model.js";
export {
  XenarcaiI2,
  type XenarcaiI2Cache,
  type XenarcaiI2Config,
  xenarcaiI2,
  xenarcaiI2Config,
} from "./xenarcai_i2/model.js";
export { type XenarcaiV2Config, xenarcaiV2, xenarcaiV2Config } from "./xenarcai_v2/model.js";
export { type XenithMiniConfig, xenithMini, xenithMiniConfig } from "./xenith_mini/model.js";
