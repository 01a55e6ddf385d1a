/**
 * Python for people who only have Python: finds it, gives xenarc an environment of its own, says what is lacking. The TPU compiler,
 * which is large and which few need, has a folder of its own beside it.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { XenarcError } from "../compiler/errors.js";
import { cacheFolder, pythonFolder } from "./paths.js";

/** A Python interpreter that is new enough. */
export interface Interpreter {
  readonly path: string;
  /** `3.12.1` */
  readonly version: string;
}

/** xenarc's own Python environment. */
export interface PythonEnvironment {
  /** The environment's interpreter. */
  readonly python: string;
  /** `3.12.1` */
  readonly version: string;
}

/** Options of {@link ensurePython}. */
export interface SetupOptions {
  /** Further requirement files with hashes, installed on top of the runtime's own. */
  readonly extraLocks?: readonly string[];
  /** Told what is being done: `installing Python packages 12/34 orbax-checkpoint`. */
  readonly onProgress?: (line: string) => void;
}

const OLDEST = [3, 11] as const;
const NEWEST_TRIED = 20;
const MARKER = "xenarc-ready";

/**
 * xenarc's own Python environment, made on the first call and kept in the cache under the hash of `requirements.lock`.
 * Several processes may call it at once: one builds, the others wait. Throws {@link XenarcError} (environment) without
 * Python >= 3.11, `venv`, network or space.
 */
export async function ensurePython(options: SetupOptions = {}): Promise<PythonEnvironment> {
  const { extraLocks = [], onProgress = () => {} } = options;
  const lockFiles = [join(pythonFolder(), "requirements.lock"), ...extraLocks];
  const locks = await Promise.all(lockFiles.map((file) => readFile(file, "utf8")));
  const folderFor = (minor: number): string => {
    const key = createHash("sha256")
      .update([`3.${minor}`, ...locks].join("\0"))
      .digest("hex")
      .slice(0, 16);
    return join(cacheFolder(), `python-${key}`);
  };
  // Looking for a Python takes longer than all else here, so what is already there is taken without.
  for (let minor = NEWEST_TRIED; minor >= OLDEST[1] && !process.env.XENARC_PYTHON; minor--) {
    const made = await madeIn(folderFor(minor));
    if (made) return made;
  }
  const interpreter = await findPython();
  const folder = folderFor(Number(interpreter.version.split(".")[1]));
  const made = await madeIn(folder);
  if (made) return made;
  const build = async () => {
    onProgress(`making a Python ${interpreter.version} environment`);
    await makeVenv(interpreter, folder);
    const files = lockFiles.flatMap((file) => ["-r", file]);
    await installPackages(pythonOf(folder), files, countPackages(locks.join("\n")), onProgress);
    return interpreter.version;
  };
  await inCache(() => makeOnce(folder, async () => (await madeIn(folder)) !== undefined, build, onProgress));
  return { python: pythonOf(folder), version: interpreter.version };
}

/**
 * The folder with the TPU compiler (libtpu) for an environment's Python, to be put on its path. Made on the first call: 213 MB are
 * fetched, 720 MB kept. It is Google's, under its terms of service, which is one more reason why only who asks for it gets it.
 * Throws {@link XenarcError} (environment) where there is none for this system, and as {@link ensurePython} does.
 */
export async function ensureTpuCompiler(
  { python, version }: PythonEnvironment,
  onProgress: (line: string) => void = () => {},
): Promise<string> {
  const lockFile = join(pythonFolder(), "requirements-tpu.lock");
  const minor = version.split(".").slice(0, 2).join(".");
  const key = createHash("sha256")
    .update([minor, await readFile(lockFile, "utf8")].join("\0"))
    .digest("hex")
    .slice(0, 16);
  const folder = join(cacheFolder(), `tpu-${key}`);
  const isMade = async () => existsSync(join(folder, MARKER));
  if (await isMade()) return folder;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new XenarcError(
      {
        what: `Google has no TPU compiler for this system (${process.platform} ${process.arch}).`,
        expected: "Linux on x86-64.",
        fix: "Compile for TPUs on such a machine; a container or a small virtual machine will do.",
      },
      "environment",
    );
  }
  const build = async () => {
    onProgress("installing the TPU compiler (libtpu, 213 MB)");
    await mkdir(folder);
    await installPackages(python, ["--no-deps", "--target", folder, "-r", lockFile], 1, onProgress);
    return minor;
  };
  await inCache(() => makeOnce(folder, isMade, build, onProgress));
  return folder;
}

