/** Every way to lay a program on the devices of a target, judged by {@link estimate}, the fastest that fit first. */
import { XenarcError } from "../errors.js";
import type { Layout } from "../mesh.js";
import type { RematPolicy } from "../passes/remat.js";
import type { Chip } from "./chips.js";
import { type Estimate, estimate } from "./model.js";
import type { Target } from "./target.js";
import type { Timeline } from "./timeline.js";

/** Sizes of mesh axes over all slices, in the mesh's order; `slices` of `data` lie across slices. */
export interface MeshSizes {
  readonly data: number;
  readonly stage: number;
  readonly fsdp: number;
  readonly expert: number;
  readonly context: number;
  readonly tensor: number;
}

/** What of a run is chosen. */
export interface Choice {
  readonly mesh: MeshSizes;
  /** What of a layer is kept; undefined: as the model has it. */
  readonly remat: RematPolicy | undefined;
  /** Micro-batches of a step: one after the other, or, on a mesh with stages, following each other through them. */
  readonly accumulation: number;
  /** Whether the optimizer's moments lie in the host's memory. */
  readonly offload: boolean;
}

/** A choice and what it takes. */
export interface Judged extends Choice {
  readonly estimate: Estimate;
  readonly fits: boolean;
}

/** What a program is on one choice: the traced program, shared by all choices of which it is the same, and where it lies. */
export type Traced = (choice: Choice) => { readonly timeline: Timeline; readonly layout: Layout };

/** Powers of two and their like: all ways to write `n` as a product of `count` factors, in order. */
export function factorizations(n: number, count: number): number[][] {
  if (count === 1) return [[n]];
  const found: number[][] = [];
  for (let first = 1; first <= n; first++) {
    if (n % first === 0) for (const rest of factorizations(n / first, count - 1)) found.push([first, ...rest]);
  }
  return found;
}

/** Which meshes are looked at. */
export interface MeshOptions {
  /** Whether sequences may be split. Default: true. */
  readonly context?: boolean;
  /** What is divided over the axis `expert`. Default: one. */
  readonly experts?: number;
  /** Numbers of stages, 1 among them. Default: that alone. */
  readonly stages?: readonly number[];
}

/**
 * All meshes of a target's devices. Only `data` goes across slices: it communicates least. Stages are combined with one way to split the batch
 * and with `tensor`.
 */
export function meshes(
  { devices, slices }: Pick<Target, "devices" | "slices">,
  { context: long = true, experts = 1, stages = [1] }: MeshOptions = {},
): MeshSizes[] {
  const each = devices / slices;
  return stages
    .filter((stage) => each % stage === 0)
    .flatMap((stage) =>
      factorizations(each / stage, 5)
        .map(([data, fsdp, expert, context, tensor]) => ({ data, stage, fsdp, expert, context, tensor }) as MeshSizes)
        .filter(({ context }) => long || context === 1)
        .filter(({ expert }) => experts % expert === 0)
        .filter((m) => stage === 1 || (m.expert === 1 && m.context === 1 && (m.data === 1 || m.fsdp === 1)))
        .map((mesh) => ({ ...mesh, data: mesh.data * slices })),
    );
}

/** What a search goes through. */
export interface Space {
  readonly meshes: readonly MeshSizes[];
  /** What keeps most of the device's memory first. */
  readonly remats: readonly Choice["remat"][];
  /** Numbers of micro-batches, the smallest first: a larger one is tried only where the smaller does not fit. */
  readonly accumulations: readonly number[];
  /** Whether to try the host's memory for what the optimizer keeps, on meshes on which nothing fits without. */
  readonly offload?: boolean;
  /**
   * Bytes that a device needs whatever is computed. Where it has not so many, nothing is judged, unless that is so of all meshes. May throw
   * where sizes do not divide, as is seen when the choice is judged.
   */
  readonly least?: (choice: Placed) => number;
}

/** What of a choice says where the state of a run lies. */
export type Placed = Pick<Choice, "mesh" | "offload">;

/** How many of the meshes on which not even the state fits are judged where there are no others. */
const NEAREST = 3;

/** What a step that computes nothing again takes at least of one that computes all: a forward pass less, of which backward takes as much or more. */
const AT_BEST = 2 / 3;

/**
 * Judges each mesh with the policy that keeps least, and those that may be the fastest with the others: first those that fit, by their time, then
 * those that do not, by their memory. Sizes that do not divide are left out.
 */
export function search(space: Space, traced: Traced, chip: Chip): Judged[] {
  const hopeless: Hopeless[] = [];
  const found = [...sparest(space, traced, chip, hopeless)];
  for (const { bytes: _, ...placed } of hopeless.sort((a, b) => a.bytes - b.bytes)) {
    if (found.length >= NEAREST) break;
    found.push(...sparestOn(placed, space, traced, chip));
  }
  const fitting = found.filter((j) => j.fits).sort(byTime);
  let best = fitting[0]?.estimate.step ?? 0;
  for (const choice of fitting) {
    if (choice.estimate.step * AT_BEST > best) break;
    const others = policies(space.remats.slice(0, -1), choice, traced, chip);
    best = Math.min(best, ...others.filter((j) => j.fits).map((j) => j.estimate.step));
    found.push(...others);
  }
  return found.sort((a, b) => {
    if (a.fits !== b.fits) return a.fits ? -1 : 1;
    return a.fits ? byTime(a, b) : a.estimate.memory.total - b.estimate.memory.total;
  });
}

