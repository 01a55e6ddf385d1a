/** From the configuration to the layout that programs are traced for. */
import { deviceCount, Layout, makeMesh } from "../compiler/mesh.js";
import { parseTarget } from "../compiler/plan/target.js";

import type { ShardingConfig } from "./train/config.js";

/** The sections of the configuration that say which devices there are and how the model lies on them. */
export interface LayoutConfig {
  readonly target: string;
  readonly mesh: Readonly<Record<string, number>>;
  readonly slices: Readonly<Record<string, number>>;
  readonly sharding: ShardingConfig;
}

/**
 * The layout of a configuration; undefined for one device. A target of several devices without a mesh is sharded as a whole (`fsdp`);
 * `cpu` without a number has as many devices as the mesh says.
 * @throws XenarcError when mesh, target and rules do not fit together.
 */
export function layoutOf({ target, mesh, slices, sharding }: LayoutConfig): Layout | undefined {
  const parsed = parseTarget(target);
  const devices = target === "cpu" ? undefined : parsed.devices;
  const given = Object.keys(mesh).length > 0;
  if (!given && (devices ?? 1) === 1) return undefined;
  const axes = given ? mesh : { ...(parsed.slices > 1 && { data: 1 }), fsdp: -1 };
  const across = given || parsed.slices === 1 ? slices : { data: parsed.slices };
  const made = makeMesh(axes, across, devices);
  const { sequence, ...rules } = sharding;
  return deviceCount(made) === 1 ? undefined : new Layout(made, rules, sequence);
}
