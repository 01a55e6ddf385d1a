/** What every Python child of ours needs: its environment, and words for how it ended. */
import { delimiter } from "node:path";
import { type Fault, XenarcError } from "../compiler/errors.js";
import { pythonFolder } from "./paths.js";

/** The environment of a Python child: finds `xenarc_runtime` and `packages`, ignores what the user's own Python set-up adds. */
export function pythonEnv(packages: readonly string[] = []): Record<string, string> {
  return {
    PYTHONPATH: [pythonFolder(), ...packages].join(delimiter),
    PYTHONNOUSERSITE: "1",
    PYTHONUNBUFFERED: "1",
    PYTHONIOENCODING: "utf-8",
    // XLA's greetings and warnings are not for this tool's users; its errors are.
    TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? "2",
  };
}

/** Whose fault a problem of the runtime is, by its kind; the program's or its data's, if not said here. The same list is in `__main__.py`. */
const FAULTS: Readonly<Record<string, Fault>> = {
  usage: "usage",
  target: "usage",
  run_exists: "usage",
  run_busy: "usage",
  entry_point: "usage",
  internal: "environment",
  python_packages: "environment",
  group: "environment",
  hang: "environment",
};

/** A problem that the runtime reported, as our error. */
export function problemError(problem: { kind: string; message: string; hint?: string | undefined }): XenarcError {
  const parts = { what: problem.message, ...(problem.hint ? { fix: problem.hint } : {}) };
  return new XenarcError(parts, FAULTS[problem.kind] ?? "program");
}

/** How a child ended, as far as it concerns us; execa's result has these fields. */
export interface Exit {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly stderr?: unknown;
}

/** Why a child ended that should not have: a sentence, never a stack. */
export function explainExit({ exitCode, signal, stderr }: Exit): string {
  const said = digest(typeof stderr === "string" ? stderr : "");
  const because = said === "" ? "" : ` It said: ${said}`;
  if (signal === "SIGKILL") {
    return `it was killed (SIGKILL), most likely by the system for want of memory. A smaller batch, context or model needs less.${because}`;
  }
  if (signal === "SIGABRT" || signal === "SIGSEGV" || signal === "SIGILL" || signal === "SIGBUS") {
    return `it crashed (${signal}) inside XLA.${because}`;
  }
  if (signal) return `it was ended by ${signal}.${because}`;
  return `exit code ${exitCode ?? "unknown"}.${because}`;
}

/** The lines of a log that say most: what is fatal, or else what is an error (a traceback's last line is); a few at most. */
function digest(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !/^(Traceback|\s|WARNING|\[Gloo\] Rank)/.test(line));
  // A failed check is logged more than once.
  const like = (kind: RegExp): string[] => [...new Set(lines.filter((line) => kind.test(line)))];
  const [fatal, errors] = [like(/^F\d{4} /), like(/fatal|Error/i)];
  return (fatal.length > 0 ? fatal : errors.length > 0 ? errors : lines).slice(-3).join("\n");
}
