/** `xenarc generate`: text from a trained model, as it comes. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { makeFolder } from "../../emit/folder.js";
import { type GenerateOptions, generate } from "../../runtime-bridge/bridge.js";
import type { EventOf } from "../../runtime-bridge/events.js";
import { interruptible } from "../interrupt.js";
import { artifactAt, artifactOf, checkpoints, requireRun } from "../project.js";
import { EXIT, showWarning } from "../report.js";
import { setUpPython } from "../setup.js";
import { count, paint, StatusLine } from "../terminal.js";
import { type TraceFile, traceFile, traceKind } from "../trace.js";

export interface GenerateCommandOptions {
  readonly run?: string;
  readonly step?: number;
  readonly prompt?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
  readonly greedy?: boolean;
  readonly stop?: readonly string[];
  readonly json?: boolean;
  readonly trace?: string;
  readonly top?: number;
  readonly look?: readonly string[];
  readonly model?: string;
  readonly session?: string;
  readonly embeddings?: readonly string[];
  readonly at?: readonly number[];
}

export async function generateCommand(options: GenerateCommandOptions): Promise<void> {
  checkTrace(options);
  const embeddings = placed(options);
  const run = requireRun(options.run);
  const { step, prompt, maxTokens, topK, topP, seed, stop, greedy, json, session } = options;
  const steps = checkpoints(run);
  if (step !== undefined && !steps.includes(step)) {
    throw new XenarcError(
      { what: `${run} has no checkpoint of step ${step}.`, expected: `one of ${steps.join(", ")}.` },
      "usage",
    );
  }
  const temperature = greedy ? 0 : options.temperature;
  const trace =
    options.trace === undefined
      ? undefined
      : await openTrace(options.trace, run, step ?? steps.at(-1)!, options, temperature);
  if (session !== undefined) makeFolder(dirname(session));
  const { dim } = paint(process.stderr);
  if (process.stderr.isTTY) process.stderr.write(dim(`${run}, step ${count(step ?? steps.at(-1)!)}\n`));
  const done = await generateFrom(run, {
    ...(step !== undefined && { step }),
    ...(prompt !== undefined && { prompt }),
    ...(stop && { stop }),
    ...(session !== undefined && { session }),
    ...(embeddings.length > 0 && { embeddings }),
    ...{ maxTokens, topK, topP, seed, temperature },
    json: json ?? false,
    ...(trace && { trace }),
  });
  if (options.trace !== undefined && process.stderr.isTTY) process.stderr.write(dim(`trace: ${options.trace}\n`));
  if (done.reason === "interrupted") process.exitCode = EXIT.interrupted;
}

/** The files of vectors, and where each stands. @throws XenarcError for numbers of places that are for no file. */
function placed({ embeddings = [], at = [] }: GenerateCommandOptions): { file: string; at: number }[] {
  if (at.length > 0 && at.length !== embeddings.length) {
    const what = `--at has ${at.length} numbers, and --embeddings ${embeddings.length} files.`;
    throw new XenarcError({ what, expected: "one for each file, or none: in front of the prompt" }, "usage");
  }
  return embeddings.map((file, i) => ({ file, at: at[i] ?? 0 }));
}

/** @throws XenarcError for a trace's name that does not say what to write, and for what only traces take. */
function checkTrace(options: GenerateCommandOptions): void {
  if (options.trace !== undefined) traceKind(options.trace);
  const alone = (["top", "look", "model"] as const).find((name) => options[name] !== undefined);
  if (alone === undefined || options.trace !== undefined) return;
  throw new XenarcError({ what: `--${alone} is for traces.`, fix: "Add --trace FILE.html" }, "usage");
}

/** A trace that generation is to write, and what the runtime needs for it. */
interface Tracing {
  readonly file: TraceFile;
  readonly probes: string;
  readonly top?: number;
}

async function openTrace(
  path: string,
  run: string,
  step: number,
  { top, topK, topP, seed, ...options }: GenerateCommandOptions,
  temperature: number,
): Promise<Tracing> {
  const cut = [...(topK > 0 ? [`top-k ${topK}`] : []), ...(topP < 1 ? [`top-p ${topP}`] : [])];
  const sampling =
    temperature === 0
      ? "the likeliest token each time"
      : [`temperature ${temperature}`, ...cut, `seed ${seed}`].join(", ");
  const { probesFor } = await import("../probes.js");
  const { folder: probes, ...known } = await probesFor(run, artifactToRun(run), options);
  return { file: traceFile(path, { run, step, sampling, ...known }), probes, ...(top !== undefined && { top }) };
}

/** Generates from a run's artifact and writes the prompt and the text to standard output as it comes. */
export async function generateFrom(
  run: string,
  {
    json,
    trace,
    ...options
  }: Omit<GenerateOptions, "artifact" | "run" | "probes" | "top"> & {
    readonly json?: boolean;
    readonly trace?: Tracing;
  },
): Promise<EventOf<"generated">> {
  const artifact = artifactToRun(run);
  await setUpPython();
  const out = process.stdout;
  let text = "";
  const loading = new StatusLine(out);
  if (!json) loading.show(paint(out).dim("loading the model"));
  let begun = false;
  const begin = () => {
    if (begun || json) return;
    begun = true;
    loading.clear();
    out.write(paint(out).bold(options.prompt ?? ""));
  };
  const done = await interruptible(() =>
    generate({ artifact, run, ...options, ...(trace && tracing(trace)) }, (event) => {
      trace?.file.add(event);
      if (event.event === "log") loading.clear();
      showWarning(event);
      if (event.event === "text" || event.event === "generated") begin();
      if (event.event !== "text") return;
      text += event.text;
      if (!json) out.write(out.isTTY ? printable(event.text) : event.text);
    }),
  ).finally(() => {
    loading.clear();
    if (begun) out.write("\n");
    return trace?.file.end();
  });
  if (json) out.write(`${JSON.stringify({ prompt: options.prompt ?? "", text, ...done, event: undefined })}\n`);
  else if (process.stderr.isTTY) {
    const rate = done.tokens_per_second === null ? "" : `, ${count(Math.round(done.tokens_per_second))} tokens/s`;
    const by = `by programs for up to ${count(done.context)} tokens`;
    process.stderr.write(paint(process.stderr).dim(`${count(done.tokens)} tokens${rate}, ${by}\n`));
  }
  return done;
}

const tracing = ({ probes, top }: Tracing) => ({ probes, ...(top !== undefined && { top }) });

function artifactToRun(run: string): string {
  const artifact = artifactAt(artifactOf(run));
  if (artifact !== undefined) return artifact;
  throw new XenarcError({
    what: `${run} has checkpoints, and no artifact to run them with.`,
    fix: existsSync("model.ts") ? `Make it again: xenarc compile -o ${artifactOf(run)}` : "Train it again.",
  });
}

/** A model may write any byte, also those that command a terminal. */
const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
  text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\uFFFD");
