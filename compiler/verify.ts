import type { Region, Value } from "./ir.js";

/** Where a program stands: as traced, with structured ops; or lowered, plain StableHLO. */
export type Stage = "traced" | "lowered";

/**
 * Checks what every pass must leave behind: each value is defined before it is used, no structured op is left once lowered and, if
 * asked for, every op fits its constraints again (each was held to them when it was made).
 * @throws Error naming the op; a failure is a defect of a pass, never of the author's program.
 */
export function verify(region: Region, stage: Stage, constraints = false, defined: Set<Value> = new Set()): void {
  for (const a of region.args) defined.add(a);
  for (const op of region.ops) {
    for (const v of op.operands)
      if (!defined.has(v)) throw new Error(`${op.def.name} uses a value before its definition`);
    if (stage === "lowered" && op.def.structured) throw new Error(`${op.def.name} is left after lowering`);
    for (const r of op.regions) verify(r, stage, constraints, defined);
    for (const id in constraints ? op.def.constraints : {}) {
      const violation = op.def.constraints[id]!(op);
      if (violation !== undefined) throw new Error(`${op.def.name} (${id}) after a pass: ${violation}`);
    }
    for (const r of op.results) defined.add(r);
  }
  for (const v of region.results)
    if (!defined.has(v)) throw new Error("a region returns a value that it does not define");
}
