/**
 * Control flow, derivatives and what else takes functions: scan, whileLoop, cond, remat, customVjp, grad. Each traces its function
 * once into a region of its own.
 */
import { captured, isFloat, type Memory, Region, stacked, type Value } from "../compiler/ir.js";
import type { Kind } from "../compiler/mesh.js";
import { type CustomVjpAttrs, customVjp as customVjpOp, type Residual } from "../compiler/passes/custom_vjp.js";
import { backward, identity, stopGradient as stopGradientOp } from "../compiler/passes/grad.js";
import { type RematPolicy, remat as rematOp } from "../compiler/passes/remat.js";
import { scan as scanOp } from "../compiler/passes/scan.js";
import { inBackwardOf } from "../compiler/site.js";
import {
  constrained,
  currentLayout,
  type Escape,
  escape,
  into,
  intoRegion,
  takeEscapes,
  withLayout,
} from "../compiler/trace.js";
import { leaves as anyLeaves, leavesWithPaths, mapLeaves, withValues } from "../compiler/tree.js";
import { type AnyTensor, describe, hlo, type Scalar, sharded, Tensor, tensorError } from "./tensor.js";

const leaves = (tree: unknown): Tensor[] => anyLeaves(tree) as Tensor[];
const values = (ts: readonly Tensor[]): Value[] => ts.map((t) => t.value);

/** What is not a tensor and not a container: kept as it stands. */
type Atom = string | number | boolean | bigint | undefined | null | ((...args: never[]) => unknown);
/** A tree of tensors without the axis `L` that they share: what a step of a scan sees. */
export type Slice<T, L extends string> =
  T extends Tensor<infer A> ? Tensor<Exclude<A, L>> : T extends Atom ? T : { [K in keyof T]: Slice<T[K], L> };
/** A tree of tensors with the axis `L` added: what a scan's outputs become. */
export type Stacked<T, L extends string> =
  T extends Tensor<infer A> ? Tensor<A | L> : T extends Atom ? T : { [K in keyof T]: Stacked<T[K], L> };

/** A region's arguments for the leaves of a tree, and the tree over them. */
function argumentsLike<T>(region: Region, tree: T): T {
  return mapLeaves(tree, (leaf, path) =>
    leaf.with(region.arg(leaf.value.type, leaf.names, path || undefined, leaf.value.declared)),
  );
}

/** Whether two tensors have the same axes, sizes and element type; the order of the axes means nothing. */
const alike = (a: Tensor, b: Tensor): boolean =>
  a.names.length === b.names.length && b.names.every((n) => a.has(n) && a.size(n) === b.size(n)) && a.dtype === b.dtype;

/** How an error speaks of two things that should be alike. */
type Words = (name: string, before: string, after: string) => string;
const carried: Words = (name, before, after) => `the carry${name} goes in as ${before} and comes out as ${after}`;
const branched: Words = (name, one, other) => `the result${name} is ${one} in one branch and ${other} in the other`;

/** Carries must come out as they went in, and branches give the same: one tree, axes and element types; the first's order of axes is kept. */
function closed(operation: string, init: unknown, next: unknown, words: Words = carried): Value[] {
  const before = leavesWithPaths(init) as [string, Tensor][];
  const after = leavesWithPaths(next) as [string, Tensor][];
  if (before.length !== after.length || before.some(([p], i) => p !== after[i]![0])) {
    const form = (tree: typeof before) => `{${tree.map(([p]) => p || "tensor").join(", ")}}`;
    throw tensorError(`${operation}: ${words("", form(before), form(after))}.`, []);
  }
  return before.map(([path, b], i) => {
    const a = after[i]![1];
    if (!alike(a, b)) {
      throw tensorError(`${operation}: ${words(path && ` "${path}"`, describe(b), describe(a))}.`, [b, a], {
        expected: "the same axes, sizes and element type",
      });
    }
    return a.ordered(b.names).value;
  });
}

/** How a scan runs. */
export interface ScanOptions {
  /** From the last element to the first. */
  readonly reverse?: boolean;
  /** Steps written one after the other instead of a loop: larger text, no slicing at run time. */
  readonly unroll?: boolean;
}

/**
 * A loop along an axis: `body` is given the carry and the elements of `xs` at that position, and returns the next carry and what to
 * stack. Inputs without tensors need `length` through an `iota`. (As `jax.lax.scan`.)
 */
