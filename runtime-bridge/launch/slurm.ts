/** Launching on a SLURM cluster whose nodes share the folder it is launched from. */
import { XenarcError } from "../../compiler/errors.js";
import { hostsOf, type Job, jobFiles, requireName } from "./job.js";
import { type LaunchPlan, quoted } from "./plan.js";

/** What is asked of SLURM. */
export interface SlurmOptions {
  /** Nodes, with one process each. Default: what the target says, else 1. */
  readonly nodes?: number;
  readonly partition?: string;
  readonly account?: string;
  /** As sbatch takes it: `8:00:00`, `2-12`. */
  readonly time?: string;
}

/** Seconds before the end of the time for a last checkpoint. */
const GRACE_SECONDS = 120;

/** The batch script lies beside the job's folder. Without `run`, checkpoints go to `runs/NAME` where it is launched from. */
export function slurmPlan(job: Job, options: SlurmOptions): LaunchPlan {
  for (const option of ["partition", "account"] as const) {
    const value = options[option];
    if (value !== undefined) requireName(`--${option}`, value, /^[\w.,-]+$/, "letters, digits, dots, dashes");
  }
  if (options.time !== undefined)
    requireName("--time", options.time, /^\d+(-\d+)?(:\d+){0,2}$/, "such as 8:00:00 or 2-12");
  const { name, target, restarts } = job;
  const nodes = options.nodes ?? (target.platform === "tpu" ? hostsOf(target).hosts * target.slices : 1);
  if (target.devices % nodes !== 0) {
    throw new XenarcError(
      {
        what: `The artifact is for ${target.devices} devices, which ${nodes} nodes cannot share evenly.`,
        fix: `Give a number of nodes that divides ${target.devices}.`,
      },
      "usage",
    );
  }
  const folder = `.xenarc/launch/${name}`;
  const script = `${folder}.sbatch`;
  const run = job.run === undefined ? `"$SLURM_SUBMIT_DIR"/runs/${name}` : quoted(job.run);
  const { copies, files } = jobFiles(job, folder, run, restarts);
  const settings = {
    "job-name": name,
    nodes: `${nodes}`,
    "ntasks-per-node": "1",
    output: `${name}-%j.log`,
    signal: `TERM@${GRACE_SECONDS}`,
    partition: options.partition,
    account: options.account,
    time: options.time,
  };
  const text = [
    "#!/usr/bin/env bash",
    ...Object.entries(settings).flatMap(([key, value]) => (value === undefined ? [] : [`#SBATCH --${key}=${value}`])),
    "set -euo pipefail",
    "# A host starts its process again by itself; when it no longer does, the job is over.",
    `srun --kill-on-bad-exit=1 bash "$SLURM_SUBMIT_DIR"/${folder}/host.sh`,
    "",
  ].join("\n");
  return {
    folder,
    copies,
    files: [...files, { path: script, text }],
    commands: [["sbatch", script]],
    afterwards: {
      "watch it": `tail -F ${name}-*.log`,
      "stop it, with a checkpoint": `scancel --signal=TERM --name=${name}`,
    },
  };
}
