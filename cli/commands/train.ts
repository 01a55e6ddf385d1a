/** `xenarc train`: compiles if need be, trains, shows how it goes, says where everything lies. */
import { existsSync } from "node:fs";
import { cp, realpath, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { readManifest } from "../../emit/artifact.js";
import type { Compiled } from "../../emit/compile.js";
import { type Command, HISTORY, readHistory, type Start } from "../../emit/history.js";
import { type TrainOptions as RuntimeTrainOptions, train } from "../../runtime-bridge/bridge.js";
import type { EventOf, RuntimeEvent } from "../../runtime-bridge/events.js";
import { interruptible } from "../interrupt.js";
import { describeCommand, keepSource, keepSourceOf, thisCommand } from "../origin.js";
import { TrainingDisplay } from "../progress.js";
import {
  artifactAt,
  artifactOf,
  checkpoints,
  configuredData,
  configuredWeights,
  modelIn,
  namesData,
  openProject,
  type Project,
  RUNS,
  requireArtifact,
  sortWords,
  type Words,
} from "../project.js";
import { EXIT } from "../report.js";
import { type Existing, inNewFolder, put, refuseFolder, settle } from "../run_folder.js";
import { setUpPython } from "../setup.js";
import { COMMAND, count, duration, loss, paint, table } from "../terminal.js";
import { writeOwnText } from "../text.js";
import { compileProject } from "./compile.js";

/** How a run is trained. */
export interface TrainOptions extends Existing {
  /** A path, or one for each source of a mixture; default: what the configuration says. */
  readonly data?: string | readonly string[];
  /** Weights to begin with; default: what the configuration says. */
  readonly from?: string;
  /** What adapters at `from` stand beside: what the configuration says. */
  readonly base?: string;
  readonly json?: boolean;
  /** How many processes share the devices. */
  readonly processes?: number;
  /** Seconds without a step that end the run; 0: never. */
  readonly watchdog?: number;
  /** Steps to profile, the first and the last. */
  readonly profile?: string;
  /** How often to go on by itself when a process has died or hung. */
  readonly restarts?: number;
}

export interface TrainCommandOptions extends TrainOptions {
  readonly config?: string;
  readonly run?: string;
  /** As `train.anomaly=true`. */
  readonly anomaly?: boolean;
  /** A run to repeat. */
  readonly reproduce?: string;
}

export async function trainCommand(given: readonly string[], options: TrainCommandOptions): Promise<void> {
  const sorted = sortWords(given);
  if (options.reproduce !== undefined) return reproduce(options.reproduce, sorted, options);
  const words = options.anomaly ? { ...sorted, overrides: [...sorted.overrides, "train.anomaly=true"] } : sorted;
  const { target = "." } = words;
  const ready = modelIn(target) === undefined ? artifactAt(target) : undefined;
  if (ready !== undefined && (words.overrides.length > 0 || options.config !== undefined)) {
    throw new XenarcError(
      {
        what: `${target} is an artifact: its configuration is compiled into it.`,
        fix: "Change the configuration where the model is, and train that: xenarc train MODEL.ts key=value",
      },
      "usage",
    );
  }
  const project = ready === undefined ? await openProject(words, options.config) : undefined;
  const manifest = project ? undefined : await readManifest(ready!);
  const name = project?.model.name ?? manifest!.name;
  const isRun = ready !== undefined && (existsSync(join(target, HISTORY)) || checkpoints(target).length > 0);
  const goesOn = isRun && options.resume === true && options.run === undefined;
  const run = goesOn ? target : (options.run ?? join(RUNS, name));
  refuseFolder(run, options);
  const namesOwn = project ? configuredData(project) !== undefined : namesData(manifest!);
  const data = options.data ?? (options.resume && !namesOwn ? lastData(run) : undefined);
  const settings: TrainCommandOptions = { ...options, ...(data !== undefined && { data }) };
  const done = project
    ? await trainModel(project, run, settings)
    : await trainCopy(ready!, run, settings, () =>
        describeCommand(run, target, goesOn ? lastSource(target) : undefined),
      );
  end(done, run, options);
}

/** A path in a run's history, from the working directory. */
const pathFrom = (run: string, path: string): string =>
  path.includes("://") ? path : relative(".", resolve(run, path)) || ".";

/** What a start of a run was trained on. */
const dataOf = (run: string, { data }: Start): string[] => data.paths.map((path) => pathFrom(run, path));

/** The model that a run has kept. */
const lastSource = (run: string): Command["source"] => readHistory(run).starts.at(-1)!.command?.source;

/** For a run that goes on, and is told nothing of data: that of its last start. */
function lastData(run: string): string[] | undefined {
  return existsSync(join(run, HISTORY)) ? dataOf(run, readHistory(run).starts.at(-1)!) : undefined;
}

/** Repeats a run from its folder alone: its artifact, on the data that it was trained on. */
async function reproduce(earlier: string, words: Words, options: TrainCommandOptions): Promise<void> {
  const { config, from, anomaly } = options;
  if ((words.target !== undefined || words.overrides.length > 0 || config) ?? from ?? anomaly) {
    throw new XenarcError(
      {
        what: "A run that is repeated has its own model, configuration and weights.",
        fix: `Give no others: ${COMMAND} train --reproduce ${earlier} --run DIR`,
      },
      "usage",
    );
  }
  const [first] = readHistory(earlier).starts;
  const artifact = requireArtifact(artifactOf(earlier));
  const run = options.run ?? `${earlier.replace(/[/\\]+$/, "")}-again`;
  refuseFolder(run, options);
  const weights = first.weights && {
    from: pathFrom(earlier, (first.adapters ?? first.weights).path),
    base: pathFrom(earlier, first.weights.path),
  };
  const given = {
    ...options,
    data: options.data ?? dataOf(earlier, first),
    ...weights,
    processes: options.processes ?? first.processes,
    repeats: earlier,
  };
  const done = await trainCopy(artifact, run, given, () =>
    describeCommand(run, earlier, keepSourceOf(earlier, run, first.command?.source)),
  );
  end(done, run, options);
}

function end(done: EventOf<"done">, run: string, { json }: TrainOptions): void {
  if (done.interrupted) process.exitCode = EXIT.interrupted;
  if (!json) process.stdout.write(`\n${next(done, run)}\n`);
}

/** What to do after a run. */
function next(done: EventOf<"done">, run: string): string {
  const { bold } = paint(process.stdout);
  const flag = run.startsWith(join(RUNS, "/")) ? "" : ` --run ${run}`;
  const line = `Generate text with: ${bold(`${COMMAND} generate${flag} --prompt "The "`)}`;
  return done.interrupted
    ? `Go on with: ${bold(`${thisCommand(["--resume", "--overwrite"])} --resume`)}\n${line}`
    : line;
}

/** Where an artifact is made before it takes its place. */
const draftOf = (run: string): string => `${artifactOf(run)}.new`;

/** A model that was compiled into a run's folder, beside what it has. */
export interface Draft {
  readonly project: Project;
  readonly run: string;
  /** The artifact's folder. */
  readonly folder: string;
  readonly compiled: Compiled;
  readonly seconds: number;
  readonly data: string | readonly string[] | undefined;
}

/** Compiles a model into a run's folder, trains it there, and shows it. */
export async function trainModel(project: Project, run: string, options: TrainOptions): Promise<EventOf<"done">> {
  return inNewFolder(run, async () => trainDraft(await compileInto(run, project, options.data), options));
}

/** Compiles a model for a run; {@link trainDraft} puts it in the place of what the run's folder has. */
export async function compileInto(run: string, project: Project, given: TrainOptions["data"]): Promise<Draft> {
  settle(run);
  const folder = draftOf(run);
  const data = given ?? configuredData(project);
  return { project, run, folder, data, ...(await compileProject(project, folder, { data })) };
}

/** Trains what was compiled, and shows it. */
export async function trainDraft(draft: Draft, options: TrainOptions): Promise<EventOf<"done">> {
  const { project, run, folder, compiled, seconds, data } = draft;
  const base = configuredWeights(project);
  const from = options.from ?? base;
  await put(run, folder, options);
  const { bold, dim } = paint(process.stdout);
  const entries = dim(`${compiled.programs.length} programs compiled in ${duration(seconds)}`);
  if (!options.json) {
    process.stdout.write(`${bold(compiled.name)}  ${count(compiled.parameters)} parameters, ${entries}\n`);
  }
  return trainArtifact(artifactOf(run), run, {
    ...options,
    ...(data !== undefined && { data }),
    ...(from !== undefined && { from }),
    ...(base !== undefined && { base }),
    command: await describeCommand(run, project.file, keepSource(run, project)),
  });
}

/** Trains a copy of an artifact: a run keeps the one that it was trained with, which generation needs. */
async function trainCopy(
  artifact: string,
  run: string,
  options: TrainOptions & { readonly repeats?: string },
  command: () => Promise<Command>,
): Promise<EventOf<"done">> {
  return inNewFolder(run, async () => {
    settle(run);
    const folder = artifactOf(run);
    if (!existsSync(folder) || (await realpath(folder)) !== (await realpath(artifact))) {
      const draft = draftOf(run);
      await rm(draft, { recursive: true, force: true });
      await cp(artifact, draft, { recursive: true });
      await put(run, draft, options);
    }
    return trainArtifact(folder, run, { ...options, command: await command() });
  });
}

/** Trains an artifact in a run's folder, on xenarc's own sources where there is no text. */
async function trainArtifact(
  artifact: string,
  run: string,
  options: TrainOptions & { readonly command: Command; readonly repeats?: string },
): Promise<EventOf<"done">> {
  const { from, base, resume, overwrite, json, processes, watchdog, profile, restarts, command, repeats } = options;
  const data = options.data ?? (await ownText(artifact, run, resume === true, json === true));
  await setUpPython();
  const display = json ? undefined : new TrainingDisplay();
  const seen: Seen = { stepped: false };
  const onEvent = (event: RuntimeEvent): void => {
    if (event.event === "start") settle(run);
    if (event.event === "progress") seen.stepped = true;
    if (event.event === "checkpoint") seen.checkpoint = event.path;
    if (event.event === "weights") seen.weights = event.path;
    if (event.event === "curve") seen.curve = event.path;
    if (event.event === "goodput") seen.goodput = event;
    // An error is said when the command ends.
    if (json && event.event !== "error") process.stdout.write(`${JSON.stringify(event)}\n`);
    else display?.on(event);
  };
  const existing = resume ? "resume" : overwrite ? "overwrite" : undefined;
  const given: RuntimeTrainOptions = {
    artifact,
    run,
    ...(data !== undefined && { data }),
    ...(from !== undefined && { from }),
    ...(base !== undefined && { base }),
    ...(existing && { existing }),
    ...(processes !== undefined && { processes }),
    ...(watchdog !== undefined && { watchdog }),
    ...(profile !== undefined && { profile }),
    ...(restarts !== undefined && { restarts }),
    ...(repeats !== undefined && { repeats }),
    command,
  };
  const done = await interruptible(() => train(given, onEvent)).finally(() => {
    display?.end();
    settle(run);
  });
  if (!json) process.stdout.write(`${outcome(done, run, seen)}\n`);
  return done;
}

/** The text of a run without one: gathered for its first start, kept for the next. */
async function ownText(artifact: string, run: string, resume: boolean, quiet: boolean): Promise<string | undefined> {
  if (namesData(await readManifest(artifact))) return undefined;
  const file = join(run, "text.txt");
  if (!resume || !existsSync(file)) writeOwnText(file);
  if (!quiet) {
    const { dim } = paint(process.stdout);
    process.stdout.write(dim("  no text given: xenarc's own sources it is (--data FILE_OR_FOLDER takes yours)\n"));
  }
  return file;
}

/** What of a run's events is said at its end. */
interface Seen {
  stepped: boolean;
  checkpoint?: string;
  weights?: string;
  curve?: string;
  goodput?: EventOf<"goodput">;
}

function outcome(done: EventOf<"done">, run: string, { stepped, checkpoint, weights, curve, goodput }: Seen): string {
  const validation = done.validation_loss === undefined ? "" : `validation ${loss(done.validation_loss)}`;
  const steps = `${count(done.step)} steps`;
  const result = stepped
    ? `${[loss(done.loss), validation].filter(Boolean).join(", ")}, after ${steps} in ${duration(done.seconds)}`
    : done.step === 0
      ? "ended before its first step"
      : `${validation === "" ? "" : `${validation}; `}all ${steps} were done before (train.steps=N sets another number)`;
  const rows = [
    ["loss", result],
    ...(curve === undefined ? [] : [["curve", curve]]),
    ["log", join(run, "log.txt")],
    ...(goodput === undefined ? [] : [["goodput", goodputText(goodput)]]),
    ["checkpoint", checkpoint ?? join(run, "checkpoints", String(done.step))],
    ...(weights === undefined ? [] : [["weights", weights]]),
  ];
  const cut = `Interrupted at step ${count(done.step)} of ${count(done.steps)}; a checkpoint was saved.`;
  return [...table(rows), ...(done.interrupted ? ["", paint(process.stdout).yellow(cut)] : [])].join("\n");
}

/** Causes of the event `goodput` in words. */
const CAUSES: Readonly<Record<string, string>> = {
  startup: "start-up",
  compile: "compiling",
  data: "waiting for data",
  checkpoint: "checkpoints",
  evaluation: "evaluation",
  repeated: "steps done again",
  skipped: "bad steps",
  down: "down",
};

/** The share of the time that went into steps, and what took the rest, the most first. */
function goodputText({ share, seconds, slowest }: EventOf<"goodput">): string {
  const total = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  const percent = (part: number) => `${Math.round(100 * part)}%`;
  const losses = Object.entries(seconds)
    .filter(([cause, value]) => cause !== "steps" && value >= 0.01 * total)
    .sort(([, a], [, b]) => b - a)
    .map(([cause, value]) => `${CAUSES[cause] ?? cause} ${percent(value / total)}`);
  const lags = slowest !== null && slowest.ms > 1 && slowest.ms > 2 * slowest.median_ms;
  const waited = lags
    ? [
        `process ${slowest.process} takes ${slowest.ms.toFixed(1)} ms for its batches, most ${slowest.median_ms.toFixed(1)}`,
      ]
    : [];
  return [`${percent(share ?? 0)} of ${duration(total)} in steps`, ...losses, ...waited].join(", ");
}
