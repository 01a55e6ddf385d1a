/** Modules: classes whose fields are parameters and other modules. */

import type { DType } from "../compiler/ir.js";
import { Value } from "../compiler/ir.js";
import type { RematPolicy } from "../compiler/passes/remat.js";
import { captureSite, currentScope, inScope, type Site } from "../compiler/site.js";
import { constrained, stagesOf } from "../compiler/trace.js";
import { joinPath, leavesWithPaths, mapLeaves, PATH } from "../compiler/tree.js";
import { named, remat, type Slice, type Stacked, scan } from "./control.js";
import type { Initializer } from "./initializers.js";
import { observedCall } from "./observe.js";
import { batchOf, type Layers, pipelined, readsBatch } from "./pipeline.js";
import { type Sizes, Tensor, tensorError, typeOf } from "./tensor.js";

/**
 * The base of layers and models. Fields that are tensors (made with `param`), modules, arrays and plain objects of them are the
 * module's parameters, named by their path (`blocks/attention/query/weight`); other fields are static. Every method's ops carry the
 * module's path as their scope.
 */
export abstract class Module {
  declare protected readonly module: true;
}

/** How a parameter begins and how the optimizer treats it. */
export interface ParamOptions {
  /** Decoupled weight decay applies. Default true; layers say false for biases, norms and embeddings. */
  readonly decay?: boolean;
  /** Element type of the master weight. Default f32. */
  readonly dtype?: DType;
  /** It stays as it begins, unless a rule of the configuration frees it. Default false. */
  readonly freeze?: boolean;
  /** The axes from and to which it multiplies; one matrix stands beside the other along further axes. */
  readonly matrix?: Matrix;
}

/** Which axes of a parameter are the rows, and which the columns, of a matrix. */
export interface Matrix {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** A parameter as declared: axes and sizes, its beginning, its treatment. In a traced program a tensor stands in its place. */
export class Parameter<in out A extends string = any> extends Tensor<A> {
  readonly init: Initializer;
  readonly decay: boolean;
  readonly freeze: boolean;
  readonly matrix: Matrix | undefined;
  constructor(
    sizes: Sizes<A>,
    init: Initializer,
    { decay = true, dtype = "f32", freeze = false, matrix }: ParamOptions,
    declared?: Site,
    /** The axes along which a `Stack` holds one for each layer, those of the outermost first. */
    readonly stacks: readonly string[] = [],
  ) {
    super(Object.keys(sizes) as A[], new Value(typeOf(sizes, dtype), Object.keys(sizes), undefined, declared));
    this.init = init;
    this.decay = decay;
    this.freeze = freeze;
    this.matrix = matrix;
  }

  /** The axis of the outermost stack's layers. */
  get stack(): string | undefined {
    return this.stacks[0];
  }

  /** The same, frozen. */
  frozen(): Parameter<A> {
    return new Parameter(this.sizes, this.init, { ...optionsOf(this), freeze: true }, this.value.declared, this.stacks);
  }
}

/** What a parameter was declared with. */
const optionsOf = ({ decay, dtype, freeze, matrix }: Parameter): ParamOptions => ({
  decay,
  dtype,
  freeze,
  ...(matrix && { matrix }),
});

/** Declares a parameter: its sizes by axis name, and how it begins. */
export function param<A extends string>(sizes: Sizes<A>, init: Initializer, options: ParamOptions = {}): Tensor<A> {
  return new Parameter(sizes, init, options, captureSite(param));
}

/** A tensor of which only axes, sizes and element type are known, and where it was declared: an input of a program to be traced. */
export function spec<A extends string = never>(sizes: Sizes<A>, dtype: DType = "f32", declared?: Site): Tensor<A> {
  return new Tensor(
    Object.keys(sizes) as A[],
    new Value(typeOf(sizes, dtype), Object.keys(sizes), undefined, declared),
  );
}

/** The parameters of a module with their paths. */
export const parameters = (module: unknown): [string, Parameter][] =>
  leavesWithPaths(module) as unknown as [string, Parameter][];

/** The number of a module's parameters. */
export const parameterCount = (module: unknown): number =>
  parameters(module).reduce((n, [, p]) => n + p.value.type.shape.reduce((m, d) => m * d, 1), 0);

const instrumented = new WeakSet<object>();

/** Gives every module of a tree its path, and makes its methods run in that scope. Called once on a model. */
export function withPaths<T>(tree: T, path = ""): T {
  if (tree === null || typeof tree !== "object" || tree instanceof Tensor) return tree;
  if (tree instanceof Module) {
    if (!(PATH in tree)) Object.defineProperty(tree, PATH, { value: path });
    instrument(Object.getPrototypeOf(tree));
  }
  for (const [key, child] of Object.entries(tree)) withPaths(child, joinPath(path, key));
  return tree;
}

function instrument(prototype: object): void {
  if (prototype === Module.prototype || prototype === Object.prototype || instrumented.has(prototype)) return;
  instrumented.add(prototype);
  for (const [name, { value, writable }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === "constructor" || typeof value !== "function" || !writable) continue;
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: { [PATH]?: string }, ...args: unknown[]) {
        const path = this[PATH];
        if (path === undefined) return value.apply(this, args);
        const run = () =>
          name === "call" ? observedCall(this, path, () => value.apply(this, args)) : value.apply(this, args);
        return path === currentScope() ? run() : constrained(inScope(path, run));
      },
    });
  }
  instrument(Object.getPrototypeOf(prototype));
}

