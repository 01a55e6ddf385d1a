/** `xenarc sweep`: a run for every combination of some settings' values, one after the other, and how they compare. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { makeFolder } from "../../emit/folder.js";
import { drawCurves } from "../../runtime-bridge/bridge.js";
import { Interrupted } from "../interrupt.js";
import { checkpoints, openModel, openProject, RUNS, sortWords } from "../project.js";
import { EXIT } from "../report.js";
import { COMMAND, duration, loss, paint, table } from "../terminal.js";
import { trainModel } from "./train.js";

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
}

/** Trains one combination, or takes what a finished run of it has; undefined: interrupted. */
async function once(
  run: string,
  settings: readonly string[],
  own: readonly string[],
  target: string | undefined,
  options: SweepOptions,
): Promise<Result | undefined> {
  const file = join(run, "result.json");
  if (existsSync(file)) {
    const before = JSON.parse(readFileSync(file, "utf8")) as Result & { readonly all: readonly string[] };
    if (before.failed === undefined && String(before.all) === String(settings)) return before;
  }
  try {
    const project = await openProject({ target, overrides: settings }, options.config);
    const resume = checkpoints(run).length > 0;
    const done = await trainModel(project, run, {
      ...(options.data !== undefined && { data: options.data }),
      ...(options.json && { json: true }),
      resume,
    });
    if (done.interrupted) return undefined;
    const { validation_loss: validation, loss, step, seconds } = done;
    const result = { settings: own, run, validation, loss, step, seconds };
    writeFileSync(file, JSON.stringify({ ...result, all: settings }, undefined, 2));
    return result;
  } catch (error) {
    if (error instanceof Interrupted) return undefined;
    if (!(error instanceof XenarcError)) throw error;
    const failed = error.parts.what;
    if (!options.json) process.stdout.write(`${paint(process.stdout).yellow(failed)}\n`);
    makeFolder(run);
    writeFileSync(file, JSON.stringify({ settings: own, run, failed, all: settings }, undefined, 2));
    return { settings: own, run, failed };
  }
}

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

/** A folder's name for some settings. */
const nameOf = (settings: readonly string[]): string =>
  settings.length === 0 ? "only" : settings.join(",").replace(/[^\w.=,+-]+/g, "_");
