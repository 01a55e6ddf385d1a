/** What the numbers mean that an anomaly program gives: a file beside it, which shows the author's lines wherever the artifact goes. */
import { z } from "zod";
import type { Check } from "../compiler/program.js";
import type { Site } from "../compiler/site.js";
import { codeFrame } from "../compiler/source/frame.js";
import { authorPositions } from "../compiler/source/render.js";

/** A line of a model, as it was when the artifact was compiled. */
const lineSchema = z.strictObject({
  path: z.string(),
  line: z.int(),
  column: z.int(),
  /** The line with those around it. */
  frame: z.string(),
});

/** `programs/NAME.checks.json`. */
export const checksSchema = z.strictObject({
  lines: z.array(lineSchema),
  checks: z.array(
    z.union([
      z.strictObject({ input: z.string() }),
      z.strictObject({
        operation: z.string(),
        /** The path of the module that was running. */
        module: z.string(),
        /** It is part of the derivative of what the lines say. */
        backward: z.boolean(),
        /** The author's line, then the library's that it led to: numbers of `lines`. */
        at: z.array(z.int()),
        loops: z.array(
          z.strictObject({ axis: z.string().optional(), length: z.int().optional(), reverse: z.boolean().optional() }),
        ),
      }),
    ]),
  ),
});

export type ChecksFile = z.infer<typeof checksSchema>;

/** The file's contents. */
export function checksFile(checks: readonly Check[]): ChecksFile {
  const lines: ChecksFile["lines"] = [];
  const numbers = new Map<string, number>();
  const sites = new Map<Site, number[]>();
  const at = (site: Site): number[] => {
    let known = sites.get(site);
    if (known === undefined) {
      known = authorPositions(site).map(({ file, path, line, column }) => {
        const key = `${path}:${line}:${column}`;
        const number =
          numbers.get(key) ?? lines.push({ path, line, column, frame: codeFrame(file, line, column, "", false) }) - 1;
        numbers.set(key, number);
        return number;
      });
      sites.set(site, known);
    }
    return known;
  };
  return {
    checks: checks.map(({ operation, site, input, loops }) => {
      if (input !== undefined) return { input };
      const written = site?.origin ?? site;
      return {
        operation,
        module: site?.scope ?? "",
        backward: site?.backward ?? false,
        at: written ? at(written) : [],
        loops: loops.map((loop) => ({ ...loop })),
      };
    }),
    lines,
  };
}
