/** Runs the command as a newcomer does: another process, in a folder of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export const root = resolve(".");

/** What a command left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** How a command is run. */
export interface Where {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  /** Looks at what was written so far; may send signals. */
  readonly watch?: (out: string, child: ChildProcess) => void;
  /** Told of the process at once. */
  readonly started?: (child: ChildProcess) => void;
}

const TSX = pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href;

/** Runs `xenarc` from its sources. */
export const xenarc = (where: Where, ...args: string[]): Promise<Outcome> =>
  run(where, process.execPath, "--import", TSX, join(root, "cli/main.ts"), ...args);

/** Runs a program to its end. */
export function run({ cwd, env = {}, watch, started }: Where, program: string, ...args: string[]): Promise<Outcome> {
  return new Promise((settle, fail) => {
    // What npm and jest set is not in a newcomer's shell.
    const { npm_command: _, JEST_WORKER_ID: __, NODE_OPTIONS: ___, ...own } = process.env;
    const child = spawn(program, args, {
      cwd,
      env: { ...own, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    started?.(child);
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said.out += text;
      watch?.(said.out, child);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said.err += text;
    });
    child.on("error", fail);
    child.on("close", (code) => {
      children.delete(child);
      settle({ code, ...said });
    });
  });
}

/** A temporary folder with files in it, removed after the tests. */
export function folder(files: Record<string, string | Uint8Array> = {}): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "xenarc-cli-")));
  folders.push(made);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(made, name)), { recursive: true });
    writeFileSync(join(made, name), content);
  }
  return made;
}

const folders: string[] = [];
/** What still runs: a test that gave up must not leave its command at work. */
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill();
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

/** A project of the example, and the settings that make it as small as can be. */
export function project(files: Record<string, string> = {}): string {
  const made = folder();
  cpSync(join(root, "examples/char-transformer"), made, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  return made;
}

export const SMALL: readonly string[] = [
  ...["model.layers=1", "model.heads=1", "model.embed=8", "model.context=16"],
  ...["train.steps=6", "train.batch=2", "train.warmup=1", "eval.every=3", "log.every=1"],
];

/** Milliseconds for tests that start several processes, on a machine that has other work too. */
export const SLOW = 240_000;

/** A text of a few sentences over and over. */
export const TEXT = "To be, or not to be, that is the question. ".repeat(40);
