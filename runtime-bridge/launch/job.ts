/** What is launched, wherever it runs: the folder that every host gets, and the script that runs there. */
import { basename } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import type { Target } from "../../compiler/plan/target.js";
import { pythonFolder } from "../paths.js";
import { type Copy, inside, quoted, type TextFile } from "./plan.js";

/** A training job. */
export interface Job {
  /** Names the job wherever it goes. */
  readonly name: string;
  /** The artifact's folder. */
  readonly artifact: string;
  /** What the artifact was compiled for. */
  readonly target: Target;
  /** A text on this machine that goes along; default: what the artifact's configuration says, as the hosts see it. */
  readonly data?: string;
  /** The folder for checkpoints and metrics as the hosts see it. */
  readonly run?: string;
  readonly watchdog: number;
  readonly restarts: number;
}

/** The package's own files that a host needs. */
const PACKAGE = ["xenarc_runtime", "requirements.lock", "requirements-hosts.lock", "requirements-tpu.lock"];

const PLATFORMS = { cpu: "cpu", tpu: "tpu" } as const;

/** What goes into the folder that every host gets. */
export function jobFiles(
  job: Job,
  folder: string,
  run: string,
  restarts: number,
): { copies: Copy[]; files: TextFile[] } {
  const { artifact, data, name } = job;
  const copies: Copy[] = [
    { from: artifact, to: inside(folder, "artifact") },
    ...(data === undefined ? [] : [{ from: data, to: inside(folder, "data", basename(data)) }]),
    ...PACKAGE.map((file) => ({
      from: inside(pythonFolder(), file),
      to: inside(folder, file),
      shown: `${file} of the package`,
    })),
  ];
  return { copies, files: [{ path: inside(folder, "host.sh"), text: hostScript(job, run, restarts, name) }] };
}

/**
 * The script of one host: makes the Python environment, once, and trains.
 *
 * @param run the run's folder in shell syntax.
 * @param restarts how often it goes on by itself; 0 where something else restarts the whole group.
 */
function hostScript({ target, data, watchdog }: Job, run: string, restarts: number, name: string): string {
  if (target.platform === "gpu") {
    throw new XenarcError(
      { what: `${target.name}: xenarc has locked packages for CPUs and TPUs only.`, expected: "a tpu or cpu target" },
      "usage",
    );
  }
  const tpu = target.platform === "tpu";
  const locks = ["requirements.lock", ...(tpu ? ["requirements-hosts.lock", "requirements-tpu.lock"] : [])];
  const given = data === undefined ? "" : ` --data=${quoted(`data/${basename(data)}`)}`;
  return `#!/usr/bin/env bash
# The job ${name} on one host: makes the Python environment, once, and trains. The hosts find each other by themselves.
set -euo pipefail
cd "$(dirname "\${BASH_SOURCE[0]}")"

python=
for candidate in python3.13 python3.12 python3.11 python3; do
  if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "error: there is no Python 3.11 or newer with its venv module on $(hostname). Debian, Ubuntu: sudo apt-get install python3.11-venv" >&2
  exit 2
fi

# One at a time: several hosts may share the home folder.
locks=(${locks.join(" ")})
environment=\${XDG_CACHE_HOME:-$HOME/.cache}/xenarc/host-$(cat "\${locks[@]}" | sha256sum | cut -c 1-16)
mkdir -p "$(dirname "$environment")"
(
  flock 9
  if [ ! -e "$environment/xenarc-ready" ]; then
    rm -rf "$environment"
    "$python" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --require-hashes --no-input --disable-pip-version-check "\${locks[@]/#/--requirement=}"
    touch "$environment/xenarc-ready"
  fi
) 9> "$environment.lock"

export JAX_PLATFORMS=${PLATFORMS[target.platform]} PYTHONPATH=$PWD PYTHONNOUSERSITE=1 PYTHONUNBUFFERED=1 PYTHONIOENCODING=utf-8
export TF_CPP_MIN_LOG_LEVEL=\${TF_CPP_MIN_LOG_LEVEL:-2}
run=${run}
mkdir -p "$run"
restarts=${restarts}
child=
stopping=
# Ctrl-C, or the scheduler's word: the runtime ends with a checkpoint.
trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' INT TERM
for ((restart = 0; ; restart++)); do
  "$environment/bin/python" -m xenarc_runtime train artifact --run="$run" --resume --watchdog=${watchdog}${given} &
  child=$!
  code=0
  wait "$child" || code=$?
  # A signal ends the wait before the process.
  while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
  done
  # 1 and 2 are mistakes that another try would repeat.
  if ((code < 3 || restart == restarts)) || [ -n "$stopping" ]; then
    exit "$code"
  fi
  echo "The process ended with code $code. Going on from the last checkpoint (restart $((restart + 1)) of $restarts)." >&2
done
`;
}

/** Hosts of a slice, and chips of each: Cloud TPU's hosts have four chips, but for the small slices of v5e and v6e, which have one host. */
export function hostsOf({ generation, topology = [] }: Target): { hosts: number; chips: number } {
  const total = topology.reduce((a, b) => a * b, 1);
  const most = (generation === "v5e" || generation === "v6e") && total <= 8 ? 8 : 4;
  const chips = Math.min(total, most);
  return { hosts: Math.ceil(total / chips), chips };
}

/** Throws {@link XenarcError} for an artifact that is not for TPUs. */
export function requireTpu({ target, artifact }: Job, where: string): void {
  if (target.platform === "tpu") return;
  throw new XenarcError(
    {
      what: `${artifact} was compiled for ${target.name}, and ${where} has TPUs.`,
      fix: "Compile it for them: xenarc compile target=tpu:v5e:4x4 -o DIR",
    },
    "usage",
  );
}

/** Throws {@link XenarcError} for a name that is not as it must be. */
export function requireName(option: string, value: string, pattern: RegExp, expected: string): void {
  if (pattern.test(value)) return;
  throw new XenarcError({ what: `${option} ${value}: there can be no such name.`, expected }, "usage");
}

/** Names of jobs, TPUs and clusters (RFC 1035, short enough for what Kubernetes adds). */
export const RESOURCE = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;
export const RESOURCE_RULE = "lower-case letters, digits and dashes, a letter first, at most 40";
export const ZONE = /^[a-z]+-[a-z]+\d+-[a-z]$/;
export const ZONE_RULE = "a zone such as us-east5-a";
export const PROJECT = /^[a-z][-a-z0-9:.]{4,61}[a-z0-9]$/;
export const PROJECT_RULE = "a project's id";
