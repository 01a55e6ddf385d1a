/** `xenarc sweep`: a run for every combination of some settings' values, one after the other, and how they compare. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { writeAtomically } from "../../compiler/source/cache.js";
import { essenceOf } from "../../emit/artifact.js";
import { makeFolder } from "../../emit/folder.js";
import { HISTORY, readHistory, type Source } from "../../emit/history.js";
import type { ModelDefinition } from "../../models/define.js";
import { drawCurves, sources } from "../../runtime-bridge/bridge.js";
import { Interrupted } from "../interrupt.js";
import { artifactAt, artifactOf, openModel, openProject, type Project, RESULT, RUNS, sortWords } from "../project.js";
import { EXIT } from "../report.js";
import { refuseFile } from "../run_folder.js";
import { COMMAND, duration, loss, paint, table } from "../terminal.js";
import { compileInto, type Draft, trainDraft } from "./train.js";

export interface SweepOptions {
  readonly config?: string;
  readonly data?: string;
  readonly run?: string;
  readonly json?: boolean;
}

/** What became of one combination. */
interface Result {
  readonly settings: readonly string[];
  readonly run: string;
  /** Null: not finite. Absent: nothing was evaluated. */
  readonly validation?: number | null | undefined;
  readonly loss?: number | null;
  readonly step?: number;
  readonly seconds?: number;
  /** Why there is no loss. */
  readonly failed?: string;
}

export async function sweepCommand(words: readonly string[], options: SweepOptions): Promise<void> {
  const { target, overrides } = sortWords(words);
  if (overrides.length === 0) {
    throw new XenarcError(
      { what: "There is nothing to vary.", fix: "Give a setting several values: train.learningRate=1e-4,3e-4" },
      "usage",
    );
  }
  const combinations = product(overrides.map(valuesOf));
  const { model } = await openModel(target);
  const varied = overrides.filter((word) => valuesOf(word).length > 1).map(keyOf);
  const ownOf = (settings: readonly string[]) =>
    settings.filter((setting) => varied.length === 0 || varied.includes(keyOf(setting)));
  for (const overrides of combinations)
    refuseUnbuildable(model, await openProject({ target, overrides }, options.config), ownOf(overrides));
  const folder = options.run ?? join(RUNS, `${model.name}-sweep`);
  refuseFile(folder);
  makeFolder(folder);
  const results: Result[] = [];
  for (const [i, settings] of combinations.entries()) {
    const own = ownOf(settings);
    const run = join(folder, nameOf(own));
    if (!options.json) {
      const { bold } = paint(process.stdout);
      process.stdout.write(`${bold(`${i + 1} of ${combinations.length}`)}  ${own.join(" ")}\n`);
    }
    const result = await once(run, settings, own, target, options);
    if (result === undefined) {
      process.exitCode = EXIT.interrupted;
      process.stderr.write(`Interrupted. The same command goes on: ${COMMAND} sweep ...\n`);
      return;
    }
    results.push(result);
  }
  await report(folder, results, options.json === true);
  if (results.some(({ failed }) => failed !== undefined)) process.exitCode = EXIT.program;
}

/** A combination that no model can be built with is a mistake in the command, not the failure of a run. */
function refuseUnbuildable(model: ModelDefinition, { config }: Project, own: readonly string[]): void {
  try {
    model.build(config);
  } catch (error) {
    if (!(error instanceof XenarcError)) throw error;
    throw new XenarcError({ ...error.parts, what: `With ${own.join(" ")}: ${error.parts.what}` }, error.fault);
  }
}

/** Trains one combination, or takes what a finished run of the same has; undefined: interrupted. */
async function once(
  run: string,
  settings: readonly string[],
  own: readonly string[],
  target: string | undefined,
  options: SweepOptions,
): Promise<Result | undefined> {
  const file = join(run, RESULT);
  const say = (text: string) => options.json || process.stdout.write(`${paint(process.stdout).yellow(text)}\n`);
  try {
    const project = await openProject({ target, overrides: settings }, options.config);
    const draft = await compileInto(run, project, options.data);
    const changed = existsSync(join(run, HISTORY)) ? await whatChanged(draft) : [];
    if (changed.length > 0) say(`${run} was trained with ${changed.join(" and on ")}: it begins anew.`);
    const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Result) : undefined;
    if (before !== undefined && before.failed === undefined && changed.length === 0) {
      rmSync(draft.folder, { recursive: true });
      return before;
    }
    rmSync(file, { force: true });
    const json = options.json === true;
    const done = await trainDraft(draft, { json, ...(changed.length > 0 ? { overwrite: true } : { resume: true }) });
    if (done.interrupted) return undefined;
    const { validation_loss: validation, loss, step, seconds } = done;
    const result = { settings: own, run, validation, loss, step, seconds };
    writeAtomically(file, JSON.stringify(result, undefined, 2));
    return result;
  } catch (error) {
    if (error instanceof Interrupted) return undefined;
    if (!(error instanceof XenarcError)) throw error;
    const failed = error.parts.what;
    say(failed);
    writeAtomically(file, JSON.stringify({ settings: own, run, failed }, undefined, 2));
    return { settings: own, run, failed };
  }
}