export function scan<L extends string, C, X, Y>(
  along: L,
  init: C,
  xs: X,
  body: (carry: C, x: Slice<X, L>) => readonly [NoInfer<C>, Y],
  options: ScanOptions = {},
): [C, Stacked<Y, L>] {
  const b = hlo();
  const carries = leaves(init);
  const inputs = leaves(xs);
  const xDims = inputs.map((x) => x.position(along));
  const length = inputs[0]?.size(along);
  if (length === undefined)
    throw tensorError(`scan along "${along}": xs holds no tensor, so the length is not known.`, [], {
      fix: `Give it iota({ ${along}: n }).`,
    });
  inputs.forEach((x) => {
    if (x.size(along) !== length)
      throw tensorError(`scan: axis "${along}" is ${length} in one input and ${x.size(along)} in another.`, [
        inputs[0]!,
        x,
      ]);
  });
  const region = new Region();
  const carry = argumentsLike(region, init);
  let i = 0;
  const x = mapLeaves(xs, (leaf, path) => {
    const d = xDims[i++]!;
    const names = leaf.names.filter((n) => n !== along);
    const { type, declared } = leaf.value;
    const shape = type.shape.filter((_, k) => k !== d);
    return new Tensor<any>(names, region.arg({ ...type, shape }, names, path || undefined, declared));
  }) as unknown as Slice<X, L>;
  const y = intoRegion(b.on(region), () => {
    const [next, out] = body(carry, x);
    region.results = closed("scan", init, next);
    return out;
  });
  const ys = leaves(y);
  for (const t of ys) t.refuse("scan", [along], []);
  const escaped = takeEscapes(region);
  region.results.push(...values(ys), ...escaped.map((e) => e.value));
  const outTypes = [...ys.map((t) => ({ value: t.value, names: t.names })), ...escaped];
  const op = b.emit(
    scanOp,
    [...values(carries), ...values(inputs)],
    {
      length,
      carries: carries.length,
      reverse: options.reverse ?? false,
      unroll: options.unroll ?? false,
      xDims,
      yDims: outTypes.map(() => 0),
    },
    [...carries.map((c) => c.value.type), ...outTypes.map((t) => stacked(t.value.type, 0, length))],
    [region],
    [...carries.map((c) => c.names), ...outTypes.map((t) => [along, ...t.names])],
  );
  const n = carries.length;
  pass(escaped, op.results.slice(n + ys.length), [along]);
  const outs = op.results.slice(n, n + ys.length);
  let j = 0;
  const stackedY = mapLeaves(y, (leaf) => new Tensor<any>([along, ...leaf.names], outs[j++]!)) as unknown as Stacked<
    Y,
    L
  >;
  return [withValues(init, op.results.slice(0, n)), stackedY];
}

/** Registers escapes of a closed region with the one around it. */
function pass(
  escaped: readonly Escape[],
  results: readonly Value[],
  axes: readonly string[] = [],
  region?: Region,
): void {
  escaped.forEach((e, i) => escape({ ...e, value: results[i]!, names: [...axes, ...e.names] }, region));
}

/** Half of the dimension that a loop takes slices of one along: the mean of all bounds, which blocks of causal attention have. 1 where there is none. */
function halfAlong({ ops }: Region): number {
  const sliced = ops.filter((op) => op.def.name === "stablehlo.dynamic_slice");
  const lengths = sliced.flatMap((op) =>
    op.operands[0]!.type.shape.filter((n, d) => n > 1 && op.results[0]!.type.shape[d] === 1),
  );
  return lengths.length === 0 ? 1 : (Math.max(...lengths) + 1) / 2;
}

/**
 * Repeats `body` while `condition` holds. It has no derivative: its length is not known. (As `jax.lax.while_loop`.) What `debug.print`
 * and `assertFinite` look at inside is the last step's value.
 *
 * @param expected how many steps it is taken to have, by a plan and by the compiler's verdict. Default: half of what it goes along, as
 * causal attention has.
 */
export function whileLoop<C>(
  init: C,
  condition: (carry: C) => Scalar,
  body: (carry: C) => NoInfer<C>,
  { expected }: { readonly expected?: number | undefined } = {},
): C {
  const b = hlo();
  const start = leaves(init);
  const cond = new Region();
  const inCond = argumentsLike(cond, init);
  intoRegion(b.on(cond), () => {
    const go = condition(inCond);
    if (go.names.length || go.dtype !== "i1")
      throw tensorError(`whileLoop: the condition is ${describe(go)}, not a single i1.`, [go]);
    cond.results = [go.value];
  });
  const region = new Region();
  const carry = argumentsLike(region, init);
  intoRegion(b.on(region), () => {
    region.results = closed("whileLoop", init, body(carry));
  });
  const escaped = takeEscapes(region);
  const extra = escaped.map((e) => {
    cond.arg(e.value.type);
    region.arg(e.value.type);
    region.results.push(e.value);
    return e.value.type.dtype === "i1" ? b.constant(e.value.type, true) : b.constant(e.value.type, 0);
  });
  const out = b.while([...values(start), ...extra], cond, region, { expected: expected ?? halfAlong(region) });
  pass(escaped, out.slice(start.length));
  return withValues(init, out.slice(0, start.length));
}

