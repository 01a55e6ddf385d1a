/** Functions that are one operation under a name, for which the runtime may have a kernel. */
import { Region } from "../compiler/ir.js";
import { constrained, intoRegion, takeEscapes } from "../compiler/trace.js";
import { leaves, mapLeaves, withValues } from "../compiler/tree.js";
import type { Attributes } from "./hlo/attributes.js";
import { hlo } from "./hlo/index.js";
import type { AnyTensor } from "./tensor.js";

/**
 * `f` as one operation: a `stablehlo.composite` of this name, with `f` as its decomposition. A platform that has a kernel of the name
 * runs that, any other `f`. What `f` uses must be among its arguments; on a mesh they lie as the rules of activations say, and a kernel
 * runs on each device's part.
 * @throws XenarcError when `f` uses other tensors.
 */
export function composite<T extends readonly AnyTensor[], R>(
  name: string,
  attributes: Attributes,
  f: (...args: T) => R,
): (...args: T) => R {
  return (...args) => {
    const b = hlo();
    const region = new Region();
    const placed = constrained([...args]) as unknown as T;
    const inner = mapLeaves(placed, (leaf) => leaf.with(region.arg(leaf.value.type, leaf.names)));
    const result = intoRegion(b.on(region), () => f(...inner));
    region.results = leaves(result).map((t) => t.value);
    // A kernel reports nothing, so its decomposition does not either.
    takeEscapes(region);
    const operands = leaves(placed).map((t) => t.value);
    return withValues(result, b.composite(operands, region, { name, attributes }));
  };
}
