/** Training as it is watched: a bar on a terminal, plain lines elsewhere, the curve at the end. */
import { readFileSync } from "node:fs";
import type { RuntimeEvent } from "../runtime-bridge/events.js";
import { chart, type Point } from "./chart.js";
import { bar, bytes, columns, count, duration, loss, paint, StatusLine } from "./terminal.js";

type Event<K extends RuntimeEvent["event"]> = Extract<RuntimeEvent, { event: K }>;

/** Shows the events of a training run on standard output. */
export class TrainingDisplay {
  readonly #out = process.stdout;
  readonly #line = new StatusLine(process.stdout);
  readonly #colour = paint(process.stdout);
  readonly #terminal = process.stdout.isTTY === true;
  #progress: Event<"progress"> | undefined;

  constructor() {
    this.#line.show(this.#colour.dim("starting the runtime"));
  }

  /** Takes the next event. */
  on(event: RuntimeEvent): void {
    const { dim, yellow } = this.#colour;
    if (event.event === "start") this.#start(event);
    else if (event.event === "progress") this.#step(event);
    else if (event.event === "eval") this.#evaluated(event);
    else if (event.event === "sample") this.#sample(event);
    else if (event.event === "profile") this.#profiled(event);
    else if (event.event === "curve") this.#curve(event);
    else if (event.event === "log")
      this.#print(event.level === "warning" ? yellow(`warning: ${event.message}`) : event.message);
    else if (event.event === "compiled") {
      this.#line.show(dim(`XLA compiled ${event.program} (${bytes(event.memory.temporaries)} of temporaries)`));
    }
  }

  /** Takes the rewritten line away, whatever comes next. */
  end(): void {
    this.#line.clear();
  }

  #start(event: Event<"start">): void {
    const files = `${count(event.files)} file${event.files === 1 ? "" : "s"}`;
    const text = [
      event.train_tokens === null
        ? event.records === null
          ? files
          : `${count(event.records)} records`
        : `${count(event.train_tokens)} ${event.unit}`,
      event.validation_tokens === null
        ? ""
        : event.validation_tokens > 0
          ? `${count(event.validation_tokens)} more for validation`
          : "none kept for validation",
      `${count(event.tokens_per_step)} a step`,
    ].filter((part) => part !== "");
    const devices = event.devices === 1 ? event.device : `${event.devices} x ${event.device}`;
    const processes = event.processes === 1 ? "" : ` in ${event.processes} processes`;
    this.#print(this.#colour.dim(`  ${text.join(", ")}, on ${devices}${processes}`));
    for (const { line } of event.sources) this.#print(this.#colour.dim(`  data: ${line}`));
    this.#print(this.#colour.dim(`  parameters: ${groups(event)}`));
    for (const line of beginning(event)) this.#print(`  ${line}`);
    if (event.resumed) this.#print(`  going on from step ${count(event.step)}`);
    this.#line.show(this.#colour.dim("XLA is compiling"));
  }

  #step(event: Event<"progress">): void {
    this.#progress = event;
    if (this.#terminal) {
      this.#line.show(this.#bar(event));
      return;
    }
    if (event.line !== undefined) this.#print(event.line);
  }

  #bar(event: Event<"progress">): string {
    const { bold, dim } = this.#colour;
    const texts = [
      `loss ${loss(event.loss)}`,
      event.tokens_per_second === null ? "" : `${count(event.tokens_per_second)} tokens/s`,
      event.seconds_left === null ? "" : `${duration(event.seconds_left)} left`,
    ].filter((text) => text !== "");
    const total = count(event.steps);
    const done = `${count(event.step).padStart(total.length)}/${total}`;
    // The bar takes what is left, texts give way from the last.
    const room = () => columns(this.#out) - 3 - [done, ...texts].reduce((sum, text) => sum + text.length + 2, 0);
    while (room() < 8 && texts.length > 0) texts.pop();
    const drawn = bar(this.#out, event.step / Math.max(1, event.steps), [done, ...texts]);
    return [done, drawn, ...texts.map((text, i) => (i === 0 ? bold(text) : dim(text)))].join("  ");
  }

  #evaluated(event: Event<"eval">): void {
    const training = this.#progress?.step === event.step ? `loss ${loss(this.#progress.loss)}  ` : "";
    this.#print(`step ${count(event.step)}  ${training}${this.#colour.bold(`validation ${loss(event.loss)}`)}`);
  }

  #sample({ step, prompt, text }: Event<"sample">): void {
    const heading = this.#colour.dim(`step ${count(step)}  the model writes:`);
    // What it has not learnt yet must not steer the terminal.
    this.#print(`${heading}\n${this.#colour.bold(prompt)}${text.replace(/[^\P{Cc}\n\t]/gu, "\ufffd")}`);
  }

  #profiled({ first, last, path }: Event<"profile">): void {
    this.#print(`steps ${count(first)} to ${count(last)} were profiled; https://ui.perfetto.dev shows ${path}`);
  }

  #curve(event: Event<"curve">): void {
    const { training, validation } = readMetrics(event.metrics);
    const lines = chart(training, validation, Math.min(columns(this.#out) - 2, 100));
    if (lines.length > 0) this.#print(`\n${lines.map((line) => `  ${this.#colour.blue(line)}`).join("\n")}\n`);
  }

  #print(text: string): void {
    this.#line.clear();
    this.#out.write(`${text}\n`);
    if (this.#terminal && this.#progress && this.#progress.step < this.#progress.steps)
      this.#line.show(this.#bar(this.#progress));
  }
}

/** How many parameters the largest parts of the model have. */
function groups({ parameter_groups: all }: Event<"start">): string {
  const largest = [...all].sort((a, b) => b.parameters - a.parameters).slice(0, 4);
  const rest = all.length - largest.length;
  const parts = largest.map(({ name, parameters }) => `${name} ${count(parameters)}`);
  return [...parts, ...(rest > 0 ? [`${rest} more`] : [])].join(", ");
}

/** What a run begins with, and what of it is trained, where that is not everything. */
function beginning({ parameters, frozen, weights }: Event<"start">): string[] {
  const drawn = weights === null ? 0 : parameters - weights.parameters;
  const places = weights === null ? [] : [weights.path, weights.adapters].filter((place) => place !== null);
  const read = `${count(weights?.parameters ?? 0)} parameters from ${places.join(" and ")}`;
  return [
    ...(weights === null ? [] : [`weights: ${read}${drawn > 0 ? `, ${count(drawn)} drawn` : ""}`]),
    ...(frozen === 0 ? [] : [`trained: ${count(parameters - frozen)} parameters; ${count(frozen)} stay as they are`]),
  ];
}

/** The points of a run's metrics.jsonl; those of a resumed run reach back to its beginning. */
function readMetrics(file: string): { training: Point[]; validation: Point[] } {
  const training: Point[] = [];
  const validation: Point[] = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line === "") continue;
    // A number that is not finite is null: no point to draw.
    const entry = JSON.parse(line) as { step: number; loss?: number | null; validation_loss?: number | null };
    if (typeof entry.loss === "number") training.push([entry.step, entry.loss]);
    if (typeof entry.validation_loss === "number") validation.push([entry.step, entry.validation_loss]);
  }
  return { training, validation };
}
