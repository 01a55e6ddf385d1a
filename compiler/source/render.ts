/** Errors as people read them: what is wrong, the author's line, what was expected, what to do. */
import { relative, resolve } from "node:path";
import { showErrors, type Where, type XenarcError } from "../errors.js";
import type { Site } from "../site.js";
import { stack } from "../site.js";
import { codeFrame } from "./frame.js";
import { librarySource, packageRoot } from "./package.js";
import { originalPosition, type Position } from "./position.js";

/** How an error is shown. */
export interface RenderOptions {
  /** By default, colours where standard error is a terminal. */
  readonly colour?: boolean;
  /** The folder from which paths are shown, so that they can be opened there. By default the one that the process runs in. */
  readonly cwd?: string;
}

/**
 * The text of an error: its sentence, each place with a code frame, what was expected and what to do.
 *
 *     The axis "headDim" has size 64 on one side and 128 on the other.
 *
 *       model.ts:12:18
 *         11 |   const k = this.key.call(x);
 *       > 12 |   const scores = dot(q, k, "headDim");
 *            |                  ^
 */
export function render(error: XenarcError, options: RenderOptions = {}): string {
  const { what, where = [], expected, fix } = error.parts;
  const places = where.map((place) => renderPlace(place, options)).filter((text) => text !== "");
  const advice = [expected && `Expected: ${expected}`, fix].filter(Boolean).join("\n");
  return [what, ...places, advice].filter((part) => part !== "").join("\n\n");
}

showErrors((error, calls) => {
  // The library's own calls and Node's say nothing to an author; those who look for a defect want them.
  const own = process.env.XENARC_DEBUG ? calls : calls.filter((line) => !isInternal(line));
  return [`XenarcError: ${render(error)}`, "", ...own].join("\n");
});

/** Whether a line of a stack is of this package, of Node, or of no file. */
function isInternal(line: string): boolean {
  const file = /\(?((?:file:\/\/)?[^\s()]+?):\d+:\d+\)?$/.exec(line)?.[1]?.replace("file://", "");
  if (file === undefined || file.startsWith("node:")) return true;
  return librarySource(file) !== undefined || file.startsWith(`${packageRoot}dist/`);
}

function renderPlace(where: Where, { colour, cwd }: RenderOptions): string {
  const note = where.note ?? "";
  const frames: Place[] = "site" in where ? authorPositions(where.site) : [positionOf(where)];
  const [place, ...inner] = frames;
  if (place === undefined) return note;
  const at = place.column > 0 ? `:${place.line}:${place.column}` : place.line > 0 ? `:${place.line}` : "";
  const frame = place.line > 0 ? codeFrame(place.file, place.line, place.column || undefined, note, colour) : "";
  const head = `${pathFrom(place.file, cwd)}${at}${frame === "" && note !== "" ? `: ${note}` : ""}`;
  const through = inner.map((p) => `through ${pathFrom(p.file, cwd)}:${p.line}:${p.column}`);
  return indent([head, ...(frame === "" ? [] : [frame]), ...through].join("\n"));
}

/** The path by which a file can be opened from a folder: relative or absolute, the shorter. The library's own is `xenarc/...`. */
export function pathFrom(file: string, cwd: string = process.cwd()): string {
  const library = librarySource(file);
  if (library !== undefined) return `xenarc/${library}`;
  const path = relative(cwd, file);
  return (path.length < file.length ? path : file).replaceAll("\\", "/");
}

const indent = (text: string): string => text.replace(/^/gm, "  ");

type Place = Omit<Position, "path">;

const positionOf = ({ file, line = 0, column = 0 }: { file: string; line?: number; column?: number }): Place => ({
  file: resolve(file),
  line,
  column,
});

/**
 * The positions of a site: the author's innermost line, which is the place to change, then the library's lines that it led
 * to, innermost last. A site without a line of the author's is the library's own model.
 */
export function authorPositions(site: Site): Position[] {
  const through: Position[] = [];
  for (const frame of stack(site)) {
    const position = originalPosition(frame.file, frame.line, frame.column);
    if (librarySource(position.file) === undefined) return [position, ...through.reverse()];
    through.push(position);
  }
  return through;
}