/** One of two functions, by a scalar condition; only that one runs. Both return trees of the same form. (As `jax.lax.cond`.) */
export function cond<R>(condition: Scalar, then: () => R, otherwise: () => NoInfer<R>): R {
  const b = hlo();
  if (condition.names.length || condition.dtype !== "i1") {
    throw tensorError(`cond: the condition is ${describe(condition)}, not a single i1.`, [condition]);
  }
  const regions = [new Region(), new Region()] as const;
  const result = intoRegion(b.on(regions[0]), () => {
    const r = then();
    regions[0].results = values(leaves(r));
    return r;
  });
  intoRegion(b.on(regions[1]), () => {
    regions[1].results = closed("cond", result, otherwise(), branched);
  });
  // What one branch lets out, the other gives as nothing.
  const n = regions[0].results.length;
  const escaped = regions.flatMap((region, k) =>
    takeEscapes(region).map((e) => {
      const other = regions[1 - k]!;
      const flag = (r: Region, v: boolean) => b.on(r).constant({ shape: [], dtype: "i1" }, v);
      const blank = b.on(other).constant(e.value.type, e.value.type.dtype === "i1" ? true : 0);
      region.results.push(e.value, e.when ?? flag(region, true));
      other.results.push(blank, flag(other, false));
      return e;
    }),
  );
  const out = b.if(condition.value, regions[0], regions[1]);
  escaped.forEach((e, i) => escape({ ...e, value: out[n + 2 * i]!, when: out[n + 2 * i + 1]! }));
  return withValues(result, out.slice(0, n));
}

/**
 * `f`, its inner values not kept for the backward pass but computed again there. The policy says what is kept: `"nothing"`,
 * `"everything"`, or the values named with `named(x, "attn_out")`, some of them on the host: `{ save: ["attn_out"], offload: ["mlp_out"] }`. (As `jax.checkpoint`.)
 */
export function remat<T extends readonly unknown[], R>(
  f: (...args: T) => R,
  policy: RematPolicy = "nothing",
): (...args: T) => R {
  if (policy === "everything") return f;
  return (...args) => {
    const b = hlo();
    const region = new Region();
    const inner = argumentsLike(region, args);
    const result = intoRegion(b.on(region), () => f(...inner));
    const outs = leaves(result);
    const escaped = takeEscapes(region);
    region.results = [...values(outs), ...escaped.map((e) => e.value)];
    const op = b.emit(
      rematOp,
      values(leaves(args)),
      { policy },
      region.results.map((v) => v.type),
      [region],
      [...outs, ...escaped].map((t) => t.names),
    );
    pass(escaped, op.results.slice(outs.length));
    return withValues(result, op.results.slice(0, outs.length));
  };
}

/** Names a value, for remat policies. */
export function named<A extends string>(x: Tensor<A>, name: string): Tensor<A> {
  // A value that is somebody else's too gets an identity of its own to carry the name.
  const v =
    x.value.op === undefined || x.value.tag !== undefined
      ? hlo().emit(identity, [x.value], null, [x.value.type], [], [x.names]).results[0]!
      : x.value;
  v.tag = name;
  return new Tensor(x.names, v);
}

/**
 * Holds a tensor to the mesh by the rules of a kind; without a mesh it is the tensor itself. Default: those of activations, as the
 * results of every module are held: a weight, before it is used, is then whole along the axes that only its storage is split by. By
 * those of `parameters` or `optimizer` a gradient lies where the weight or its moments do.
 */
export const shard = <A extends string>(x: Tensor<A>, kind: Kind = "activations"): Tensor<A> => constrained(x, kind);

/**
 * A weight as it is used. Where its gradient lies split over several mesh axes, it is summed up over one after the other, each sum
 * leaving a device with its part: in one go XLA:TPU sums the whole on every device, with twice the traffic, and takes the part then.
 * Stages are places of their own, whatever they lie over: between them there is no sum. Nor is there one between copies that the tokens
 * of each device have for themselves.
 */
