import type { ControlConfig } from "../control/config.js";
import type { KernelsConfig } from "../kernels.js";
import type { LayoutConfig } from "../layout.js";
import type { LoraConfig } from "../lora.js";
import type { GenerateConfig, TrainConfig } from "../train/config.js";
import type { DataConfig } from "../train/data.js";
import type { LogConfig } from "../train/log.js";

/** What the entry points' sizes come from. */
export interface ProgramConfig extends LayoutConfig, KernelsConfig {
  readonly model: { readonly context: number };
  readonly train: TrainConfig;
  readonly data: DataConfig;
  readonly log: LogConfig;
  readonly generate: GenerateConfig;
  readonly lora?: LoraConfig | undefined;
  readonly control?: ControlConfig | undefined;
}
