/** `xenarc sweep`: a run for every combination of some settings' values, one after the other, and how they compare. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { writeAtomically } from "../../compiler/source/cache.js";
import { essenceOf } from "../../emit/artifact.js";
import { makeFolder } from "../../emit/folder.js";
import { HISTORY, readHistory, type Source } from "../../emit/history.js";
import { drawCurves, sources } from "../../runtime-bridge/bridge.js";
import { Interrupted } from "../interrupt.js";
import { artifactAt, openModel, openProject, RUNS, sortWords } from "../project.js";
import { EXIT } from "../report.js";
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
  readonly validation?: number | null;
  readonly loss?: number | null;
  readonly step?: number;
  readonly seconds?: number;
  /** Why there is no loss. */
  readonly failed?: string;
}

export async function sweepCommand(words: readonly string[], options: SweepOptions): Promise<void> {
  const sorted = sortWords(words);
  const combinations = product(sorted.overrides.map(valuesOf));
  const { model } = await openModel(sorted.target);
  await refuseIfAllAreWrong(combinations, sorted.target, options.config);
  const folder = options.run ?? join(RUNS, `${model.name}-sweep`);
  makeFolder(folder);
  const varied = sorted.overrides.filter((word) => valuesOf(word).length > 1).map((word) => word.split("=", 1)[0]!);
  const results: Result[] = [];
  for (const [i, settings] of combinations.entries()) {
    const own = settings.filter((setting) => varied.includes(setting.split("=", 1)[0]!));
    const run = join(folder, nameOf(own));
    if (!options.json) {
      const { bold } = paint(process.stdout);
      process.stdout.write(`${bold(`${i + 1} of ${combinations.length}`)}  ${own.join(" ")}\n`);
    }
    const result = await once(run, settings, own, sorted.target, options);
    if (result === undefined) {
      process.exitCode = EXIT.interrupted;
      process.stdout.write(`Interrupted. The same command goes on: ${COMMAND} sweep ...\n`);
      return;
    }
    results.push(result);
  }
  await report(folder, results, options.json === true);
  if (results.some(({ failed }) => failed !== undefined)) process.exitCode = EXIT.program;
}

/** What no combination can be configured with is a mistake in the command, not the failure of a run. */
async function refuseIfAllAreWrong(
  combinations: readonly (readonly string[])[],
  target: string | undefined,
  config: string | undefined,
): Promise<void> {
  let first: XenarcError | undefined;
  for (const overrides of combinations) {
    try {
      await openProject({ target, overrides }, config);
      return;
    } catch (error) {
      if (!(error instanceof XenarcError)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** Trains one combination, or takes what a finished run of the same has; undefined: interrupted. */
async function once(
  run: string,
  settings: readonly string[],
  own: readonly string[],
  target: string | undefined,
  options: SweepOptions,
): Promise<Result | undefined> {
  const file = join(run, "result.json");
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
  const essences = await Promise.all([join(run, "artifact"), folder].map(essenceOf));
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

async function report(folder: string, results: readonly Result[], json: boolean): Promise<void> {
  const value = ({ validation, loss }: Result) => validation ?? loss ?? Number.POSITIVE_INFINITY;
  const sorted = [...results].sort((a, b) => value(a) - value(b));
  const picture = join(folder, "sweep.png");
  const good = sorted.filter(({ failed }) => failed === undefined);
  if (good.length > 0) await drawCurves({ runs: good.map(({ run }) => run), output: picture });
  if (json) {
    process.stdout.write(`${JSON.stringify({ event: "sweep", results: sorted, picture })}\n`);
    return;
  }
  const rows = sorted.map((r) => [
    r.settings.join(" "),
    r.failed === undefined ? loss(r.validation) : "failed",
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

const product = (lists: readonly (readonly string[])[]): string[][] =>
  lists.reduce<string[][]>((all, list) => all.flatMap((before) => list.map((one) => [...before, one])), [[]]);

/** The most bytes of a file's name. */
const LONGEST = 255;

/** A folder's name for some settings; with a hash of them where it does not have all of them. */
export function nameOf(settings: readonly string[]): string {
  const said = settings.join(",");
  if (said === "") return "only";
  const name = said.replace(/[^\w.=,+-]+/g, "_");
  if (name === said && name.length <= LONGEST) return name;
  const hash = createHash("sha256").update(said).digest("hex").slice(0, 8);
  return `${name.slice(0, LONGEST - hash.length - 1)}-${hash}`;
}
