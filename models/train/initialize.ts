import { mapLeaves } from "../../compiler/tree.js";
import type { Module, Parameter } from "../../ops/module.js";
import { foldIn, type Key } from "../../ops/random.js";

/**
 * The first values of a module's parameters. Each draws from the key folded with its path, so that adding a layer changes no other
 * layer's values.
 */
export function initialize<M extends Module>(module: M, key: Key): M {
  return mapLeaves(module, (leaf, path) => {
    const p = leaf as Parameter;
    return p.init(foldIn(key, pathHash(path)), p.sizes).cast(p.dtype);
  });
}

/** A 32-bit hash of a path (FNV-1a), read as a signed integer. */
export function pathHash(path: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) h = Math.imul(h ^ path.charCodeAt(i), 0x01000193);
  return h >>> 1;
}