/** What of a run is not what it would be trained with now: a run that goes on is to be the same throughout. */
async function whatChanged({ run, folder, data, compiled }: Draft): Promise<string[]> {
  if (artifactAt(run) === undefined) return ["an artifact that is gone"];
  const { starts } = readHistory(run);
  const essences = await Promise.all([artifactOf(run), folder].map(essenceOf));
  const hashes = (sources: readonly Source[]) => sources.map(({ sha256 }) => sha256).join();
  // What was found where no data are named is the run's own.
  const now = hashes(await sourcesOf(folder, compiled.config, data ?? join(run, "text.txt")));
  return [
    ...(essences[0] === essences[1] ? [] : ["another model or configuration"]),
    ...(starts.every((start) => hashes(start.data.sources) === now) ? [] : ["other data"]),
  ];
}

/** The data of an artifact; looked at once for all combinations that say the same of them. */
async function sourcesOf(
  artifact: string,
  config: Draft["compiled"]["config"],
  data: Draft["data"],
): Promise<Source[]> {
  const key = JSON.stringify([data, config.data]);
  const found = looked.get(key) ?? sources({ artifact, data });
  looked.set(key, found);
  return found;
}

const looked = new Map<string, Promise<Source[]>>();

/** The best first: by the validation loss wherever one was evaluated; what has none, or failed, comes last. */
export function ranked(results: readonly Result[]): Result[] {
  const judged = results.some(({ validation }) => validation !== undefined);
  const keys = ({ failed, validation, loss }: Result) =>
    [judged ? validation : loss, loss].map((value) => (failed === undefined ? (value ?? Number.MAX_VALUE) : Infinity));
  const compare = ([a, b]: number[], [c, d]: number[]) => Math.sign(a! - c!) || Math.sign(b! - d!);
  return [...results].sort((one, other) => compare(keys(one), keys(other)));
}

async function report(folder: string, results: readonly Result[], json: boolean): Promise<void> {
  const sorted = ranked(results);
  const picture = join(folder, "sweep.png");
  const good = sorted.filter(({ failed }) => failed === undefined);
  if (good.length > 0) await drawCurves({ runs: good.map(({ run }) => run), output: picture });
  if (json) {
    process.stdout.write(`${JSON.stringify({ event: "sweep", results: sorted, picture })}\n`);
    return;
  }
  const rows = sorted.map((r) => [
    r.settings.join(" "),
    r.failed !== undefined ? "failed" : r.validation === undefined ? "none" : loss(r.validation),
    r.failed === undefined ? loss(r.loss) : r.failed,
    r.seconds === undefined ? "" : duration(r.seconds),
  ]);
  process.stdout.write(`\n${table([["settings", "validation", "loss", "time"], ...rows]).join("\n")}\n`);
  if (good.length > 0) process.stdout.write(`\n  curves  ${picture}\n`);
}

/** `key=1,2` as settings of one value each; commas inside brackets and quotes divide nothing. */
export function valuesOf(word: string): string[] {
  const at = word.indexOf("=");
  const parts = word.slice(at + 1).match(/(?:\[[^\]]*\]|\{[^}]*\}|"[^"]*"|'[^']*'|[^,])+/g) ?? [""];
  return parts.map((part) => `${word.slice(0, at)}=${part}`);
}

const keyOf = (setting: string): string => setting.split("=", 1)[0]!;

const product = (lists: readonly (readonly string[])[]): string[][] =>
  lists.reduce<string[][]>((all, list) => all.flatMap((before) => list.map((one) => [...before, one])), [[]]);

/** The most bytes of a file's name. */
const LONGEST = 255;

/** A folder's name for some settings; with a hash of them where it does not have all of them. */
export function nameOf(settings: readonly string[]): string {
  const said = settings.join(",");
  const name = said.replace(/[^\w.=,+-]+/g, "_");
  if (name === said && name.length <= LONGEST) return name;
  const hash = createHash("sha256").update(said).digest("hex").slice(0, 8);
  return `${name.slice(0, LONGEST - hash.length - 1)}-${hash}`;
}