export function weightOf<A extends string>(weight: Tensor<A>): Tensor<A> {
  const { names } = weight;
  if (weight.has("batch") || weight.has("seq")) return weight;
  const spec = currentLayout()?.spec("optimizer", sharded(weight)) ?? [];
  const split = (d: number) => (names[d] === ("stage" as A) ? 0 : (spec[d]?.length ?? 0));
  const axes = Math.max(0, ...spec.map((_, d) => split(d)));
  if (axes < 2) return weight;
  const first = Array.from({ length: axes - 1 }, (_, i) =>
    spec.map((over, d) => (split(d) ? over?.slice(0, i + 1) : over)),
  );
  const used = customVjp(
    (w: Tensor<A>) => [w, undefined] as const,
    (_, ct: Tensor<A>) => [
      ct.with(first.reduce((g, part) => hlo().shardingConstraint(g, part, "optimizer"), ct.ordered(names).value)),
    ],
  );
  return used(weight);
}

/**
 * A tensor in the host's memory (`pinned_host`), or back in the device's. Moved is no more than what is computed with: of a tensor that
 * a scan slices, or stacks, one step's part at a time.
 */
export const place = <A extends string>(x: Tensor<A>, memory: Memory): Tensor<A> =>
  new Tensor(x.names, hlo().place(x.value, memory));

/** The same tensor, across which the compiler moves nothing (`lax.optimization_barrier`). */
export const optimizationBarrier = <T>(x: T): T =>
  withValues(x, hlo().optimizationBarrier(leaves(x).map((leaf) => leaf.value)));

/**
 * What `f` would give, and the values from outside that it would compute with; nothing of it becomes part of the program. (As
 * `jax.eval_shape`, and `jax.closure_convert` for what `f` closes over.)
 */
export function dryRun<R>(f: () => R): { readonly result: R; readonly reads: ReadonlySet<Value> } {
  const region = new Region();
  const result = intoRegion(hlo().on(region), f);
  return { result, reads: captured(region) };
}

/** What a backward function gives for the arguments: a cotangent for each, of its type, or nothing where none flows. */
export type CotangentsOf<T extends readonly unknown[]> = { readonly [K in keyof T]: T[K] | undefined };

/**
 * A function with a derivative of its own. `forward` returns the result and what `backward` wants to keep; `backward` returns the
 * cotangents of the arguments. (As `jax.custom_vjp`.)
 */
export function customVjp<T extends readonly AnyTensor[], R, S>(
  forward: (...args: T) => readonly [R, S],
  backwardRule: (residuals: S, cotangent: R) => CotangentsOf<T>,
): (...args: T) => R {
  return (...args) => {
    const b = hlo();
    const region = new Region();
    const inner = argumentsLike(region, args);
    const [result, kept] = intoRegion(b.on(region), () => forward(...inner));
    const outs = leaves(result);
    const saved = leaves(kept);
    const results = values(outs);
    const residuals = saved.map(({ value }): Residual => {
      const operand = region.args.indexOf(value);
      if (operand >= 0) return { operand };
      const at = results.indexOf(value);
      if (at >= 0) return { result: at };
      return { result: results.push(value) - 1 };
    });
    const escaped = takeEscapes(region);
    region.results = [...results, ...escaped.map((e) => e.value)];
    const ofLibrary = b.site !== undefined;
    // A derivative lies on the mesh as what it is of, whoever asks for it.
    const layout = currentLayout();
    const attrs: CustomVjpAttrs = {
      outputs: outs.length,
      residuals,
      backward: (builder, residualValues, cotangents) =>
        inBackwardOf(builder.site?.origin ?? builder.site, () =>
          into(builder, () => {
            const { site } = builder;
            // A function that is one call of the library keeps that call's location; an author's rule has lines of its own.
            if (!ofLibrary) builder.site = undefined;
            try {
              const given = withLayout(layout, () =>
                backwardRule(withValues(kept, residualValues), withValues(result, cotangents)),
              );
              return (args as unknown as readonly Tensor[]).map((a, i) => {
                const g = given[i] as Tensor | undefined;
                if (g === undefined) return undefined;
                if (!alike(g, a)) {
                  throw tensorError(
                    `customVjp: the cotangent of argument ${i} is ${describe(g)}, and the argument ${describe(a)}.`,
                    [g, a],
                  );
                }
                return g.ordered(a.names).value;
              });
            } finally {
              builder.site = site;
            }
          }),
        ),
    };
    const op = b.emit(
      customVjpOp,
      values(args as readonly Tensor[]),
      attrs,
      region.results.map((v) => v.type),
      [region],
      [...results.map((v) => v.axes), ...escaped.map((e) => e.names)],
    );
    pass(escaped, op.results.slice(results.length));
    // A name given inside is the result's, too: there a remat policy finds it.
    region.results.forEach((v, i) => {
      op.results[i]!.tag = v.tag;
    });
    return withValues(result, op.results.slice(0, outs.length));
  };
}

