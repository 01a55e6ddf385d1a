/** What collectives share: groups of devices, and their text. Devices go by their numbers in the mesh (`flattened_ids`). */
import { repeats } from "./dimensions.js";

/** Devices that communicate with each other, by their numbers; all groups are of one size. */
export type Groups = readonly (readonly number[])[];

export interface GroupAttrs {
  readonly groups: Groups;
}

interface Grouped {
  readonly attrs: GroupAttrs;
}

/** How many devices are in a group: the second dimension of the specification's `process_groups`. */
export const groupSize = ({ attrs: { groups } }: Grouped): number => groups[0]?.length ?? 0;

/** Constraint: no device is in two groups, or twice in one. */
export const uniqueDevices = ({ attrs: { groups } }: Grouped): string | undefined =>
  repeats(groups.flat()) ? `a device is in the groups ${text(groups)} twice` : undefined;

/** Constraint: all devices are in the groups, numbered from 0. */
export const knownDevices = ({ attrs: { groups } }: Grouped): string | undefined => {
  const all = groups.flat();
  const stray = all.find((device) => device < 0 || device >= all.length);
  return stray === undefined ? undefined : `device ${stray} is not one of the ${all.length} in the groups`;
};

const text = (rows: Groups): string => `[${rows.map((row) => `[${row.join(", ")}]`).join(", ")}]`;

/** `dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>` */
export const table = (rows: Groups): string => {
  const all = rows.flat();
  const same = all.every((n) => n === all[0]);
  return `dense<${same ? (all[0] ?? "") : text(rows)}> : tensor<${rows.length}x${rows[0]?.length ?? 0}xi64>`;
};

/** Between partitions of one program, from device to device; the number has no meaning there. */
export const CHANNEL = "channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>";

/** The attributes of a collective whose groups are devices, sorted as MLIR sorts them. */
export const groupAttributes = ({ groups }: GroupAttrs, ...more: string[]): string[] =>
  [...more, CHANNEL, `replica_groups = ${table(groups)}`].sort();
