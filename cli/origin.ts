/** What a run keeps of where it came from: the command, the versions, the repository, the model's source. */
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { sourcesOf } from "../compiler/source/load.js";
import { packageVersion } from "../compiler/source/package.js";
import { makeFolder } from "../emit/folder.js";
import type { Command } from "../emit/history.js";
import { typed } from "../runtime-bridge/launch/plan.js";
import { pythonFolder } from "../runtime-bridge/paths.js";
import type { Project } from "./project.js";
import { COMMAND } from "./terminal.js";

/** A command of xenarc as it would be typed. */
export const asTyped = (words: readonly string[]): string => `${COMMAND} ${typed(words)}`;

/** This command as it would be typed, without some of its words. */
export const thisCommand = (without: readonly string[] = []): string =>
  asTyped(process.argv.slice(2).filter((word) => !without.includes(word)));

/** What a run's history says of this command, which trains `target`. */
export async function describeCommand(run: string, target: string, source: Command["source"]): Promise<Command> {
  const git = await repositoryOf(dirname(resolve(target)));
  return {
    line: thisCommand(),
    directory: slashes(relative(run, ".")) || ".",
    xenarc: packageVersion(),
    node: process.versions.node,
    lock: hashOf(join(pythonFolder(), "requirements.lock")),
    ...(git && { git }),
    ...(source && { source }),
  };
}

/** Keeps a model in a run's folder: its file, those of the author's that it imports, and the configuration. */
export function keepSource(run: string, { file, yamlFile }: Project): Command["source"] {
  const files = [...sourcesOf(file), ...(yamlFile === undefined ? [] : [resolve(yamlFile)])];
  const top = files.map(dirname).reduce(common);
  return keep(run, top, files);
}

/** Keeps the model that another run has kept. */
export function keepSourceOf(other: string, run: string, source: Command["source"]): Command["source"] {
  const top = join(other, "source");
  return (
    source &&
    keep(
      run,
      top,
      Object.keys(source).map((name) => join(top, name)),
    )
  );
}

/** Copies files below `top` to where they lie in the folder `source` of a run; the hash of each. */
function keep(run: string, top: string, files: readonly string[]): Record<string, string> {
  const folder = join(run, "source");
  rmSync(folder, { recursive: true, force: true });
  const kept = files.map((file) => {
    const name = slashes(relative(top, file));
    makeFolder(dirname(join(folder, name)));
    copyFileSync(file, join(folder, name));
    return [name, hashOf(file)] as const;
  });
  return Object.fromEntries(kept);
}

/** The innermost folder that has both. */
function common(one: string, other: string): string {
  return one === other || other.startsWith(join(one, sep)) ? one : common(dirname(one), other);
}

const slashes = (path: string): string => path.replaceAll(sep, "/");

/** SHA-256 of a file. */
export const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** The commit that a folder is of, and whether tracked files differ from it; undefined: it is in no repository. */
async function repositoryOf(folder: string): Promise<Command["git"]> {
  const { execa } = await import("execa");
  const git = (...args: string[]) =>
    execa("git", ["-C", folder, ...args], { reject: false, stdin: "ignore", env: { GIT_OPTIONAL_LOCKS: "0" } });
  const [head, status] = await Promise.all([
    git("rev-parse", "HEAD"),
    git("status", "--porcelain", "--untracked-files=no"),
  ]);
  if (head.failed || status.failed) return undefined;
  return { commit: head.stdout.trim(), dirty: status.stdout !== "" };
}
