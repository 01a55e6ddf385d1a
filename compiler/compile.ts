/** From a traced region to the StableHLO that is printed: the passes in order, with the reason for each place. */
import type { Builder, Platform, Region } from "./ir.js";
import { cse } from "./passes/cse.js";
import { dce } from "./passes/dce.js";
import { expand } from "./passes/expand.js";
import { flatten } from "./passes/flatten.js";
import { lower } from "./passes/lower.js";
import { simplify } from "./passes/simplify.js";
import { verify } from "./verify.js";

/**
 * The passes. `grad`, `remat` and `scan` ran while tracing, where the author called them; what is left is:
 * - dce first, so that nothing below works on what nobody reads (a gradient leaves much of it);
 * - lower, after which there is only StableHLO;
 * - expand, of what the platform has not;
 * - simplify on plain ops, where the transposes and reshapes made by both the author and lowering meet;
 * - flatten after simplify, which lets dot_general read through transposes while their dimensions are still apart; not in a
 *   partitioned program, where a merged dimension could not be split as its parts are;
 * - simplify again for the reshapes that flatten made between two products;
 * - cse after simplify, which makes ops equal that were not;
 * - dce last, for what these left unused.
 * `check` holds every op to its constraints once more at the end: for tests of the passes.
 */
export function lowerToStableHlo(
  b: Builder,
  traced: Region,
  {
    check = false,
    partitioned = false,
    platform = "cpu",
  }: { check?: boolean; partitioned?: boolean; platform?: Platform } = {},
): Region {
  dce(traced);
  const region = lower(b, traced);
  expand(b, region, platform);
  simplify(region);
  if (!partitioned) {
    flatten(b, region);
    simplify(region);
  }
  cse(region);
  dce(region);
  // The printer refuses what is undefined or structured; the check finds the pass that left it.
  if (check) verify(region, "lowered", true);
  return region;
}
