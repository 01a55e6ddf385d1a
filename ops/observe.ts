/** Looking into a model while it is traced: whoever wants to know is told of what modules give, and the model says nothing of it. */
import { leaves } from "../compiler/tree.js";
import type { Scalar, Tensor } from "./tensor.js";

/**
 * Is told of values as they are made, in the region where they are: the first tensor that a module's `call` gives (`result`), the
 * probabilities of attention (`attention`, which are computed only where `value` is called, for the queries asked for). `path` is the module's.
 */
export type Observer = (what: "result" | "attention", path: string, value: (queries: Queries) => Tensor) => void;

/** Which queries of attention are looked at: the first so many, with as many keys, or the one at a place along `seq` (an integer), with all keys. */
export type Queries = { readonly first: number } | { readonly at: Scalar };

let observer: Observer | undefined;
/** The module whose call runs. */
let calling: object | undefined;

/** Traces `f` with an observer. */
export function observing<R>(by: Observer, f: () => R): R {
  const before = observer;
  observer = by;
  try {
    return f();
  } finally {
    observer = before;
  }
}

/** Tells the observer, if there is one. */
export const observe: Observer = (what, path, value) => observer?.(what, path, value);

/** Calls a module and tells the observer what it gives; a call of `super` is part of it. */
export function observedCall<R>(module: object, path: string, call: () => R): R {
  if (observer === undefined || calling === module) return call();
  const before = calling;
  calling = module;
  let result: R;
  try {
    result = call();
  } finally {
    calling = before;
  }
  const [first] = leaves(result) as Tensor[];
  if (first) observer("result", path, () => first);
  return result;
}
