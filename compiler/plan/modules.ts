/** What of a program's work belongs to which module of the author's. */
import type { Region } from "../ir.js";
import { regionCost } from "../passes/scan.js";
import type { Program } from "../program.js";

/**
 * Floating-point operations of one run of a program as it was traced, by the path of the module whose call they stand in (empty: none);
 * loops count by their lengths. Together they are the program's `cost.flops`.
 */
export function flopsByModule({ region }: Pick<Program, "region">): Map<string, number> {
  const found = new Map<string, number>();
  const walk = (r: Region, times: number): void => {
    for (const op of r.ops) {
      const own = op.def.cost(op).flops;
      const inside = op.regions.reduce((sum, inner) => sum + regionCost(inner).flops, 0);
      if (inside > 0 && !op.regions.every(({ closed }) => closed)) {
        for (const inner of op.regions) walk(inner, (times * own) / inside);
      } else if (own > 0) {
        const path = op.site?.scope ?? "";
        found.set(path, (found.get(path) ?? 0) + own * times);
      }
    }
  };
  walk(region, 1);
  return found;
}
