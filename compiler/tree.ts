/**
 * Trees of tensors: arrays, plain objects and class instances (modules) whose leaves are tensors. Everything that takes or gives
 * "a tree" (grad, scan, entry points) goes through these few functions; what is not a tensor is kept as it stands.
 */
import type { Value } from "./ir.js";

/** What the language's tensor is to the compiler: axis names over an SSA value. */
export abstract class Leaf {
  abstract readonly names: readonly string[];
  abstract readonly value: Value;
  /** The same kind of tensor over another value with the same axes; its elements, where they are known. */
  abstract with(value: Value, data?: TensorData): Leaf;
  /** The same tensor with its axes at these positions. */
  abstract ordered(names: readonly string[]): Leaf;
  /** Its elements, row-major, where they are known: what `evaluate` is given and gives. */
  readonly data?: TensorData | undefined;
}

/** Elements of a tensor on the host: floats narrower than 32 bits as float32, integers narrower than 8 bits as bytes, booleans as 0 and 1. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Where an object stands in the model (`blocks/attention`); kept when the tree is rebuilt with other leaves. */
export const PATH: unique symbol = Symbol("module path");

/** A property whose name begins with `$` holds its object's contents: it adds nothing to the path. */
export const joinPath = (path: string, key: string): string =>
  key.startsWith("$") ? path : path ? `${path}/${key}` : key;

/** A tree's leaves with their paths (`blocks/attention/query/weight`), in the order of the object's properties. */
export function leavesWithPaths(tree: unknown, path = "", out: [string, Leaf][] = []): [string, Leaf][] {
  if (tree instanceof Leaf) out.push([path, tree]);
  else if (tree !== null && typeof tree === "object") {
    for (const key of Object.keys(tree)) {
      const child = (tree as Record<string, unknown>)[key];
      if (child !== null && typeof child === "object") leavesWithPaths(child, joinPath(path, key), out);
    }
  }
  return out;
}

export function leaves(tree: unknown, out: Leaf[] = []): Leaf[] {
  if (tree instanceof Leaf) out.push(tree);
  else if (tree !== null && typeof tree === "object") {
    for (const key of Object.keys(tree)) {
      const child = (tree as Record<string, unknown>)[key];
      if (child !== null && typeof child === "object") leaves(child, out);
    }
  }
  return out;
}

/** A tree of the same form and classes with other leaves. */
export function mapLeaves<T>(tree: T, f: (leaf: Leaf, path: string) => unknown, path = ""): T {
  if (tree instanceof Leaf) return f(tree, path) as T;
  if (tree === null || typeof tree !== "object") return tree;
  const copy = Array.isArray(tree) ? [] : Object.create(Object.getPrototypeOf(tree));
  const place = (tree as { [PATH]?: string })[PATH];
  if (place !== undefined) Object.defineProperty(copy, PATH, { value: place });
  for (const key of Object.keys(tree)) {
    copy[key] = mapLeaves((tree as Record<string, unknown>)[key], f, joinPath(path, key));
  }
  return copy as T;
}

/** A tree like `tree` whose leaves are, in order, over the given values. */
export function withValues<T>(tree: T, values: readonly Value[]): T {
  let i = 0;
  return mapLeaves(tree, (leaf) => leaf.with(values[i++]!));
}
