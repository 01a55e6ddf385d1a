/** From a position in generated JavaScript, as the engine reports it, to the author's file. */
import { existsSync, readFileSync } from "node:fs";
import { findSourceMap, SourceMap } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { projectRoot, readCache, writeCache } from "./cache.js";
import { librarySource } from "./package.js";
import { transform, transformKey } from "./transform.js";

/** A place in a source file; line and column count from 1. */
export interface Position {
  /** The absolute path. */
  readonly file: string;
  /** The path to show: relative to its project, or `xenarc/...` and `package/...` for a library's files; forward slashes. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

type Mapper = (line: number, column: number) => Position;

const mappers = new Map<string, Mapper>();

/**
 * The author's position behind a generated one.
 *
 * @param file a path or a file URL, as a call site gives it.
 * @returns the position itself where no source map is known.
 */
export function originalPosition(file: string, line: number, column: number): Position {
  let mapper = mappers.get(file);
  if (mapper === undefined) {
    mapper = remembering(makeMapper(file));
    mappers.set(file, mapper);
  }
  return mapper(line, column);
}

const shown = new Map<string, string>();

/** The path to show for a file, the same on every machine: see {@link Position.path}. */
export function shownPath(file: string): string {
  let path = shown.get(file);
  if (path === undefined) {
    const library = librarySource(file);
    const installed = file.replaceAll("\\", "/").split("/node_modules/");
    if (library !== undefined) path = `xenarc/${library}`;
    else if (installed.length > 1) path = installed[installed.length - 1]!;
    else path = relative(projectRoot(file), file).replaceAll("\\", "/");
    shown.set(file, path);
  }
  return path;
}

function remembering(mapper: Mapper): Mapper {
  const known = new Map<number, Position>();
  return (line, column) => {
    const key = line * 0x10000 + column;
    let position = known.get(key);
    if (position === undefined) {
      position = mapper(line, column);
      known.set(key, position);
    }
    return position;
  };
}

function makeMapper(file: string): Mapper {
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  const here = (line: number, column: number): Position => ({ file: path, path: shownPath(path), line, column });
  const map = sourceMapOf(file, path);
  if (map === undefined) return here;
  return (line, column) => {
    const entry = map.findEntry(line - 1, column - 1);
    if (!("originalSource" in entry)) return here(line, column);
    const source = sourcePath(path, entry.originalSource);
    return { file: source, path: shownPath(source), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  };
}

function sourcePath(generated: string, source: string): string {
  return source.startsWith("file:") ? fileURLToPath(source) : resolve(dirname(generated), source);
}

/**
 * Compiled files and the loader's bundles have their maps beside them. TypeScript run as it stands has the map that its
 * loader (tsx) gave to Node; jest gives Node none, so there the transform is done once more.
 */
function sourceMapOf(file: string, path: string): SourceMap | undefined {
  if (!/\.[cm]?tsx?$/.test(path)) return read(`${path}.map`);
  return (
    findSourceMap(file) ?? findSourceMap(path) ?? (process.env.JEST_WORKER_ID === undefined ? undefined : again(path))
  );
}

function read(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function again(path: string): SourceMap | undefined {
  if (!existsSync(path)) return undefined;
  const source = readFileSync(path, "utf8");
  const key = transformKey(path, source);
  let map = readCache<string>(path, "maps", key);
  if (map === undefined) {
    map = transform(path, source).map;
    writeCache(path, "maps", key, map);
  }
  return new SourceMap(JSON.parse(map));
}
