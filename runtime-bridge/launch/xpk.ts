/** Launching with xpk, Google's tool for workloads on GKE clusters that it has made. */
import { XenarcError } from "../../compiler/errors.js";
import type { ChipName } from "../../compiler/plan/chips.js";
import { IMAGE } from "./gke.js";
import {
  type Job,
  jobFiles,
  PROJECT,
  PROJECT_RULE,
  RESOURCE,
  RESOURCE_RULE,
  requireName,
  requireTpu,
  ZONE,
  ZONE_RULE,
} from "./job.js";
import { type LaunchPlan, quoted } from "./plan.js";

/** Which of xpk's clusters. */
export interface XpkOptions {
  readonly cluster: string;
  readonly zone: string;
  readonly project?: string;
  readonly image?: string;
}

/** xpk's names of TPUs, and what the number behind counts for each chip: cores or chips. */
const TYPES: Readonly<Partial<Record<ChipName, readonly [name: string, each: number]>>> = {
  v3: ["v3", 2],
  v4: ["v4", 2],
  v5e: ["v5litepod", 1],
  v5p: ["v5p", 2],
  v6e: ["v6e", 1],
  "7x": ["tpu7x", 2],
};

/** xpk puts the job's folder into an image, and the image on every host. */
export function xpkPlan(job: Job, { cluster, zone, project, image }: XpkOptions): LaunchPlan {
  requireTpu(job, `the cluster ${cluster}`);
  requireName("--xpk", cluster, RESOURCE, RESOURCE_RULE);
  requireName("--zone", zone, ZONE, ZONE_RULE);
  if (project !== undefined) requireName("--project", project, PROJECT, PROJECT_RULE);
  const { name, target, restarts } = job;
  if (job.run === undefined) {
    throw new XenarcError(
      {
        what: "The pods need a folder that all of them see, for the checkpoints.",
        fix: "Name it with --run DIR: where storage of the cluster (xpk storage attach) is mounted in the pods.",
      },
      "usage",
    );
  }
  const folder = `.xenarc/launch/${name}`;
  const [type, each] = TYPES[target.generation!]!;
  const chips = target.topology!.reduce((a, b) => a * b, 1);
  const where = [`--cluster=${cluster}`, `--zone=${zone}`, ...(project === undefined ? [] : [`--project=${project}`])];
  return {
    folder,
    ...jobFiles(job, folder, quoted(job.run), 0),
    commands: [
      [
        ...["xpk", "workload", "create", `--workload=${name}`, ...where],
        ...[`--tpu-type=${type}-${chips * each}`, `--num-slices=${target.slices}`],
        ...[`--base-docker-image=${image ?? IMAGE}`, `--script-dir=${folder}`],
        ...[`--max-restarts=${restarts}`, "--restart-on-user-code-failure", "--termination-grace-period-seconds=300"],
        "--command=bash host.sh",
      ],
    ],
    afterwards: {
      "watch it": ["xpk workload list", ...where].join(" "),
      "stop it, with a checkpoint": ["xpk workload delete", `--workload=${name}`, ...where].join(" "),
    },
  };
}
