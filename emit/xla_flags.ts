/**
 * The flags that XLA is given for a program by what it is compiled for; the user's own come on top. They travel in the compile options, so
 * that compiling ahead of time, on a laptop, and on the pod are the same. What is XLA's default already is not repeated here.
 */
import type { Target } from "../compiler/plan/target.js";

/** A flag's value as XLA reads it. */
export type FlagValue = boolean | number | string;

interface Flag {
  readonly name: string;
  readonly value: FlagValue;
  /** The platforms and generations that it is for. */
  readonly targets: readonly string[];
  /** What it is good for, and who says so. */
  readonly why: string;
}

const MAXTEXT = "MaxText's benchmarks/xla_flags_library.py";
const TPUS = ["v4", "v5e", "v5p", "v6e", "7x"];

/** Why each flag is set. Held by a test to what libtpu accepts on every generation. */
export const FLAGS: readonly Flag[] = [
  {
    name: "xla_tpu_overlap_compute_collective_tc",
    value: true,
    targets: TPUS,
    why: `the core that computes also drives the collective meanwhile (${MAXTEXT})`,
  },
  {
    name: "xla_enable_async_all_gather",
    value: true,
    targets: TPUS,
    why: `gathers have a start and an end, between which the scheduler puts work (${MAXTEXT})`,
  },
  {
    name: "xla_tpu_enable_data_parallel_all_reduce_opt",
    value: true,
    targets: TPUS,
    why: `the gradients' reduction over the data-parallel axis overlaps with what comes after it (${MAXTEXT})`,
  },
  {
    name: "xla_tpu_data_parallel_opt_different_sized_ops",
    value: true,
    targets: TPUS,
    why: `the same where the reductions differ in size, as a model's weights do (${MAXTEXT})`,
  },
  {
    name: "xla_jf_spmd_threshold_for_windowed_einsum_mib",
    value: 1_000_000,
    targets: ["tpu"],
    why: `a gathered weight's product is one, not a loop over its parts with 2.5 times the memory traffic (a 7B step, 16 chips; ${MAXTEXT})`,
  },
  {
    name: "xla_gpu_enable_latency_hiding_scheduler",
    value: true,
    targets: ["gpu"],
    why: "collectives are started early and waited for late (NVIDIA, JAX-Toolbox, GPU performance)",
  },
  {
    name: "xla_gpu_enable_pipelined_all_gather",
    value: true,
    targets: ["gpu"],
    why: "a layer's weights are gathered while the layer before computes: FSDP in a scan (NVIDIA, JAX-Toolbox)",
  },
  {
    name: "xla_gpu_enable_pipelined_reduce_scatter",
    value: true,
    targets: ["gpu"],
    why: "a layer's gradients are scattered while the next layer computes (NVIDIA, JAX-Toolbox)",
  },
];

/** The flags for a target, by name; the user's win. */
export function flagsFor(
  { platform, generation }: Pick<Target, "platform" | "generation">,
  own: Readonly<Record<string, FlagValue>> = {},
): Record<string, FlagValue> {
  const ours = FLAGS.filter(({ targets }) => targets.includes(platform) || targets.includes(generation ?? ""));
  return { ...Object.fromEntries(ours.map(({ name, value }) => [name, value])), ...own };
}
