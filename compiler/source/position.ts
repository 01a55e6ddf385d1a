/** From a position in generated JavaScript, as the engine reports it, to the author's file. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { findSourceMap, SourceMap } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { projectRoot, readCache, writeCache } from "./cache.js";
import { isCompiled, librarySource } from "./package.js";
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
    mapper = makeMapper(file);
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

/** A position without what follows from the file. */
type Place = readonly [file: string, line: number, column: number];

function remembering(mapper: (line: number, column: number) => Place, known: Map<number, Place>): Mapper {
  const positions = new Map<number, Position>();
  return (line, column) => {
    const key = line * 0x10000 + column;
    let position = positions.get(key);
    if (position === undefined) {
      const place = known.get(key) ?? mapper(line, column);
      known.set(key, place);
      position = { file: place[0], path: shownPath(place[0]), line: place[1], column: place[2] };
      positions.set(key, position);
    }
    return position;
  };
}

function makeMapper(file: string): Mapper {
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  let read: { map: SourceMap | undefined } | undefined;
  const mapper = (line: number, column: number): Place => {
    read ??= { map: sourceMapOf(file, path) };
    const entry = read.map?.findEntry(line - 1, column - 1);
    if (entry === undefined || !("originalSource" in entry)) return [path, line, column];
    return [sourcePath(path, entry.originalSource), entry.originalLine + 1, entry.originalColumn + 1];
  };
  return remembering(mapper, isCompiled && !isTypeScript(path) ? kept(path) : new Map());
}

/**
 * The places that were looked up in a compiled file or a bundle, kept between runs: a model's are nearly the same each time, and reading
 * the library's map takes as long as tracing.
 */
function kept(path: string): Map<number, Place> {
  const map = statSync(`${path}.map`, { throwIfNoEntry: false });
  const key = `${map?.mtimeMs} ${map?.size}`;
  const places = new Map(readCache<[number, Place][]>(path, "positions", key));
  const before = places.size;
  process.once("exit", () => {
    if (places.size > before && existsSync(path)) writeCache(path, "positions", key, [...places]);
  });
  return places;
}

const isTypeScript = (path: string): boolean => /\.[cm]?tsx?$/.test(path);

function sourcePath(generated: string, source: string): string {
  return source.startsWith("file:") ? fileURLToPath(source) : resolve(dirname(generated), source);
}

/**
 * Compiled files and the loader's bundles have their maps beside them. TypeScript run as it stands has the map that its
 * loader (tsx) gave to Node; jest gives Node none, so there the transform is done once more.
 */
function sourceMapOf(file: string, path: string): SourceMap | undefined {
  if (!isTypeScript(path)) return readMap(`${path}.map`);
  return (
    findSourceMap(file) ?? findSourceMap(path) ?? (process.env.JEST_WORKER_ID === undefined ? undefined : again(path))
  );
}

function readMap(path: string): SourceMap | undefined {
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
