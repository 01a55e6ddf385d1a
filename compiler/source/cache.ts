/**
 * What is derived from source files and kept between runs, in `<project>/.xenarc/cache`. An entry belongs to one file and
 * one kind; a new one replaces the old, so the cache grows with the project and not with its history.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** The hexadecimal SHA-256 of some texts, each told apart from the next. */
export function sha256(...parts: string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

const roots = new Map<string, string>();

/** The folder of the nearest package.json above a file; without one, the file's own folder. */
export function projectRoot(path: string): string {
  const folder = dirname(path);
  let root = roots.get(folder);
  if (root === undefined) {
    root = folder;
    for (let up = folder; ; up = dirname(up)) {
      if (existsSync(join(up, "package.json"))) {
        root = up;
        break;
      }
      if (dirname(up) === up) break;
    }
    roots.set(folder, root);
  }
  return root;
}

const folders = new Map<string, string>();

/** The cache folder for a file, made on first use; a temporary one where the project cannot be written to. */
export function cacheFolder(path: string): string {
  const root = projectRoot(path);
  let folder = folders.get(root);
  if (folder === undefined) {
    folder = makeFolder(join(root, ".xenarc", "cache")) ?? temporaryFolder();
    folders.set(root, folder);
  }
  return folder;
}

function makeFolder(folder: string): string | undefined {
  try {
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true });
      // Nobody wants to commit it, whatever the project's own .gitignore says.
      writeFileSync(join(folder, ".gitignore"), "*\n");
    }
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return undefined;
  }
}

let temporary: string | undefined;
function temporaryFolder(): string {
  if (temporary === undefined) {
    // Not a fixed name: code is loaded from it, and others may write to the system's temporary folder.
    const made = mkdtempSync(join(tmpdir(), "xenarc-cache-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    temporary = made;
  }
  return temporary;
}

/** What a cache entry is. */
export type CacheKind = "modules" | "names" | "maps" | "positions";

const fileOf = (path: string, kind: CacheKind): string =>
  join(cacheFolder(path), kind, `${basename(path)}-${sha256(path).slice(0, 16)}.json`);

/** The entry of `path` if it was written under the same `key`. */
export function readCache<T>(path: string, kind: CacheKind, key: string): T | undefined {
  try {
    const entry = JSON.parse(readFileSync(fileOf(path, kind), "utf8")) as { key: string; value: T };
    return entry.key === key ? entry.value : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the entry of `path`. */
export function writeCache(path: string, kind: CacheKind, key: string, value: unknown): void {
  writeAtomically(fileOf(path, kind), JSON.stringify({ key, value }));
}

/** Writes a file that other processes may be reading: they see the old text or the new. */
export function writeAtomically(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}
