/** `xenarc launch`: the artifact, the Python package and its lock files to other machines, and training there. */
import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { parseTarget } from "../../compiler/plan/target.js";
import { readManifest } from "../../emit/artifact.js";
import {
  carryOut,
  gkePlan,
  type Job,
  type LaunchPlan,
  RESOURCE,
  RESOURCE_RULE,
  renderPlan,
  requireName,
  slurmPlan,
  stage,
  tpuVmPlan,
  xpkPlan,
} from "../../runtime-bridge/launch/index.js";
import { artifactAt, namesData, requireArtifact } from "../project.js";
import { paint } from "../terminal.js";

export interface LaunchCommandOptions {
  readonly tpu?: string;
  readonly gke?: boolean;
  readonly slurm?: boolean;
  readonly xpk?: string;
  readonly zone?: string;
  readonly project?: string;
  readonly bucket?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly image?: string;
  readonly nodes?: number;
  readonly partition?: string;
  readonly account?: string;
  readonly time?: string;
  readonly name?: string;
  readonly data?: string;
  readonly run?: string;
  readonly watchdog: number;
  readonly restarts: number;
  readonly out?: string;
  readonly dryRun?: boolean;
}

/** What each place needs beside its own flag, and its plan. */
const PLACES = {
  tpu: { needs: ["zone"], plan: (job, o) => tpuVmPlan(job, { ...o, tpu: o.tpu!, zone: o.zone! }) },
  gke: { needs: ["bucket"], plan: (job, o) => gkePlan(job, { ...o, bucket: o.bucket! }) },
  slurm: { needs: [], plan: (job, o) => slurmPlan(job, o) },
  xpk: { needs: ["zone"], plan: (job, o) => xpkPlan(job, { ...o, cluster: o.xpk!, zone: o.zone! }) },
} satisfies Record<
  string,
  { needs: (keyof LaunchCommandOptions)[]; plan: (job: Job, options: LaunchCommandOptions) => LaunchPlan }
>;

type Place = keyof typeof PLACES;

export async function launchCommand(artifact: string | undefined, options: LaunchCommandOptions): Promise<void> {
  const place = placeOf(options);
  const plan = PLACES[place].plan(await jobOf(artifact, options), options);
  const script = plan.files.find(({ path }) => /\.(yaml|sbatch)$/.test(path));
  const { out, dryRun } = options;
  if (out !== undefined && script === undefined) {
    throw new XenarcError({ what: "--out is for the JobSet of --gke and the script of --slurm." }, "usage");
  }
  if (dryRun) process.stdout.write(renderPlan(plan));
  else if (out === "-") process.stdout.write(script!.text);
  else if (out !== undefined) await writeFile(out, script!.text);
  else await launch(plan);
  // What is written elsewhere still needs the folder that it speaks of.
  if (out !== undefined && !dryRun) await stage({ ...plan, files: plan.files.filter((file) => file !== script) });
}

async function launch(plan: LaunchPlan): Promise<void> {
  const { bold, dim } = paint(process.stdout);
  await carryOut(plan, (command) => process.stdout.write(`${dim(`$ ${command}`)}\n`));
  const lines = Object.entries(plan.afterwards).map(([what, command]) => `  ${what}: ${bold(command)}`);
  process.stdout.write(`\nLaunched.\n${lines.join("\n")}\n`);
}

function placeOf(options: LaunchCommandOptions): Place {
  const given = (Object.keys(PLACES) as Place[]).filter((place) => options[place] !== undefined);
  const [place] = given;
  if (place === undefined || given.length > 1) {
    throw new XenarcError(
      {
        what:
          place === undefined
            ? "There is no word of where to launch it."
            : `--${given.join(" and --")} are different places.`,
        expected: "one of --tpu NAME, --gke, --slurm, --xpk CLUSTER",
      },
      "usage",
    );
  }
  const missing = PLACES[place].needs.find((need) => options[need] === undefined);
  if (missing === undefined) return place;
  const what = `--${place} needs --${missing}.`;
  const fix = { zone: "Such as --zone us-east5-a.", bucket: "A bucket of Cloud Storage: --bucket gs://NAME" }[missing];
  throw new XenarcError({ what, fix }, "usage");
}

async function jobOf(given: string | undefined, options: LaunchCommandOptions): Promise<Job> {
  const artifact = given === undefined ? onlyArtifact() : requireArtifact(given);
  const manifest = await readManifest(artifact);
  const { name, config } = manifest;
  const { data, run, watchdog, restarts } = options;
  if (data !== undefined && !existsSync(data)) {
    throw new XenarcError(
      {
        what: `There is no file or folder ${data} here.`,
        fix: "A text that is on the hosts already is named in the configuration: data.path=/where/it/is.",
      },
      "usage",
    );
  }
  if (data === undefined && !namesData(manifest)) {
    throw new XenarcError(
      {
        what: "There is no text to train on.",
        fix: "Give a UTF-8 file or a folder with --data, which is sent along, or compile the model with data.path=... of the hosts.",
      },
      "usage",
    );
  }
  const job = options.name ?? name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  requireName("--name", job, RESOURCE, RESOURCE_RULE);
  return {
    name: job,
    artifact,
    target: parseTarget(targetOf(config)),
    ...(data !== undefined && { data }),
    ...(run !== undefined && { run }),
    watchdog,
    restarts,
  };
}

/** The target of an artifact's configuration; on CPUs, as many as its mesh says. */
function targetOf(config: Readonly<Record<string, unknown>>): string {
  const { target = "cpu", mesh = {} } = config as { target?: string; mesh?: Record<string, number> };
  return target === "cpu" ? `cpu:${Object.values(mesh).reduce((a, b) => a * b, 1)}` : target;
}

/** The one artifact below `artifacts/`, where `xenarc compile` puts them. */
function onlyArtifact(): string {
  const found = existsSync("artifacts")
    ? readdirSync("artifacts").flatMap((name) => artifactAt(join("artifacts", name)) ?? [])
    : [];
  if (found.length === 1) return found[0]!;
  throw new XenarcError(
    found.length === 0
      ? { what: "There is no artifact in artifacts/ here.", fix: "Make one: xenarc compile target=tpu:v5e:4x4" }
      : { what: `There are ${found.length} artifacts: ${found.join(", ")}.`, fix: "Name one." },
    "usage",
  );
}
