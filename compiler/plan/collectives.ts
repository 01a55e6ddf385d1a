/** The communication of a program: every collective of its optimized HLO, over which axes of the mesh, how much, how often. */
import type { Mesh } from "../mesh.js";
import type { Computation, HloModule, Instruction } from "./optimized_hlo.js";

/** Collectives as HLO names them. */
export type CollectiveKind =
  | "all-gather"
  | "all-reduce"
  | "all-to-all"
  | "collective-broadcast"
  | "collective-permute"
  | "ragged-all-to-all"
  | "reduce-scatter";

/** A collective of a program. */
export interface Collective {
  readonly kind: CollectiveKind;
  /** The mesh axes over which it communicates, outermost first; empty where the devices are not those of the mesh. */
  readonly axes: readonly string[];
  /** Whether it goes between slices, over the data-centre network. */
  readonly acrossSlices: boolean;
  /** Devices (slices, across slices) that take part in one. */
  readonly group: number;
  /** Of the first operand. */
  readonly dtype: string;
  /** Bytes of the array that is gathered, reduced, scattered or exchanged, as one device sees it whole. */
  readonly bytes: number;
  /** Bytes that a device sends, at least: on a ring, `(group - 1) / group` of the bytes, for an all-reduce twice. */
  readonly sent: number;
  /** How often it runs in a step. */
  readonly runs: number;
  readonly instruction: Instruction;
}

const KINDS: ReadonlySet<string> = new Set<CollectiveKind>([
  "all-gather",
  "all-reduce",
  "all-to-all",
  "collective-broadcast",
  "collective-permute",
  "ragged-all-to-all",
  "reduce-scatter",
]);

/**
 * Every collective that runs, those inside fusions and asynchronous ones included, each once. Without a mesh, axes are not named.
 *
 * XLA's own rewrites are seen through: XLA:TPU makes of a reduce-scatter a fusion `all-reduce-scatter`; spreads a gather over several fusions
 * that compute meanwhile, of which the one that starts it is counted; and between slices sends and receives by way of the host, while all else is
 * the program of one slice.
 */
export function collectives(module: HloModule, mesh?: Mesh): Collective[] {
  const found: Collective[] = [];
  const axesOf = groupNamer(mesh);
  const slices = mesh?.axes.filter((axis) => (axis.slices ?? 1) > 1) ?? [];
  for (const computation of module.computations.values()) {
    const runs = module.runs(computation);
    if (runs === 0) continue;
    for (const instruction of computation.instructions.values()) {
      const transfer = instruction.opcode === "send" ? megascale(instruction) : undefined;
      if (transfer !== undefined) {
        const group = slices.reduce((n, axis) => n * (axis.slices ?? 1), 1);
        const axes = slices.map((axis) => axis.name);
        found.push({ ...described(transfer, group, instruction), axes, acrossSlices: true, runs });
        continue;
      }
      const opcode = instruction.opcode.replace(/-start$/, "");
      if (!KINDS.has(opcode)) continue;
      if (instruction.attributeText.includes('"async_collective_fusion_config"') && !startsSpread(computation))
        continue;
      const kind = computation.name.startsWith("all-reduce-scatter") ? "reduce-scatter" : (opcode as CollectiveKind);
      const { axes, group } = axesOf(instruction, module.partitions);
      found.push({ ...described(kind, group, instruction), axes, acrossSlices: false, runs });
    }
  }
  return found;
}

const startsSpread = (computation: Computation): boolean =>
  [...computation.instructions.values()].some((i) =>
    i.attributeText.includes('custom_call_target="AsyncCollectiveStart"'),
  );

/** The kind of a transfer between slices, which XLA:TPU writes as a send to the host. */
function megascale(send: Instruction): CollectiveKind | undefined {
  const type = /_xla_megascale_transfer_type="(\w+)"/.exec(send.attribute("frontend_attributes") ?? "")?.[1];
  const kind = type?.toLowerCase().replaceAll("_", "-");
  if (kind === undefined) return undefined;
  return KINDS.has(kind) ? (kind as CollectiveKind) : "collective-permute";
}

function described(kind: CollectiveKind, group: number, instruction: Instruction) {
  const shapes = instruction.operands.flatMap((operand) => operand.shapes).filter((shape) => shape.bytes > 0);
  const operand = shapes.reduce((sum, shape) => sum + shape.bytes, 0);
  const bytes = kind === "all-gather" ? operand * group : operand;
  const part = (group - 1) / group;
  const sent =
    kind === "collective-permute" || kind === "collective-broadcast"
      ? bytes
      : bytes * part * (kind === "all-reduce" ? 2 : 1);
  return { kind, group, dtype: shapes[0]?.dtype ?? "", bytes, sent: Math.round(sent), instruction };
}

/** A row of the table of a program's communication. */
export interface CollectiveRow {
  readonly kind: CollectiveKind;
  readonly axes: readonly string[];
  readonly acrossSlices: boolean;
  /** How many run in a step, with the bytes they handle and send, per device. */
  readonly count: number;
  readonly bytes: number;
  readonly sent: number;
}

/** Collectives by kind and axes, per step, those that send the most first. */
export function collectiveTable(list: readonly Collective[]): CollectiveRow[] {
  const rows = new Map<string, CollectiveRow>();
  for (const { kind, axes, acrossSlices, runs, bytes, sent } of list) {
    const key = `${kind} ${axes.join("+")} ${acrossSlices}`;
    const row = rows.get(key) ?? { kind, axes, acrossSlices, count: 0, bytes: 0, sent: 0 };
    rows.set(key, { ...row, count: row.count + runs, bytes: row.bytes + bytes * runs, sent: row.sent + sent * runs });
  }
  return [...rows.values()].sort((a, b) => b.sent - a.sent);
}

