/** What a launch will do: folders it fills, files it writes, commands it runs. Shown word for word, or carried out. */
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";

/** A folder or file that is copied. */
export interface Copy {
  readonly from: string;
  readonly to: string;
  /** What to call `from` where it is shown: it may lie anywhere on this machine. */
  readonly shown?: string;
}

/** A file that is written. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** What a launch does, in this order. */
export interface LaunchPlan {
  /** Emptied first. */
  readonly folder: string;
  readonly copies: readonly Copy[];
  readonly files: readonly TextFile[];
  readonly commands: readonly (readonly string[])[];
  /** What to do afterwards, by what it is for. */
  readonly afterwards: Readonly<Record<string, string>>;
}

/** A word of a command as a shell reads it. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** A command as it would be typed. */
export const typed = (command: readonly string[]): string => command.map(quoted).join(" ");

/** The plan in full, as `--dry-run` prints it. */
export function renderPlan({ folder, copies, files, commands, afterwards }: LaunchPlan): string {
  const blocks = [
    [`# ${folder}/ is filled with`, ...copies.map(({ from, to, shown }) => `${to}  <-  ${shown ?? from}`)],
    ...files.map(({ path, text }) => [`# ${path}`, text.trimEnd()]),
    ["# then", ...commands.map(typed)],
    ...Object.entries(afterwards).map(([what, command]) => [`# ${what}`, command]),
  ];
  return blocks.map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Fills the folder and writes the files. */
export async function stage({ folder, copies, files }: LaunchPlan): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const { from, to } of copies) {
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to, { recursive: true, filter: (path) => basename(path) !== "__pycache__" });
  }
  for (const { path, text } of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/** Where each program is from. */
const INSTALL: Readonly<Record<string, string>> = {
  gcloud: "Install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install, then: gcloud auth login",
  kubectl: "Install it with: gcloud components install kubectl",
  sbatch: "Launch from a machine of the SLURM cluster, or write the script with --out FILE and submit it there.",
  xpk: "Install it with: pip install xpk",
};

/**
 * Carries a plan out, showing what the commands say. Throws {@link XenarcError}: a program that is not installed (before anything is
 * done), a command that fails.
 */
export async function carryOut(plan: LaunchPlan, onCommand: (command: string) => void): Promise<void> {
  const { execa } = await import("execa");
  for (const program of new Set(plan.commands.map(([name]) => name!))) {
    const found = await execa("which", [program], { reject: false });
    if (found.failed) {
      const fix = INSTALL[program];
      throw new XenarcError(
        { what: `${program} is not installed here.`, ...(fix !== undefined && { fix }) },
        "environment",
      );
    }
  }
  await stage(plan);
  for (const command of plan.commands) {
    onCommand(typed(command));
    const [program, ...args] = command as [string, ...string[]];
    const result = await execa(program, args, { stdio: ["ignore", "inherit", "inherit"], reject: false });
    if (!result.failed) continue;
    const end = result.exitCode === undefined ? `was ended by ${result.signal}` : `ended with code ${result.exitCode}`;
    throw new XenarcError({ what: `\`${typed(command)}\` ${end}.`, fix: "What it said stands above." }, "environment");
  }
}

/** A file of a plan's folder. */
export const inside = (folder: string, ...path: string[]): string => join(folder, ...path);
