import type { Parameter } from "../../../ops/module.js";
import type { Scalar, Sizes, Tensor } from "../../../ops/tensor.js";

/** What is kept of a parameter from step to step, by slot (`mu`, `nu`), in float32. */
export type Kept = Readonly<Record<string, Tensor>>;

/** A parameter in a step: its value, its gradient (f32), and what is kept of it. */
export interface Slot {
  readonly p: Tensor;
  readonly g: Tensor;
  readonly kept: Kept;
}

/** Where a parameter goes, and what is kept of it then. The step is the learning rate times this; weight decay comes to it. */
export type Direction = (slot: Slot, of: Parameter) => { readonly direction: Tensor; readonly kept: Kept };

/**
 * A rule that makes a direction of gradients. A stack's layers are each a parameter of their own: what is computed over a whole parameter
 * is so for each of them.
 */
export interface Optimizer {
  /** The sizes of what is kept of a parameter, by slot; zero at first. Its axes are among the parameter's, those of stacks included. */
  slots(of: Parameter): Readonly<Record<string, Sizes<string>>>;
  /** The rule of update number `t` (f32, from 1). What all parameters share is computed once. */
  update(t: Scalar): Direction;
}