/** The tensor as a constant to differentiation. */
export function stopGradient<T>(tree: T): T {
  return mapLeaves(tree, (leaf) =>
    leaf.with(hlo().emit(stopGradientOp, [leaf.value], null, [leaf.value.type], [], [leaf.names]).results[0]!),
  );
}

/** A tree whose leaves are fresh identities, and their values: what a derivative is taken with respect to. */
function independent<T>(tree: T): { readonly fresh: T; readonly wrt: readonly Value[] } {
  const wrt: Value[] = [];
  const fresh = mapLeaves(tree, (leaf) => {
    const v = hlo().emit(identity, [leaf.value], null, [leaf.value.type], [], [leaf.names]).results[0]!;
    wrt.push(v);
    return leaf.with(v);
  });
  return { fresh, wrt };
}

/**
 * The value of `f` and its gradient with respect to the first argument, any tree of tensors; the gradient is a tree of the same type
 * and class. `f` returns a scalar, or a scalar and something beside it (metrics, statistics) that is returned with the value.
 * Leaves that are not floating point have the gradient zero. (As `jax.value_and_grad`.)
 */
export function valueAndGrad<P, T extends readonly unknown[], R extends Scalar | readonly [Scalar, unknown]>(
  f: (params: P, ...rest: T) => R,
): (params: P, ...rest: T) => [R, P] {
  return (params, ...rest) => {
    const b = hlo();
    const from = b.region.ops.length;
    const { fresh, wrt } = independent(params);
    const result = f(fresh, ...rest);
    const loss = (result instanceof Tensor ? result : (result as readonly [Scalar, unknown])[0]) as unknown as Tensor;
    if (loss.names.length || !isFloat(loss.value.type)) {
      throw tensorError(`grad: the function returns ${describe(loss)}, not a single floating-point number.`, [loss], {
        fix: "Reduce it first: sum or mean over its axes.",
      });
    }
    const one = b.constant(loss.value.type, 1);
    const gradients = backward(b, from, [loss.value], [one], wrt);
    const out = wrt.map((v, i) => gradients[i] ?? b.constant(v.type, v.type.dtype === "i1" ? false : 0));
    return [result, withValues(params, out)];
  };
}

/** The gradient of a scalar function with respect to its first argument. See `valueAndGrad`. */
export function grad<P, T extends readonly unknown[]>(
  f: (params: P, ...rest: T) => Scalar,
): (params: P, ...rest: T) => P {
  const both = valueAndGrad<P, T, Scalar>(f);
  return (params, ...rest) => both(params, ...rest)[1];
}

/** The value of `f` and a function from the result's cotangent to those of the arguments. (As `jax.vjp`.) */
export function vjp<T extends readonly unknown[], R>(f: (...args: T) => R, ...args: T): [R, (cotangent: R) => T] {
  const b = hlo();
  const from = b.region.ops.length;
  const { fresh, wrt } = independent(args);
  const result = f(...fresh);
  const outputs = leaves(result);
  return [
    result,
    (cotangent) => {
      const given = leaves(cotangent);
      if (given.length !== outputs.length || !given.every((c, i) => alike(c, outputs[i]!))) {
        throw tensorError("vjp: the cotangent is not of the result's type.", given, {
          expected: `cotangents of ${outputs.map(describe).join(", ")}`,
        });
      }
      const cts = given.map((c, i) => c.ordered(outputs[i]!.names).value);
      const gradients = backward(b, from, values(outputs), cts, wrt);
      return withValues(
        args,
        wrt.map((v, i) => gradients[i] ?? b.constant(v.type, v.type.dtype === "i1" ? false : 0)),
      );
    },
  ];
}

/** Prints a value when the program has run, `{}` in the message standing for it: `debug.print("norm {}", norm)`. */
export const debug = {
  print(message: string, x: AnyTensor): void {
    escape({ value: x.value, names: x.names, kind: "print", message });
  },
} as const;

/** Stops the run with `message` when an element is infinite or NaN. Returns the tensor. */
export function assertFinite<A extends string>(x: Tensor<A>, message = "a value is not finite"): Tensor<A> {
  const ok = hlo().reduceAnd(
    hlo().isFinite(x.value),
    x.names.map((_, i) => i),
  );
  escape({ value: ok, names: [], kind: "assert", message });
  return x;
}
