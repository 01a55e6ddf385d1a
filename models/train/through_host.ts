import { splitOver } from "../../compiler/trace.js";
import { place, scan } from "../../ops/control.js";
import { iota } from "../../ops/functions.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import type { Kept, Slot } from "./optimizers/index.js";

/** A parameter and what is kept of it, before or after a step. */
export type Held = Omit<Slot, "g">;

/** A parameter's step. */
export interface Step {
  readonly slot: Slot;
  /** The axis along which a stack holds one of it for each layer. */
  readonly stack: string | undefined;
  readonly update: (slot: Slot) => Held;
}

const mapKept = (kept: Kept, f: (x: Tensor, name: string) => Tensor): Kept =>
  Object.fromEntries(Object.entries(kept).map(([name, x]) => [name, f(x, name)]));

/**
 * Steps of which what is kept lies in the host's memory. That of a stack's layers comes and goes layer by layer, in a scan, so that the
 * device never holds more than a few layers' of it; where its layers are split over devices, each has few of them, and they come at once.
 */
export function throughHost(steps: readonly Step[]): Held[] {
  const moved = (update: Step["update"], { p, g, kept }: Slot): Held => {
    const next = update({ p, g, kept: mapKept(kept, (x) => place(x, "device")) });
    const back = (x: Tensor, name: string) => place(x.ordered(kept[name]!.names), "pinned_host");
    return { p: next.p.ordered(p.names), kept: mapKept(next.kept, back) };
  };
  const out: Held[] = [];
  const layered = new Map<string, number[]>();
  steps.forEach(({ slot, stack, update }, i) => {
    // Vectors of eight layers share a tile: XLA cannot have a TPU v4 or older copy one of them alone. Together they are little.
    const vector = slot.p.names.length <= 2;
    if (stack === undefined || vector || splitOver("optimizer", stack) > 1) out[i] = moved(update, slot);
    else {
      const layers = `${stack} ${slot.p.size(stack)}`;
      layered.set(layers, [...(layered.get(layers) ?? []), i]);
    }
  });
  for (const members of layered.values()) {
    const axis = steps[members[0]!]!.stack!;
    const of = members.map((i) => steps[i]!.slot);
    const layers = { g: of.map(({ g }) => g), layer: iota({ [axis]: of[0]!.p.size(axis) }) };
    // What was kept of a layer is written over, not beside: the stacks are carried.
    const [done] = scan(
      axis,
      of.map(({ p, kept }): Held => ({ p, kept })),
      layers,
      (stacked, x) => {
        const { g, layer } = x as unknown as { readonly g: readonly Tensor[]; readonly layer: Scalar };
        const own = (t: Tensor) => t.at(axis, layer) as Tensor;
        const put = (t: Tensor, y: Tensor) => t.update(axis, layer, y.broadcast({ [axis]: 1 })) as Tensor;
        const next = stacked.map(({ p, kept }, k): Held => {
          const slot = { p: own(p), g: g[k]!, kept: mapKept(kept, own) };
          const updated = moved(steps[members[k]!]!.update, slot);
          return { p: put(p, updated.p), kept: mapKept(kept, (t, name) => put(t, updated.kept[name]!)) };
        });
        return [next, []] as const;
      },
    );
    members.forEach((i, k) => {
      out[i] = done[k]!;
    });
  }
  return out;
}
