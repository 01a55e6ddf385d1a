/** `xenarc generate --trace`: what the model saw while it wrote, token by token, as JSON lines. */
import { closeSync, openSync, writeSync } from "node:fs";
import { dirname, extname } from "node:path";
import { XenarcError } from "../compiler/errors.js";
import { makeFolder } from "../emit/folder.js";
import type { EventOf, RuntimeEvent } from "../runtime-bridge/events.js";

/** Writes a trace from the events of a generation. */
export interface TraceFile {
  add(event: RuntimeEvent): void;
  end(): Promise<void>;
}

/** @throws XenarcError for a file that is not one of JSON lines by its name. */
export function checkTraceName(file: string): void {
  if (extname(file) === ".jsonl") return;
  throw new XenarcError({ what: `A trace cannot be written to ${file}.`, expected: "FILE.jsonl" }, "usage");
}

/** Begins a trace in a file, in place of what is there: a line for each token, as it comes. Throws the system's error. */
export function traceFile(file: string): TraceFile {
  makeFolder(dirname(file));
  const into = openSync(file, "w");
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
