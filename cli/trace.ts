/** `xenarc generate --trace`: what the model saw while it wrote, token by token, as JSON lines or as a page. */
import { closeSync, openSync, writeSync } from "node:fs";
import { dirname, extname } from "node:path";
import { XenarcError } from "../compiler/errors.js";
import { makeFolder } from "../emit/folder.js";
import type { EventOf, RuntimeEvent } from "../runtime-bridge/events.js";
import type { TraceSubject } from "./trace_page.js";

/** Writes a trace from the events of a generation. */
export interface TraceFile {
  add(event: RuntimeEvent): void;
  end(): Promise<void>;
}

/** How a trace is written, by the name of its file. @throws XenarcError for a name that does not say. */
export function traceKind(file: string): "jsonl" | "html" {
  const kind = extname(file).slice(1);
  if (kind === "jsonl" || kind === "html") return kind;
  throw new XenarcError(
    { what: `--trace cannot tell from the name ${file} what to write.`, expected: "FILE.jsonl or FILE.html" },
    "usage",
  );
}

/** Begins a trace in a file, in place of what is there. Throws the system's error. */
export function traceFile(file: string, subject: TraceSubject): TraceFile {
  makeFolder(dirname(file));
  const into = openSync(file, "w");
  return traceKind(file) === "jsonl" ? jsonLines(into) : page(into, subject);
}

/** A line for each token, as it comes. */
function jsonLines(into: number): TraceFile {
  return {
    add(event) {
      if (event.event === "token") writeSync(into, `${JSON.stringify(lineOf(event))}\n`);
    },
    async end() {
      closeSync(into);
    },
  };
}

/** A token's event without what is for pictures only. */
function lineOf({ event: _, attention, ...rest }: EventOf<"token">): object {
  const told = Object.entries(attention).map(([path, { layers }]) => [path, layers]);
  return { ...rest, attention: Object.fromEntries(told) };
}

/** Once everything is there. */
function page(into: number, subject: TraceSubject): TraceFile {
  const events: RuntimeEvent[] = [];
  return {
    add: (event) => void events.push(event),
    async end() {
      const { tracePage } = await import("./trace_page.js");
      writeSync(into, tracePage(events, subject));
      closeSync(into);
    },
  };
}