/** Names the mesh axes of an instruction's groups; modules have few different groups. */
function groupNamer(mesh: Mesh | undefined) {
  // The program is that of one slice.
  const axes = mesh?.axes.map(({ name, size, slices = 1 }) => ({ name, size: size / slices })) ?? [];
  const known = new Map<string, { axes: readonly string[]; group: number }>();
  return (instruction: Instruction, partitions: number) => {
    const pairs = instruction.attribute("source_target_pairs");
    const text = pairs ?? instruction.attribute("replica_groups") ?? "{}";
    const before = known.get(text);
    if (before !== undefined) return before;
    const groups = replicaGroups(text, partitions);
    const group = pairs === undefined ? Math.max(1, ...groups.map((g) => g.length)) : 2;
    const named = { axes: axesOfGroups(groups, axes), group };
    known.set(text, named);
    return named;
  };
}

/**
 * The mesh axes along which the devices of a group differ, of devices numbered row-major over `axes`. Part of an axis counts as the axis.
 */
export function axesOfGroups(
  groups: readonly (readonly number[])[],
  axes: readonly { readonly name: string; readonly size: number }[],
): string[] {
  const devices = axes.reduce((n, axis) => n * axis.size, 1);
  if (groups.some((group) => group.some((device) => device >= devices))) return [];
  let stride = devices;
  return axes
    .filter(({ size }) => {
      stride /= size;
      const along = (device: number) => Math.floor(device / stride) % size;
      return groups.some((group) => group.some((device) => along(device) !== along(group[0]!)));
    })
    .map(({ name }) => name);
}

/**
 * The devices of each group, from the forms that XLA prints: `{{0,1},{2,3}}` (also source and target of permutes), `{}` for all
 * `partitions`, `[2,4]<=[4,2]T(1,0)` (device numbers as a grid, transposed, cut into groups), and `mesh['x'=4,'y'=2] {'x'}`, the groups
 * along axes of XLA's own mesh, where `'x':(2)2` is the part of an axis with 2 before it and size 2.
 */
export function replicaGroups(text: string, partitions: number): number[][] {
  const iota = /^\[([\d,]+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?$/.exec(text);
  if (iota) {
    const [groups = 1, size = 1] = ints(iota[1]);
    const order = transposed(ints(iota[2]), iota[3] === undefined ? undefined : ints(iota[3]));
    return Array.from({ length: groups }, (_, i) => order.slice(i * size, (i + 1) * size));
  }
  const mesh = /^mesh\[([^\]]*)\][^{]*\{([^}]*)\}/.exec(text);
  if (mesh)
    return meshGroups(mesh[1] ?? "", mesh[2] ?? "", /(?:<=|device_ids=\()\[([\d,]+)\](?:T\(([\d,]+)\))?/.exec(text));
  const lists = [...text.matchAll(/\{([\d,\s]+)\}/g)].map((m) => ints(m[1]));
  return lists.length > 0 ? lists : [Array.from({ length: partitions }, (_, i) => i)];
}

const ints = (text: string | undefined): number[] => (text ?? "").split(",").map(Number);

/** The numbers of a grid of `sizes`, row-major, in the order of the grid with its dimensions permuted. */
function transposed(sizes: readonly number[], permutation: readonly number[] = sizes.map((_, i) => i)): number[] {
  let order = [0];
  let stride = sizes.reduce((a, b) => a * b, 1);
  const strides = sizes.map((size) => {
    stride /= size;
    return stride;
  });
  for (const dimension of permutation) {
    order = order.flatMap((at) => Array.from({ length: sizes[dimension]! }, (_, i) => at + i * strides[dimension]!));
  }
  return order;
}

function meshGroups(axesText: string, usedText: string, order: RegExpExecArray | null): number[][] {
  const axes = [...axesText.matchAll(/'([^']*)'=(\d+)/g)].map((m) => ({ name: m[1], size: Number(m[2]) }));
  const devices =
    order === null ? undefined : transposed(ints(order[1]), order[2] === undefined ? undefined : ints(order[2]));
  const used = [...usedText.matchAll(/'([^']*)'(?::\((\d+)\)(\d+))?/g)];
  // An axis that is used in part is three: before the part, the part, after it.
  const sizes: number[] = [];
  const along: number[] = [];
  for (const { name, size } of axes) {
    const parts = used.filter((m) => m[1] === name);
    let left = size;
    for (const [, , before, part] of parts.sort((a, b) => Number(a[2] ?? 1) - Number(b[2] ?? 1))) {
      const skipped = before === undefined ? 1 : Number(before) / (size / left);
      const taken = part === undefined ? left : Number(part);
      sizes.push(skipped);
      along.push(sizes.length);
      sizes.push(taken);
      left /= skipped * taken;
    }
    sizes.push(left);
  }
  const across = sizes.map((_, i) => i).filter((i) => !along.includes(i));
  const numbers = transposed(sizes, [...across, ...along]).map((i) => devices?.[i] ?? i);
  const size = along.reduce((n, i) => n * sizes[i]!, 1);
  return Array.from({ length: numbers.length / size }, (_, i) => numbers.slice(i * size, (i + 1) * size));
}
