/** What went wrong, for people: the text, and the exit code that says whose fault it is. */
import { type Where, XenarcError } from "../compiler/errors.js";
import { originalPosition } from "../compiler/source/position.js";
import { render } from "../compiler/source/render.js";
import { Interrupted } from "./interrupt.js";
import { paint } from "./terminal.js";

/** The exit codes: 0 fine, and these. A command that Ctrl-C ended exits with 130, as shells expect. */
export const EXIT = { program: 1, usage: 2, environment: 3, interrupted: 130 } as const;

/** Writes an error to standard error and gives the exit code. Nothing here may throw. */
export function report(error: unknown): number {
  if (error instanceof Interrupted) {
    process.stderr.write(`${error.message}\n`);
    return EXIT.interrupted;
  }
  const known = error instanceof XenarcError ? error : explain(error);
  const prefix = paint(process.stderr).red("error:");
  process.stderr.write(`${prefix} ${render(known)}\n`);
  if (process.env.XENARC_DEBUG && error instanceof Error) process.stderr.write(`\n${error.stack}\n`);
  return EXIT[known.fault];
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
  const said = error instanceof Error ? `${error.name}: ${error.message}` : `Thrown: ${String(error)}`;
  const where = error instanceof Error ? authorsFrames(error) : [];
  if (where.length > 0) return new XenarcError({ what: sentence(said), where });
  return new XenarcError(
    {
      what: `xenarc failed in a way it should not: ${sentence(said)}`,
      fix: "XENARC_DEBUG=1 shows where. Please report it with what it shows.",
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

/** The innermost frame of a stack that lies in an author's file, whose bundle is run from a cache (compiler/source/load). */
function authorsFrames(error: Error): Where[] {
  const found = /(file:[^\s()]+\/modules\/[^\s()/]+-[0-9a-f]{16}\.mjs):(\d+):(\d+)/.exec(error.stack ?? "");
  if (found === null) return [];
  const { file, line, column } = originalPosition(found[1]!, Number(found[2]), Number(found[3]));
  return [{ file, line, column }];
}
