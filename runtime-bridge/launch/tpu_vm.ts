/** Launching on a Cloud TPU VM or pod slice, through gcloud. */
import { XenarcError } from "../../compiler/errors.js";
import {
  hostsOf,
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
import { type LaunchPlan, quoted, typed } from "./plan.js";

/** Which TPU. */
export interface TpuVmOptions {
  readonly tpu: string;
  readonly zone: string;
  readonly project?: string;
}

/** Every host gets the job's folder and trains in the background: the training does not need the machine that launched it. */
export function tpuVmPlan(job: Job, { tpu, zone, project }: TpuVmOptions): LaunchPlan {
  requireTpu(job, `the TPU VM ${tpu}`);
  requireName("--tpu", tpu, RESOURCE, RESOURCE_RULE);
  requireName("--zone", zone, ZONE, ZONE_RULE);
  if (project !== undefined) requireName("--project", project, PROJECT, PROJECT_RULE);
  const { name, target, restarts } = job;
  if (target.slices > 1) {
    throw new XenarcError(
      { what: `${target.name} has ${target.slices} slices; a TPU VM is one.`, fix: "Launch it with --gke or --xpk." },
      "usage",
    );
  }
  const { hosts } = hostsOf(target);
  if (hosts > 1 && job.run === undefined) {
    throw new XenarcError(
      {
        what: `The ${hosts} hosts of ${target.name} need a folder that all of them see, for the checkpoints.`,
        fix: "Name it with --run DIR: a Filestore or other NFS mount, or a bucket mounted with gcsfuse on every host.",
      },
      "usage",
    );
  }
  const there = `xenarc/${name}`;
  const folder = `.xenarc/launch/${name}`;
  const run = job.run === undefined ? `"$HOME/${there}/run"` : quoted(job.run);
  const where = [`--zone=${zone}`, ...(project === undefined ? [] : [`--project=${project}`])];
  const ssh = (worker: string, command: string) => [
    ...["gcloud", "compute", "tpus", "tpu-vm", "ssh", tpu],
    ...[`--worker=${worker}`, ...where, `--command=${command}`],
  ];
  const start = [
    `mkdir -p ${there}`,
    `rm -rf ${there}/job`,
    `tar -xzf xenarc-${name}.tgz -C ${there}`,
    `mv ${there}/${name} ${there}/job`,
    `rm xenarc-${name}.tgz`,
    `{ nohup setsid bash ${there}/job/host.sh > ${there}/log.txt 2>&1 < /dev/null & echo $! > ${there}/pid; }`,
  ].join(" && ");
  return {
    folder,
    ...jobFiles(job, folder, run, restarts),
    commands: [
      ["tar", "-czf", `${folder}.tgz`, "-C", ".xenarc/launch", name],
      [
        ...["gcloud", "compute", "tpus", "tpu-vm", "scp", `${folder}.tgz`, `${tpu}:xenarc-${name}.tgz`],
        ...["--worker=all", ...where],
      ],
      ssh("all", start),
    ],
    afterwards: {
      "watch it": typed(ssh("0", `tail -n +1 -F ${there}/log.txt`)),
      "stop it, with a checkpoint": typed(ssh("all", `kill -TERM "$(cat ${there}/pid)"`)),
    },
  };
}