/** The name, for remat policies, of what goes from layer to layer. */
const CARRY = "carry";

/** How a stack of layers is run. */
export interface StackOptions {
  /**
   * What of a layer (in a pipeline: of a stage's layers) is kept for the backward pass. Default everything. What goes from layer to layer is kept
   * in any case; among `offload` it is called `carry`.
   */
  readonly remat?: RematPolicy;
  /** Layers written one after the other instead of a loop. */
  readonly unroll?: boolean;
}

/**
 * Equal layers as one: their parameters are stacked along a new first axis, and running them is one scan, so that the program's size
 * and compile time do not grow with depth.
 *
 * On a mesh whose axis `stage` the rules split the layers over, they run as a pipeline (see `pipelined`). A layer is then given weights and
 * activations that have an axis `stage`, and returns what has it: what it does must be meant for the axes that it names, as
 * `mean("embed")` is. With repeats, parameters have an axis `repeat` in front: layer number repeat * (length / repeats) + position.
 */
export class Stack<M extends Module, L extends string = string> extends Module {
  /** A layer whose parameters have the additional axis `L`. */
  readonly $each: M;
  /** The axis that the parameters have more. */
  readonly axis: L;
  /** The number of layers. */
  readonly length: number;
  private readonly options: StackOptions;
  constructor(layers: Sizes<L>, make: () => M, options: StackOptions = {}) {
    super();
    const [[axis, length]] = Object.entries(layers) as [[L, number]];
    this.axis = axis;
    this.length = length;
    this.options = options;
    const { stages = 1, repeats = 1 } = stagesOf(axis) ?? {};
    if (length % (stages * repeats) !== 0) {
      const times = repeats > 1 ? ` that each come round ${repeats} times` : "";
      throw tensorError(`Stack: ${length} ${axis} cannot be split into ${stages} stages${times}.`, [], {
        expected: `a multiple of ${stages * repeats}`,
        fix: `Change the number of ${axis}, mesh.stage or train.pipeline.repeats, or have each device keep all: sharding.parameters.${axis}=[].`,
      });
    }
    const stacked: Sizes<string> = repeats > 1 ? { repeat: repeats, [axis]: length / repeats } : { [axis]: length };
    this.$each = mapLeaves(make(), (leaf) => {
      const p = leaf as Parameter;
      const { init, stacks } = p;
      const all = [axis, ...(repeats > 1 ? ["repeat"] : []), ...stacks];
      return new Parameter({ ...stacked, ...p.sizes }, init, optionsOf(p), p.value.declared, all);
    });
  }

  /** Runs the layers one after the other on a carry. */
  scan<C>(init: C, body: (layer: M, carry: C) => NoInfer<C>): C {
    return this.scanWith(init, [], (layer, carry) => [body(layer, carry), []] as const)[0];
  }

  /** The same with an input for each layer (caches, random keys), which have the axis `L`, and outputs that get it. */
  scanWith<C, X, Y>(
    init: C,
    xs: X,
    body: (layer: M, carry: C, x: Slice<X, L>) => readonly [NoInfer<C>, Y],
  ): [C, Stacked<Y, L>] {
    const { remat: policy = "everything", unroll = false } = this.options;
    type One = { $layer: M; $inputs: Slice<X, L> };
    // Named so that a layer's parameters keep their paths in the printed program.
    const all: Layers<M> = { $layer: this.$each, $inputs: xs };
    const each = (carry: C, layers: Layers<M>, step: typeof body) =>
      scan(
        this.axis,
        carry,
        layers,
        (carry, x) => {
          const { $layer, $inputs } = x as unknown as One;
          return step($layer, carry, $inputs) as [C, Y];
        },
        { unroll },
      );
    // Where what a layer is given is kept in the host's memory, all else is computed from that.
    const offloads = typeof policy === "object" && "offload" in policy && policy.offload?.includes(CARRY);
    const given = (carry: C): C => (offloads ? mapLeaves(carry, (leaf) => named(leaf as Tensor, CARRY)) : carry);
    const batch = batchOf(xs) === undefined ? batchOf(init) : undefined;
    const pipeline = stagesOf(this.axis, batch);
    if (pipeline === undefined) {
      const step = remat((carry: C, layer: M, x: Slice<X, L>) => body(layer, given(carry), x), policy);
      return each(init, all, (layer, carry, x) => step(carry, layer, x));
    }
    const stage = remat((carry: C, layers: Layers<M>) => each(given(carry), layers, body), policy);
    try {
      return pipelined(pipeline, this.axis, init, all, stage) as [C, Stacked<Y, L>];
    } catch (error) {
      // What is wrong without a pipeline too is better said without.
      const one = mapLeaves(all, (leaf) => {
        const x = leaf as Tensor;
        return x.has("repeat") ? x.at("repeat", 0) : x.slice(this.axis, 0, this.length / pipeline.repeats);
      });
      throw readsBatch(batch ?? 0, () => each(init, one, body), [init, all]) ?? error;
    }
  }
}
