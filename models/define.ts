import { z } from "zod";
import { XenarcError } from "../compiler/errors.js";
import { withKernels } from "../compiler/kernels.js";
import type { Program } from "../compiler/program.js";
import { atTopLevel } from "../compiler/site.js";
import { withLayout } from "../compiler/trace.js";
import { parameterCount, withPaths } from "../ops/module.js";
import { controlSchema } from "./control/config.js";
import { type HuggingFaceMap, type ResolvedHuggingFaceMap, resolveHuggingFace } from "./hugging_face.js";
import { kernelsOf, kernelsSchema } from "./kernels.js";
import type { LanguageModel } from "./language_model.js";
import { layoutOf } from "./layout.js";
import { adapted, isAdapter, loraSchema } from "./lora.js";
import type { ProgramConfig } from "./programs/config.js";
import { programsOf } from "./programs/index.js";
import { checkpointSchema } from "./train/checkpoint.js";
import {
  generateSchema,
  meshSchema,
  shardingSchema,
  slicesSchema,
  targetSchema,
  trainSchema,
  xlaSchema,
} from "./train/config.js";
import { dataSchema } from "./train/data.js";
import { evalSchema } from "./train/eval.js";
import { logSchema } from "./train/log.js";

/** What a model file exports by default: a name, the schema of its configuration, and how the module is built from it. */
export interface ModelSource<C extends { readonly context: number }> {
  /** Names the artifact: letters, digits, `-` and `_`. */
  readonly name: string;
  /** The model's own configuration; every key needs a default. */
  readonly config: z.ZodType<C>;
  /** The module of a configuration, with parameters as declared: nothing is computed here. */
  readonly build: (config: C) => LanguageModel<object>;
  /** How `transformers` knows the model. Default: it does not, and weights are exported under xenarc's names. */
  readonly huggingFace?: (config: C) => HuggingFaceMap;
}

/** A model that can be compiled. */
export interface ModelDefinition {
  /** Names the artifact and the run. */
  readonly name: string;
  /** The whole configuration: `model`, `train`, `data`, `checkpoint`, `log`, `generate`, `target`, `mesh`, `slices`, `sharding`, `xla`, `kernels`, `lora`, `control`. */
  readonly schema: z.ZodType<ProgramConfig & { readonly data: z.infer<typeof dataSchema> }>;
  /** The module of a configuration. */
  build(config: ProgramConfig): LanguageModel<object>;
  /** The entry points of the model built from a configuration: those named, or all. */
  programs(config: ProgramConfig, only?: readonly string[]): Program[];
  /** The number of parameters. */
  parameters(config: ProgramConfig): number;
  /** How `transformers` knows the model of a configuration; undefined: it does not. */
  huggingFace(config: ProgramConfig): ResolvedHuggingFaceMap | undefined;
}

/** Defines a model: the default export of a model file. */
export function defineModel<C extends { readonly context: number }>(source: ModelSource<C>): ModelDefinition {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(source.name)) {
    throw new XenarcError({
      what: `A model cannot be named ${JSON.stringify(source.name)}: the name becomes that of its artifact.`,
      expected: "letters, digits, - and _",
    });
  }
  const section = <T extends z.ZodType>(schema: T) => schema.prefault({} as never);
  const schema = z.strictObject({
    model: section(source.config),
    train: section(trainSchema),
    data: section(dataSchema),
    checkpoint: section(checkpointSchema),
    eval: section(evalSchema),
    log: section(logSchema),
    generate: section(generateSchema),
    target: targetSchema,
    mesh: section(meshSchema),
    slices: section(slicesSchema),
    sharding: section(shardingSchema),
    xla: section(xlaSchema),
    kernels: kernelsSchema,
    lora: loraSchema.optional(),
    control: controlSchema.optional(),
  });
  // Bound rather than called here: then this line is not among the author's.
  const build = (c: ProgramConfig): LanguageModel<object> =>
    withPaths(withAdapters(atTopLevel(source.build.bind(source, c.model as unknown as C)), c.lora));
  const withAdapters = <M>(model: M, lora: ProgramConfig["lora"]): M => (lora ? adapted(model, lora) : model);
  return {
    name: source.name,
    schema: schema as unknown as ModelDefinition["schema"],
    build,
    programs(c, only) {
      if (!Number.isInteger(c.model.context)) {
        throw new XenarcError({
          what: `The configuration of ${source.name} does not say how many tokens the model sees at once.`,
          expected: "a key `context` in the model's schema, such as context: z.int().positive().default(64)",
        });
      }
      const layout = layoutOf(c);
      const programs = withKernels(kernelsOf(c), () => withLayout(layout, () => programsOf(build(c), c, only)));
      layout?.checkUsed();
      return programs;
    },
    parameters: (c) => parameterCount(build(c)),
    huggingFace(c) {
      const map = source.huggingFace?.(c.model as unknown as C);
      return map && withLayout(layoutOf(c), () => resolveHuggingFace(map, build(c), isAdapter));
    },
  };
}