/** The environment in a folder, if it is whole; its marker holds the version. */
async function madeIn(folder: string): Promise<PythonEnvironment | undefined> {
  const python = pythonOf(folder);
  const version = await readFile(join(folder, MARKER), "utf8").catch(() => undefined);
  // Not so when the system's Python, which the environment links to, was removed.
  return version !== undefined && existsSync(python) ? { python, version } : undefined;
}

/**
 * Builds a folder in its final place, because a virtual environment cannot be moved, under a lock folder beside it. The marker, with
 * what `build` returns in it, is written last: without it the folder is taken for half-made and built anew.
 */
async function makeOnce(
  folder: string,
  isMade: () => Promise<boolean>,
  build: () => Promise<string>,
  onProgress: (line: string) => void,
): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const release = await acquire(`${folder}.lock`, onProgress);
  try {
    if (await isMade()) return;
    await rm(folder, { recursive: true, force: true });
    const marker = await build();
    await writeFile(join(folder, MARKER), marker);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await release();
  }
}

const pythonOf = (folder: string): string =>
  process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");

// A set-up takes a minute or two; a lock whose owner has not touched it for this long belongs to a process that died.
const STALE_MS = 30_000;

/** Takes the lock folder, waiting while a living process holds it; the result gives it back. */
async function acquire(lock: string, onProgress: (line: string) => void): Promise<() => Promise<void>> {
  for (let waited = false; ; waited = true) {
    try {
      await mkdir(lock);
      const heartbeat = setInterval(() => void writeFile(join(lock, "alive"), "").catch(() => {}), STALE_MS / 6);
      return async () => {
        clearInterval(heartbeat);
        await rm(lock, { recursive: true, force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const touched = await stat(join(lock, "alive")).catch(() => stat(lock).catch(() => undefined));
    if (touched !== undefined && Date.now() - touched.mtimeMs > STALE_MS) await discard(lock);
    if (!waited) onProgress("waiting for another xenarc that is setting Python up");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Removes a dead process's lock. Renamed first, so that of several waiting processes only one removes it. */
async function discard(lock: string): Promise<void> {
  const grave = await mkdtemp(`${lock}-`);
  await rename(lock, join(grave, "lock")).catch(() => {});
  await rm(grave, { recursive: true, force: true });
}

/**
 * The first interpreter that is new enough among `XENARC_PYTHON` (alone, if set), `python3.13`, `3.12`, `3.11`, `python3`
 * and `python`. Each is run, not only looked up: version managers put names on the path that do not work.
 */
export async function findPython(): Promise<Interpreter> {
  const chosen = process.env.XENARC_PYTHON;
  const names = chosen ? [chosen] : ["python3.13", "python3.12", "python3.11", "python3", "python"];
  const tooOld: Interpreter[] = [];
  for (const name of names) {
    const found = await probe(name);
    if (found === undefined) continue;
    const [major = 0, minor = 0] = found.version.split(".").map(Number);
    if (major === OLDEST[0] && minor >= OLDEST[1]) return found;
    tooOld.push(found);
  }
  const seen = tooOld.map((python) => `${python.path} is ${python.version}`).join(", ");
  throw new XenarcError(
    {
      what: chosen
        ? `XENARC_PYTHON is ${chosen}, which ${seen === "" ? "does not run" : `is Python ${tooOld[0]?.version}`}.`
        : seen === ""
          ? "There is no Python on this machine's path."
          : `The Python on this machine is too old: ${seen}.`,
      expected: `Python ${OLDEST.join(".")} or newer.`,
      fix: `Install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python), or set XENARC_PYTHON to its path.`,
    },
    "environment",
  );
}

async function probe(name: string): Promise<Interpreter | undefined> {
  const script = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";
  const { execa } = await import("execa");
  const result = await execa(name, ["-c", script], { reject: false, timeout: 20_000, stdin: "ignore" });
  const [path, version] = result.stdout?.split(/\r?\n/) ?? [];
  return result.failed || !path || !version ? undefined : { path, version };
}

async function makeVenv(interpreter: Interpreter, folder: string): Promise<void> {
  const { execa } = await import("execa");
  const result = await execa(interpreter.path, ["-m", "venv", folder], { reject: false, all: true, stdin: "ignore" });
  if (!result.failed) return;
  const output = result.all ?? "";
  if (noSpace(output)) throw diskFull();
  if (!/ensurepip|No module named venv/.test(output)) {
    throw new XenarcError(
      { what: `Python ${interpreter.version} (${interpreter.path}) cannot make an environment: ${lastLine(output)}` },
      "environment",
    );
  }
  const minor = interpreter.version.split(".").slice(0, 2).join(".");
  throw new XenarcError(
    {
      what: `Python ${interpreter.version} (${interpreter.path}) lacks its \`venv\` module.`,
      fix: `Debian, Ubuntu: sudo apt install python3-venv (or python${minor}-venv). Then run the command again.`,
    },
    "environment",
  );
}

/** Runs pip; `what` names the lock files, and where to if not into the environment. */
async function installPackages(
  python: string,
  what: readonly string[],
  total: number,
  onProgress: (line: string) => void,
): Promise<void> {
  const args = ["-m", "pip", "install", "--require-hashes", "--no-input", "--disable-pip-version-check", ...what];
  const { execa } = await import("execa");
  const child = execa(python, args, { reject: false, all: true, stdin: "ignore", env: { PIP_PROGRESS_BAR: "off" } });
  let done = 0;
  for await (const line of child.iterable({ from: "all" })) {
    const collecting = /^Collecting ([\w.-]+)/.exec(line);
    if (collecting) {
      done++;
      onProgress(`installing Python packages ${done}/${total} ${collecting[1]}`);
    } else if (line.startsWith("Installing collected packages")) {
      onProgress(`unpacking ${done} Python packages`);
    }
  }
  const result = await child;
  if (result.failed) throw installError(result.all ?? "");
}

/** Packages of a lock that apply here; pip passes over those whose marker is for another system or another Python. */
function countPackages(lock: string): number {
  const names = lock.match(/^[\w.-]+(?===)/gm) ?? [];
  return new Set(names).size - (process.platform === "win32" ? 0 : 1);
}

function installError(output: string): XenarcError {
  if (noSpace(output)) return diskFull();
  if (/hashes|THESE PACKAGES DO NOT MATCH/i.test(output) && /MATCH/.test(output)) {
    return new XenarcError(
      {
        what: "A downloaded Python package is not the one that requirements.lock names (its hash differs).",
        fix: "Try again; if it stays so, the package mirror that pip is configured to use (pip config list) alters packages.",
      },
      "environment",
    );
  }
  if (/connection|resolve|timed out|Network|proxy|SSL|certificate|urlopen/i.test(output)) {
    return new XenarcError(
      {
        what: `The Python packages could not be downloaded: ${lastLine(output)}`,
        fix: "Check the network; behind a proxy set HTTPS_PROXY; with a mirror set PIP_INDEX_URL. Then run the command again.",
      },
      "environment",
    );
  }
  return new XenarcError(
    { what: `pip could not install the Python packages: ${lastLine(output)}`, fix: "Then run the command again." },
    "environment",
  );
}

/** Runs what writes to the cache, with words for a cache that cannot be written. */
async function inCache<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOSPC") throw diskFull();
    if (code !== "EACCES" && code !== "EROFS" && code !== "EPERM" && code !== "ENOTDIR") throw error;
    throw new XenarcError(
      {
        what: `xenarc's cache folder ${cacheFolder()} cannot be written (${code}).`,
        fix: "Set XDG_CACHE_HOME to a folder that can.",
      },
      "environment",
    );
  }
}

const noSpace = (output: string): boolean => /No space left|Errno 28|ENOSPC|Disk quota/i.test(output);

const diskFull = (): XenarcError =>
  new XenarcError(
    {
      what: `The disk is full: xenarc's Python environment needs about 1 GB under ${cacheFolder()}.`,
      fix: "Free some space, or set XDG_CACHE_HOME to a folder on another disk.",
    },
    "environment",
  );

/** The line that says most: pip's and Python's last error line. */
function lastLine(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const errors = lines.filter((line) => /error/i.test(line));
  return errors.at(-1) ?? lines.at(-1) ?? "it said nothing";
}
