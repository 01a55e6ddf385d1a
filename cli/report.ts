/** What went wrong, for people: the text, and the exit code that says whose fault it is. */
import { type Where, XenarcError } from "../compiler/errors.js";
import { librarySource } from "../compiler/source/package.js";
import { originalPosition } from "../compiler/source/position.js";
import { render } from "../compiler/source/render.js";
import type { RuntimeEvent } from "../runtime-bridge/events.js";
import { Interrupted } from "./interrupt.js";
import { paint } from "./terminal.js";

/** The exit codes: 0 fine, and these. A command that Ctrl-C ended exits with 130, as shells expect. */
export const EXIT = { program: 1, usage: 2, environment: 3, interrupted: 130 } as const;

/**
 * Writes an error to standard error and gives the exit code; where standard output is JSON, a line there says so too. Nothing here may
 * throw.
 */
export function report(error: unknown, json = false): number {
  if (error instanceof Interrupted) {
    process.stderr.write(`${error.message}\n`);
    return EXIT.interrupted;
  }
  const known = error instanceof XenarcError ? error : explain(error);
  const prefix = paint(process.stderr).red("error:");
  process.stderr.write(`${prefix} ${render(known)}\n`);
  if (json) {
    const { what, expected, fix } = known.parts;
    const message = expected === undefined ? what : `${what} Expected: ${expected}`;
    process.stdout.write(`${JSON.stringify({ event: "error", kind: known.fault, message, hint: fix ?? "" })}\n`);
  }
  if (process.env.XENARC_DEBUG && error instanceof Error) process.stderr.write(`\n${error.stack}\n`);
  return EXIT[known.fault];
}

/** Shows a warning of the runtime, on standard error. */
export function showWarning(event: RuntimeEvent): void {
  if (event.event !== "log" || event.level !== "warning") return;
  process.stderr.write(`${paint(process.stderr).yellow(event.message)}\n`);
}

/** An error that nobody foresaw: of the system, of the author's code as it was traced, or a defect of xenarc. */
function explain(error: unknown): XenarcError {
  if (isSystemError(error)) {
    const about = [error.path, error.dest].filter(Boolean).join(" -> ");
    return new XenarcError(
      { what: `${SYSTEM[error.code] ?? `The system says ${error.code}`}${about === "" ? "" : `: ${about}`}.` },
      "environment",
    );
  }
  const said =
    error instanceof Error
      ? `${error.name}: ${error.message}`.replace(/^Error: (?=.)/, "")
      : `Thrown: ${String(error)}`;
  const author = error instanceof Error ? authorsFrame(error) : undefined;
  if (author?.direct) return new XenarcError({ what: sentence(said), where: [author.where] });
  if (author) {
    return new XenarcError({
      what: sentence(said),
      where: [author.where],
      fix: "It was thrown by what this line calls: is something that it is given undefined, or does it call itself? If not, please report it with what XENARC_DEBUG=1 shows.",
    });
  }
  return new XenarcError(
    {
      what: `xenarc failed in a way it should not: ${sentence(said)}`,
      fix: "XENARC_DEBUG=1 shows more. Please report it with what it shows.",
    },
    "environment",
  );
}

const SYSTEM: Record<string, string> = {
  EACCES: "Permission denied",
  EPERM: "Not permitted",
  ENOENT: "No such file or folder",
  ENOTDIR: "Not a folder",
  EISDIR: "A folder, not a file",
  ENOSPC: "The disk is full",
  EDQUOT: "The disk quota is used up",
  EROFS: "The disk cannot be written to",
  EMFILE: "Too many open files",
};

const isSystemError = (error: unknown): error is NodeJS.ErrnoException & { code: string; dest?: string } =>
  error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string";

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The author's innermost frame of a stack, and whether the error was thrown there rather than below it. */
function authorsFrame(error: Error): { where: Where; direct: boolean } | undefined {
  const frames = (error.stack ?? "").matchAll(/\(?((?:file:\/\/)?\/[^\s()]+|[A-Za-z]:\\[^\s()]+?):(\d+):(\d+)\)?$/gm);
  let direct = true;
  for (const [, place, lineText, columnText] of frames) {
    const { file, line, column } = originalPosition(place!, Number(lineText), Number(columnText));
    if (librarySource(file) === undefined && !file.includes("/node_modules/")) {
      return { where: { file, line, column }, direct };
    }
    direct = false;
  }
  return undefined;
}
