/** Patterns over paths (`blocks/attention/query/weight`), by which configurations name parameters and modules. */
import { didYouMean, XenarcError } from "./errors.js";

/**
 * The paths that a pattern means: `*` stands for what is between two slashes or a part of it, `**` for any number of names. What means a
 * module means all that is in it: `head` is `head/weight` and `head/bias`.
 *
 * @param setting where the pattern stands, for the error: `train.parameters[0].match`.
 * @param things what the paths are of: `parameter`.
 * @param means `itself`: a module is only that, not what is in it.
 * @throws XenarcError for a pattern that means none of them, with those that are near.
 */
export function matching(
  pattern: string,
  paths: readonly string[],
  setting: string,
  things: string,
  means: "itself" | "all" = "all",
): string[] {
  const begins = new RegExp(`${expression(pattern)}${means === "itself" ? "$" : ""}`);
  // Every name is followed by a slash, so that `**` may stand for none; what follows the last is inside of what it names.
  const found = paths.filter((path) => begins.test(`${path}/`));
  if (found.length > 0) return found;
  const words = pattern.split("/").filter((word) => !word.includes("*"));
  const names = new Set(paths.flatMap((path) => path.split("/")));
  const unknown = words.find((word) => !names.has(word));
  const score = (path: string) => path.split("/").filter((name) => words.includes(name)).length;
  const near = paths.map((path) => [path, score(path)] as const).sort(([, a], [, b]) => b - a);
  const shown = near.slice(0, SHOWN).map(([path]) => path);
  throw new XenarcError({
    what: `${setting}: "${pattern}" matches no ${things}.${unknown === undefined ? "" : didYouMean(unknown, names)}`,
    expected: `a pattern for some of ${shown.join(", ")}${paths.length > SHOWN ? ", ..." : ""}`,
    fix: "* stands for one name or a part of it, ** for any number of names: **/bias, blocks/attention/*, head.",
  });
}

/** Paths that an error names. */
const SHOWN = 6;

function expression(pattern: string): string {
  const parts = pattern.split("/").filter((part) => part !== "");
  const one = (part: string) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  return `^${parts.map((part) => (part === "**" ? "(?:[^/]+/)*" : `${one(part)}/`)).join("")}`;
}
