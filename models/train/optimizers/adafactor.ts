import type { Parameter } from "../../../ops/module.js";
import type { Sizes, Tensor } from "../../../ops/tensor.js";
import type { TrainConfig } from "../config.js";
import type { Optimizer } from "./optimizer.js";

/** Added to squares of gradients; the least size of a parameter that steps are relative to. */
const [EPSILON, LEAST] = [1e-30, 1e-3];

/**
 * Adafactor: second moments as the product of a row and a column, no first moments (Shazeer and Stern 2018, "Adafactor", arXiv:1804.04235).
 * A row is the mean along the longest axis, a column that along the second longest; parameters whose second longest axis is short, and
 * vectors, have the whole moment.
 */
export const adafactor = ({ adafactor: { decay, factorFrom, clip, relative } }: TrainConfig): Optimizer => ({
  slots(of) {
    const axes = factored(of, factorFrom);
    return axes ? { row: without(of.sizes, axes.longest), column: without(of.sizes, axes.second) } : { nu: of.sizes };
  },
  update(t) {
    const stays = t.pow(-decay).neg().add(1);
    const fresh = stays.neg().add(1);
    return ({ p, g, kept }, of) => {
      const own = p.names.filter((axis) => !of.stacks.includes(axis));
      const size = (x: Tensor) => x.square().mean(own).sqrt();
      const squares = g.square().add(EPSILON);
      const moved = (before: Tensor, now: Tensor) => before.mul(stays).add(now.mul(fresh)) as Tensor;
      const axes = factored(of, factorFrom);
      let direction: Tensor;
      let next: Record<string, Tensor>;
      if (axes) {
        const row = moved(kept.row!, squares.mean(axes.longest));
        const column = moved(kept.column!, squares.mean(axes.second));
        direction = g.mul(row.div(row.mean(axes.second)).rsqrt()).mul(column.rsqrt());
        next = { row, column };
      } else {
        const nu = moved(kept.nu!, squares);
        direction = g.mul(nu.rsqrt());
        next = { nu };
      }
      if (clip > 0) direction = direction.div(size(direction).div(clip).maximum(1));
      if (relative) direction = direction.mul(size(p.cast("f32")).maximum(LEAST));
      return { direction, kept: next };
    };
  },
});

const without = (sizes: Sizes<string>, axis: string): Sizes<string> =>
  Object.fromEntries(Object.entries(sizes).filter(([name]) => name !== axis));

/** The two longest axes of a layer's parameter, later ones first where they are equal; undefined where the second is too short. */
function factored({ sizes, stacks }: Parameter, from: number): { longest: string; second: string } | undefined {
  const own = Object.entries(sizes).filter(([axis]) => !stacks.includes(axis));
  const [longest, second] = own.reverse().sort(([, a], [, b]) => b - a);
  return longest && second && second[1] >= from ? { longest: longest[0], second: second[0] } : undefined;
}