/** Whether any choice fits. Judges no more than it takes to know. */
export function anyFits(space: Space, traced: Traced, chip: Chip): boolean {
  for (const { fits } of sparest(space, traced, chip, [])) if (fits) return true;
  return false;
}

/** A mesh on which not even the state fits, and what that takes. */
type Hopeless = Placed & { readonly bytes: number };

const byTime = (a: Judged, b: Judged): number =>
  a.estimate.step - b.estimate.step || allTimes(a.estimate) - allTimes(b.estimate);

const allTimes = ({ compute, traffic, network, host }: Estimate): number => compute + traffic + network + host;

/** Judges the meshes with the policy that keeps least; where what keeps least does not fit, nothing does. */
function* sparest(space: Space, traced: Traced, chip: Chip, hopeless: Hopeless[]): Generator<Judged> {
  for (const mesh of space.meshes) {
    for (const offload of space.offload ? [false, true] : [false]) {
      const bytes = unlessUneven(() => space.least?.({ mesh, offload })) ?? 0;
      if (bytes > chip.usable) {
        hopeless.push({ mesh, offload, bytes });
        continue;
      }
      const judged = sparestOn({ mesh, offload }, space, traced, chip);
      yield* judged;
      if (judged.some((j) => j.fits)) break;
    }
  }
}

function sparestOn(placed: Placed, { remats, accumulations }: Space, traced: Traced, chip: Chip): Judged[] {
  const trial: Trial = (accumulation) => judge({ ...placed, accumulation, remat: remats.at(-1) }, traced, chip);
  const { stage } = placed.mesh;
  return stage > 1 ? inStages(accumulations, stage, trial) : microBatches(accumulations, trial);
}

/** The most micro-batches for a stage: with so many the stages that wait are idle for less than a fifth of the time. */
const PER_STAGE = 4;

type Trial = (accumulation: number) => Judged | undefined;

/** With as many micro-batches as keep the stages busy. */
function inStages(accumulations: readonly number[], stage: number, trial: Trial): Judged[] {
  for (const accumulation of accumulations.filter((n) => n >= stage && n <= PER_STAGE * stage).reverse()) {
    const judged = trial(accumulation);
    if (judged !== undefined) return [judged];
  }
  return [];
}

/** Numbers of micro-batches up to the first that fits. */
function microBatches(accumulations: readonly number[], trial: Trial): Judged[] {
  const found: Judged[] = [];
  for (const accumulation of accumulations) {
    const judged = trial(accumulation);
    if (judged === undefined) break;
    found.push(judged);
    if (judged.fits) break;
  }
  return found;
}

/** Policies up to the first that fits without the host's help: what keeps more computes less again. */
function policies(remats: Space["remats"], choice: Omit<Choice, "remat">, traced: Traced, chip: Chip): Judged[] {
  const found: Judged[] = [];
  for (const remat of remats) {
    const judged = judge({ ...choice, remat }, traced, chip);
    if (judged === undefined) break;
    found.push(judged);
    if (judged.fits && judged.estimate.host === 0) break;
  }
  return found;
}

const judge = (choice: Choice, traced: Traced, chip: Chip): Judged | undefined =>
  unlessUneven(() => {
    const { timeline, layout } = traced(choice);
    const result = estimate(timeline, layout, chip);
    return { ...choice, estimate: result, fits: result.memory.total <= chip.usable };
  });

/** What some work on a choice gives; undefined where sizes do not divide. */
function unlessUneven<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof XenarcError) return undefined;
    throw error;
  }
}

/** Seconds and dollars of a run. @param price of one chip, a chip-hour. */
export function runCost(
  tokens: number,
  tokensPerSecond: number,
  chips: number,
  price: number,
): { readonly days: number; readonly dollars: number } {
  const seconds = tokens / tokensPerSecond;
  return { days: seconds / 86_400, dollars: (seconds / 3600) * chips * price };
}

/** Devices of a target per chip, and the target with another number of chips of the same kind, its torus as even as it can be. */
export function resized(target: Target, chips: number): string | undefined {
  const { chip, generation } = target;
  if (chip?.platform !== "tpu" || chips > chip.most) return undefined;
  const sides = Array.from({ length: chip.interconnect.dimensions }, () => 1);
  for (let left = chips; left > 1; left /= 2) {
    if (left % 2 !== 0) return undefined;
    sides[sides.indexOf(Math.min(...sides))]! *= 2;
  }
  return `tpu:${generation}:${sides.sort((a, b) => a - b).join("x")}${target.slices > 1 ? `,slices=${target.slices}` : ""}`;
}
