/**
 * The author's names for values: which variable the result of a call ends up in, by the position of the call. One parse of
 * one file, without types, kept by the hash of its text, so that a warm run never loads a parser.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import type { Worker } from "node:worker_threads";
import { readCache, sha256, writeAtomically, writeCache } from "./cache.js";
import type { Entry, Name } from "./naming.js";
import type { NamingRequest } from "./naming_thread.js";
import { isCompiled, librarySource, packageRoot } from "./package.js";

/** Raised when the same source gives another table, so that tables kept by earlier versions are made anew. */
const FORMAT = "2";

/** The names of one file's values. */
export class NameTable {
  readonly #names = new Map<number, Name>();
  readonly #wholes = new Map<number, number>();

  constructor(entries: readonly Entry[]) {
    for (const [line, column, name, whole] of entries) {
      this.#names.set(keyOf(line, column), name);
      this.#wholes.set(keyOf(line, column), whole);
    }
  }

  /**
   * The variable that the call at a position is stored in, directly or as part of the stored expression: valid as an MLIR identifier.
   *
   * @param line of the callee's last name (`c` of `a.b.c()`, `f` of `f()`) or of `new`, as the engine reports a call;
   *   counted from 1, like `column`, in the TypeScript source.
   * @returns one name; the names of a destructuring (`const { values, indices } = ...`, `const [h, ys] = ...`) in the
   *   order they are written, `""` where one is left out; the enclosing function's name for a value that is returned
   *   directly; undefined for any other value.
   */
  at(line: number, column: number): string | readonly string[] | undefined {
    const name = this.#names.get(keyOf(line, column));
    if (name === undefined || typeof name === "string" || isList(name)) return name;
    return name.returned === "" ? undefined : name.returned;
  }

  /** A number that the calls of one stored expression share: the last value made among them is the variable's. */
  expression(line: number, column: number): number | undefined {
    return this.#wholes.get(keyOf(line, column));
  }

  /** Whether the call's value is what the enclosing function returns: then the caller's name for it says more. */
  isReturned(line: number, column: number): boolean {
    const name = this.#names.get(keyOf(line, column));
    return typeof name === "object" && !isList(name);
  }
}

const keyOf = (line: number, column: number): number => line * 0x10000 + column;
const isList = (name: Name): name is readonly string[] => Array.isArray(name);

const EMPTY = new NameTable([]);
const tables = new Map<string, { hash: string; table: NameTable }>();

/**
 * The names in a TypeScript file. The library's own come with the package; an author's file is parsed when it changed.
 *
 * @param path absolute. A file that cannot be read has no names.
 */
export async function namesFor(path: string): Promise<NameTable> {
  const library = isCompiled ? librarySource(path) : undefined;
  if (library !== undefined) return libraryNames(library);
  let source: string;
  try {
    source = readFileSync(path, "utf8");
  } catch {
    return EMPTY;
  }
  const hash = sha256(FORMAT, source);
  const known = tables.get(path);
  if (known?.hash === hash) return known.table;
  let entries = readCache<Entry[]>(path, "names", hash);
  if (entries === undefined) {
    entries = await parse(path, source);
    writeCache(path, "names", hash, entries);
  }
  const table = new NameTable(entries);
  tables.set(path, { hash, table });
  return table;
}

const LIBRARY_TABLE = join(packageRoot, "dist", "names.json");
let libraryTables: Record<string, NameTable> | undefined;

function libraryNames(file: string): NameTable {
  if (libraryTables === undefined) {
    const all = existsSync(LIBRARY_TABLE)
      ? (JSON.parse(readFileSync(LIBRARY_TABLE, "utf8")) as Record<string, Entry[]>)
      : {};
    libraryTables = Object.fromEntries(Object.entries(all).map(([path, entries]) => [path, new NameTable(entries)]));
  }
  return libraryTables[file] ?? EMPTY;
}

/** Writes the names of the library's own values to dist/names.json: of what is written in the language, the models. */
export async function buildNames(root: string): Promise<void> {
  const all: Record<string, Entry[]> = {};
  for (const file of typescriptFiles(join(root, "models"))) {
    all[relative(root, file).replaceAll("\\", "/")] = await parse(file, readFileSync(file, "utf8"));
  }
  writeAtomically(join(root, "dist", "names.json"), JSON.stringify(all));
}

function typescriptFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    .sort();
}

let thread: Worker | undefined;

/**
 * Begins to load the parser, in a thread of its own: a model that is new is bundled, loaded and traced meanwhile. It holds no process that
 * has nothing else to do.
 */
export function startNaming(): void {
  if (!isCompiled || thread !== undefined) return;
  // Loaded for a model that is new, not for every command.
  const threads = createRequire(import.meta.url)("node:worker_threads") as typeof import("node:worker_threads");
  thread = new threads.Worker(join(packageRoot, "dist/compiler/source/naming_thread.js"));
  thread.unref();
}

async function parse(path: string, source: string): Promise<Entry[]> {
  if (thread === undefined) {
    const { namesIn } = await import("./naming.js");
    return namesIn(path, source);
  }
  const parser = thread;
  parser.ref();
  try {
    return await new Promise<Entry[]>((resolve, reject) => {
      const answer = (message: { path: string; entries: Entry[] }) => {
        if (message.path !== path) return;
        parser.off("message", answer);
        parser.off("error", reject);
        resolve(message.entries);
      };
      parser.on("message", answer);
      parser.on("error", reject);
      parser.postMessage({ path, source } satisfies NamingRequest);
    });
  } finally {
    parser.unref();
  }
}
