/** Errors as people read them: what is wrong, the author's line, what was expected, what to do. */
import { resolve } from "node:path";
import type { Where, XenarcError } from "../errors.js";
import type { Site } from "../site.js";
import { stack } from "../site.js";
import { codeFrame } from "./frame.js";
import { librarySource } from "./package.js";
import { originalPosition, type Position, shownPath } from "./position.js";

/** How an error is shown. */
export interface RenderOptions {
  /** By default, colours where standard error is a terminal. */
  readonly colour?: boolean;
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

function renderPlace(where: Where, { colour }: RenderOptions): string {
  const note = where.note ?? "";
  const frames = "site" in where ? authorPositions(where.site) : [positionOf(where)];
  const [place, ...inner] = frames;
  if (place === undefined) return note;
  const at = place.column > 0 ? `:${place.line}:${place.column}` : place.line > 0 ? `:${place.line}` : "";
  const frame = place.line > 0 ? codeFrame(place.file, place.line, place.column || undefined, note, colour) : "";
  const head = `${place.path}${at}${frame === "" && note !== "" ? `: ${note}` : ""}`;
  const through = inner.map((p) => `through ${p.path}:${p.line}:${p.column}`);
  return indent([head, ...(frame === "" ? [] : [frame]), ...through].join("\n"));
}

const indent = (text: string): string => text.replace(/^/gm, "  ");

function positionOf(where: { file: string; line?: number; column?: number }): Position {
  const file = resolve(where.file);
  return { file, path: shownPath(file), line: where.line ?? 0, column: where.column ?? 0 };
}

/**
 * The positions of a site: the author's innermost line, which is the place to change, then the library's lines that it led
 * to, innermost last. A site without a line of the author's is the library's own model.
 */
function authorPositions(site: Site): Position[] {
  const through: Position[] = [];
  for (const frame of stack(site)) {
    const position = originalPosition(frame.file, frame.line, frame.column);
    if (librarySource(position.file) === undefined) return [position, ...through.reverse()];
    through.push(position);
  }
  return through;
}
