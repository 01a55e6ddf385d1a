/** From the configuration to the layout that programs are traced for. */
import { XenarcError } from "../compiler/errors.js";
import { deviceCount, Layout, makeMesh, meshSize } from "../compiler/mesh.js";
import type { Pipeline } from "../compiler/pipeline.js";
import { parseTarget } from "../compiler/plan/target.js";

import type { ShardingConfig, TrainConfig } from "./train/config.js";

/** The sections of the configuration that say which devices there are and how the model lies on them. */
export interface LayoutConfig {
  readonly target: string;
  readonly mesh: Readonly<Record<string, number>>;
  readonly slices: Readonly<Record<string, number>>;
  readonly sharding: ShardingConfig;
  readonly train: Pick<TrainConfig, "batch" | "pipeline">;
}

/**
 * The layout of a configuration; undefined for one device. A target of several devices without a mesh is sharded as a whole (`fsdp`);
 * `cpu` without a number has as many devices as the mesh says.
 * @throws XenarcError when mesh, target and rules do not fit together.
 */
export function layoutOf({ target, mesh, slices, sharding, train }: LayoutConfig): Layout | undefined {
  const parsed = parseTarget(target);
  const devices = target === "cpu" ? undefined : parsed.devices;
  const given = Object.keys(mesh).length > 0;
  if (!given && (devices ?? 1) === 1) return undefined;
  const axes = given ? mesh : { ...(parsed.slices > 1 && { data: 1 }), fsdp: -1 };
  const across = given || parsed.slices === 1 ? slices : { data: parsed.slices };
  const made = makeMesh(axes, across, devices);
  const { sequence, context, balance, ...rules } = sharding;
  if (deviceCount(made) === 1) return undefined;
  const layout = new Layout(made, rules, sequence, train.pipeline, { attention: context, balance });
  checkPipeline(layout, train);
  return layout;
}

/** How the layers of a configuration run while it trains; undefined without stages. */
export const pipelineOf = (c: LayoutConfig): Pipeline | undefined => layoutOf(c)?.stages("layers", c.train.batch);

function checkPipeline(layout: Layout, { batch, pipeline }: LayoutConfig["train"]): void {
  const stages = meshSize(layout.mesh, "stage");
  const { microBatches = stages } = pipeline;
  if ((layout.stages("layers", batch)?.microBatches ?? microBatches) === microBatches) return;
  const parts = layout.parts("activations", "batch");
  throw new XenarcError({
    what: `train.batch: ${batch} sequences cannot be cut into ${microBatches} micro-batches${parts > 1 ? `, each of them split over ${parts} devices` : ""}.`,
    expected: `a multiple of ${microBatches * parts}`,
    fix: "Change train.batch, train.pipeline.microBatches (default: as many as the mesh has stages), or the mesh.",
  });
}
