/** How weights lie on the mesh where they are stored, beside how they are multiplied. */
import type { Layout } from "../../compiler/mesh.js";
import { describe, sharded, type Tensor } from "../../ops/tensor.js";

/** Mesh axes that split an axis, the first outermost. */
export type Over = readonly string[];

/** An axis along which a weight is stored in more parts than it is multiplied in, and its name meanwhile. */
export interface Stored {
  readonly axis: string;
  readonly name: string;
  /** What splits it where it is stored, and what of that splits it there alone. */
  readonly over: Over;
  readonly more: Over;
}

/** The mesh axes that split each axis of a tensor by the rules of activations or parameters. */
export const lies = (layout: Layout, kind: "activations" | "parameters", t: Tensor): Over[] =>
  layout.spec(kind, sharded(t, `The tensor ${describe(t)}`)).map((over) => over ?? []);

/**
 * The axes of a weight that are stored in more parts than the rules of activations split them; `mark` tells their names from those of other
 * weights. Undefined where it is not stored in parts of those that it is multiplied in.
 */
export function storedFurther(layout: Layout, w: Tensor, mark: number | string): readonly Stored[] | undefined {
  const [used, at] = [lies(layout, "activations", w), lies(layout, "parameters", w)];
  if (!used.every((over, d) => over.every((m, k) => at[d]![k] === m))) return undefined;
  return w.names.flatMap((axis, d) => {
    const more = at[d]!.slice(used[d]!.length);
    return more.length > 0 ? [{ axis, name: `${axis} of ${mark}`, over: at[d]!, more }] : [];
  });
}

/** A weight under the names that its axes have meanwhile, and back. */
export const asStored = (w: Tensor, stored: readonly Stored[]): Tensor =>
  stored.reduce((w, { axis, name }) => w.rename(axis, name) as Tensor, w);
export const asGiven = (w: Tensor, stored: readonly Stored[]): Tensor =>
  stored.reduce((w, { axis, name }) => w.rename(name, axis) as Tensor, w);

/** Mesh axes by the names that axes have meanwhile. */
export const storedOver = (stored: readonly Stored[]): Readonly<Record<string, Over>> =>
  Object.fromEntries(stored.map(({ name, over }) => [name, over]));
