/** xenarc: describe, compile, train and serve language models from TypeScript. */
import "./compiler/source/render.js";

export { XenarcError } from "./compiler/errors.js";
export type { DType } from "./compiler/ir.js";
export type { RematPolicy } from "./compiler/passes/remat.js";
export type { Port, Program, Role } from "./compiler/program.js";
export type { TensorData } from "./compiler/tree.js";
export { type Compilable, Compiled, type CompiledProgram, type CompileOptions, compile } from "./emit/compile.js";
export { lower } from "./emit/lower.js";
export type { Manifest } from "./emit/manifest.js";
export * from "./models/index.js";
export { tensor } from "./ops/array.js";
export * from "./ops/control.js";
export * from "./ops/functions.js";
export * as initializers from "./ops/initializers.js";
export {
  Module,
  type ParamOptions,
  param,
  parameterCount,
  parameters,
  Stack,
  type StackOptions,
  spec,
} from "./ops/module.js";
export * from "./ops/per_device.js";
export * as random from "./ops/random.js";
export { collect, type Reports, report } from "./ops/report.js";
export { type AnyTensor, type AxisError, type Fits, type Scalar, type Sizes, Tensor } from "./ops/tensor.js";
export { evaluate } from "./runtime-bridge/evaluate.js";
