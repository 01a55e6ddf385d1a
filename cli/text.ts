/** Text to train on where none is given: xenarc's own sources and docs. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "../compiler/source/cache.js";
import { packageRoot, sourceFolders } from "../compiler/source/package.js";

// Not examples/: people keep models of their own there, and a text should not change with them.
const FOLDERS = [...sourceFolders, "docs"];
const TEXT = /\.(ts|py|md|yaml)$/;
/** Generated, or other people's. */
const SKIPPED = new Set(["node_modules", "__pycache__", "api", "dist"]);

/**
 * Writes the package's sources and docs to `file`, in an order that has nothing to do with what they hold: the end of the text,
 * which is kept for validation, is then like the rest of it.
 */
export function writeOwnText(file: string): void {
  const top = readdirSync(packageRoot).filter((name) => TEXT.test(name));
  const files = [...top, ...FOLDERS.flatMap((folder) => textsIn(folder))]
    .map((path) => ({ path, order: sha256(path.replaceAll("\\", "/")) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, files.map(({ path }) => readFileSync(join(packageRoot, path), "utf8")).join("\n"));
}

function textsIn(folder: string): string[] {
  if (!statSync(join(packageRoot, folder), { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(join(packageRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : textsIn(path);
    return entry.isFile() && TEXT.test(entry.name) ? [path] : [];
  });
}
