/**
 * A configuration from its three sources: the schema's defaults, a YAML file, `key=value` settings. Each wins over those before
 * it. What is wrong with a configuration is said all at once, each mistake at its place.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Document, LineCounter, Node } from "yaml";
import type { z } from "zod";
import { nearest, type Where, XenarcError } from "../compiler/errors.js";

/** Where a configuration comes from, besides the schema's defaults. */
export interface ConfigSources {
  /** Values given in code; a YAML file wins over them. */
  readonly values?: unknown;
  /** A YAML file. */
  readonly yamlFile?: string | undefined;
  /** `train.steps=100`: a dotted key and a YAML value. */
  readonly overrides?: readonly string[];
}

/** One value of a resolved configuration and where it came from. */
export interface Setting {
  /** `train.steps` */
  readonly key: string;
  readonly value: unknown;
  /** `default`, `code` (given as a value), `argument` (a `key=value`), or the line of the YAML file. */
  readonly origin: "default" | "code" | "argument" | { readonly file: string; readonly line: number };
}

/** Loaded with the first text that needs it. */
const yaml = (): typeof import("yaml") => createRequire(import.meta.url)("yaml");

type Path = readonly PropertyKey[];
type Mapping = Record<string, unknown>;

/**
 * The configuration that `schema` makes of the sources.
 *
 * @throws XenarcError that names every wrong key, with the nearest right one, and every wrong value, with what is allowed.
 */
export function resolveConfig<S extends z.ZodType>(schema: S, sources: ConfigSources = {}): z.output<S> {
  return resolve(schema, sources).config;
}

/** {@link resolveConfig}, with each value's origin. */
export function explainConfig<S extends z.ZodType>(
  schema: S,
  sources: ConfigSources = {},
): { config: z.output<S>; settings: Setting[] } {
  const { config, given } = resolve(schema, sources);
  const settings = leavesOf(config).map(
    ([path, value]): Setting => ({ key: dotted(path), value, origin: given.origin(path) }),
  );
  return { config, settings };
}

/** The values of a configuration, or of some sections, by their dotted keys. */
export const byKey = (config: unknown): Map<string, unknown> =>
  new Map(leavesOf(config).map(([path, value]) => [dotted(path), value]));

function resolve<S extends z.ZodType>(schema: S, sources: ConfigSources): { config: z.output<S>; given: Given } {
  const given = new Given(sources.values, sources.yamlFile === undefined ? undefined : readYaml(sources.yamlFile));
  for (const text of sources.overrides ?? []) given.override(text);
  const parsed = schema.safeParse(given.values);
  if (parsed.success) return { config: parsed.data, given };
  throw asError(parsed.error.issues.flatMap((issue) => mistakes(issue, schema, given)));
}

/** What the user gave: values, and where each was given. */
class Given {
  readonly values: Mapping;
  readonly #yaml: Yaml | undefined;
  /** The text of a `key=value` by the path it set. */
  readonly #arguments = new Map<string, string>();

  constructor(values: unknown, yaml: Yaml | undefined) {
    this.#yaml = yaml;
    this.values = (merged(values, yaml?.values) ?? {}) as Mapping;
    // An empty section (all of it commented out) says nothing.
    for (const key of Object.keys(this.values)) if (this.values[key] === null) delete this.values[key];
  }

  override(text: string): void {
    const { path, value } = readOverride(text);
    let into = this.values;
    for (const [i, step] of path.slice(0, -1).entries()) {
      let next = Object.hasOwn(into, step) ? into[step] : undefined;
      if (!isMapping(next)) {
        if (next !== undefined) this.#arguments.set(dotted(path.slice(0, i + 1)), text);
        next = {};
        define(into, step, next);
      }
      into = next as Mapping;
    }
    define(into, path.at(-1) as string, value);
    this.#arguments.set(dotted(path), text);
  }

  /** The value at a path, as given. */
  at(path: Path): unknown {
    return valueAt(this.values, path);
  }

  /** The `key=value` that set the value at a path, or one around it. */
  argument(path: Path): string | undefined {
    for (let n = path.length; n > 0; n--) {
      const text = this.#arguments.get(dotted(path.slice(0, n)));
      if (text !== undefined) return text;
    }
    return undefined;
  }

  /** The place in the YAML file of the value at a path, or of the innermost part of the path that is there. */
  place(path: Path, of: "key" | "value" = "value"): (Where & { readonly line: number }) | undefined {
    return this.#yaml && placeOf(this.#yaml, path, of);
  }

  origin(path: Path): Setting["origin"] {
    if (this.argument(path) !== undefined) return "argument";
    if (this.at(path) === undefined) return "default";
    const place = valueAt(this.#yaml?.values, path) === undefined ? undefined : this.place(path);
    return place && "file" in place ? { file: place.file, line: place.line } : "code";
  }
}

const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}

/** `over` on top of `under`, key by key where both are mappings. */
function merged(under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  if (!isMapping(under) || !isMapping(over)) return over;
  const result: Mapping = {};
  for (const key of new Set([...Object.keys(under), ...Object.keys(over)])) {
    const at = (from: Mapping) => (Object.hasOwn(from, key) ? from[key] : undefined);
    define(result, key, merged(at(under), at(over)));
  }
  return result;
}

/** Assigns so that `__proto__` is a key like any other, and refused like any other. */
const define = (into: Mapping, key: string, value: unknown): void => {
  Object.defineProperty(into, key, { value, writable: true, enumerable: true, configurable: true });
};

const dotted = (path: Path): string => path.map(String).join(".");

function leavesOf(value: unknown, path: Path = []): [Path, unknown][] {
  if (!isMapping(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

function readOverride(text: string): { path: string[]; value: unknown } {
  const equals = text.indexOf("=");
  const key = text.slice(0, Math.max(equals, 0)).trim();
  if (!/^[\w$-]+(\.[\w$-]+)*$/.test(key)) {
    throw new XenarcError(
      { what: `\`${text}\` is not a setting.`, expected: "key=value, such as train.steps=100." },
      "usage",
    );
  }
  const path = key.split(".");
  const given = text.slice(equals + 1);
  // These are the same in YAML, whose parser takes longer to load than all settings to resolve.
  if (/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?)$/.test(given)) return { path, value: JSON.parse(given) };
  const document = yaml().parseDocument(given, { prettyErrors: false });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    throw new XenarcError(
      {
        what: `The value of \`${text}\` cannot be read: ${firstLine(problem.message)}`,
        expected: "a YAML value: a number, true, false, text (quoted if it has special characters), [a, b].",
      },
      "usage",
    );
  }
  return { path, value: document.toJS({ maxAliasCount: 0 }) };
}

// ---- the YAML file

interface Yaml {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly values: Mapping;
}

function readYaml(file: string): Yaml {
  const text = readText(file);
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const at = (offset: number, note?: string): Where => {
    const { line, col } = lines.linePos(Math.min(offset, text.trimEnd().length));
    return { file, line, column: col, ...(note === undefined ? {} : { note }) };
  };
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const problems = [...document.errors, ...document.warnings];
    if (problems.length > 0) {
      const many = problems.length > 1;
      throw new XenarcError({
        what: many ? `The YAML has ${problems.length} mistakes.` : `The YAML is wrong: ${yamlSentence(problems[0]!)}`,
        where: problems.slice(0, SHOWN).map((problem) => at(problem.pos[0], many ? yamlSentence(problem) : undefined)),
      });
    }
    const values: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
    if (!isMapping(values)) {
      throw new XenarcError({
        what: `A configuration is a mapping, and this is ${shown(values)}.`,
        where: [at(document.contents?.range?.[0] ?? 0)],
        expected: "sections with settings, such as\n\n  train:\n    steps: 100",
      });
    }
    return { file, document, lines, values };
  } catch (error) {
    if (error instanceof XenarcError) throw error;
    // A reference that leads nowhere or grows without end, nesting deeper than the stack.
    const said = firstLine((error as Error).message);
    const what =
      error instanceof RangeError
        ? "it is nested too deeply"
        : said.startsWith("Excessive alias count")
          ? "its aliases stand for more than any configuration holds"
          : said;
    throw new XenarcError({ what: `The YAML cannot be used: ${what}.`, where: [{ file }] });
  }
}

function readText(file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what =
      code === "ENOENT"
        ? `There is no file ${file}.`
        : code === "EISDIR"
          ? `${file} is a folder.`
          : `${file} cannot be read (${code}).`;
    throw new XenarcError({ what, fix: "Give the path of a YAML file." }, "usage");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const before = new TextDecoder().decode(bytes).split("\uFFFD", 1)[0]!.split("\n");
    throw new XenarcError({
      what: "The file is not UTF-8.",
      where: [{ file, line: before.length, column: before.at(-1)!.length + 1, note: "this byte is not" }],
      fix: `Save it as UTF-8, or convert it: iconv -f latin1 -t utf-8`,
    });
  }
}

const firstLine = (message: string): string => message.split("\n", 1)[0]!.replace(/[:.]$/, "");

const yamlSentence = (problem: { code: string; message: string }): string =>
  problem.code === "DUPLICATE_KEY"
    ? "this key is here twice."
    : problem.code === "TAB_AS_INDENT"
      ? "a tab cannot indent; use spaces."
      : problem.code === "MULTIPLE_DOCS"
        ? "it is several documents (`---`); keep one."
        : `${firstLine(problem.message).replace(/(["'])quote$/, "$1")}.`;

function placeOf(
  { file, document, lines }: Yaml,
  path: Path,
  of: "key" | "value",
): (Where & { line: number }) | undefined {
  const { isAlias, isMap, isScalar, isSeq } = yaml();
  const resolved = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  let node: unknown = document.contents;
  let found: Node | undefined;
  for (const [i, step] of path.entries()) {
    const around = resolved(node);
    if (isMap(around)) {
      const pair = around.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      node = pair.value;
      // A section stands where its name stands.
      const byKey = (of === "key" && i === path.length - 1) || !(isScalar(node) && node.source !== "");
      found = (byKey ? pair.key : node) as Node;
    } else if (isSeq(around)) {
      const item: unknown = around.items[Number(step)];
      if (item === undefined) break;
      node = item;
      found = item as Node;
    } else break;
  }
  if (found?.range == null) return undefined;
  const { line, col } = lines.linePos(found.range[0]);
  return { file, line, column: col };
}

// ---- what is wrong

/** How many mistakes are shown; more are one mistake repeated. */
const SHOWN = 20;

interface Mistake {
  readonly what: string;
  readonly place?: Where | undefined;
  readonly expected?: string | undefined;
  readonly fix?: string | undefined;
}

type Issue = z.core.$ZodIssue;

function mistakes(issue: Issue, schema: z.ZodType, given: Given): Mistake[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => wrongKey([...issue.path, key], schema, given));
  const name = issue.path.length === 0 ? "The configuration" : `\`${dotted(issue.path)}\``;
  const value = given.at(issue.path);
  const rule = demand(issue, value);
  const what =
    value === undefined && issue.code === "invalid_type"
      ? `${name} is not set.`
      : rule === undefined
        ? `${name}${value === undefined ? "" : ` is ${shown(value)}`}: ${issue.message.replace(/[.]?$/, ".")}`
        : `${name} must be ${rule}, and is ${shown(value)}.`;
  const argument = given.argument(issue.path);
  const expected = value === undefined && rule !== undefined ? `${rule}.` : undefined;
  return [
    argument === undefined
      ? { what, place: given.place(issue.path), expected, fix: fixOf(issue, value) }
      : { what: `${argument}: ${what}`, fix: fixOf(issue, value) },
  ];
}

function wrongKey(path: Path, schema: z.ZodType, given: Given): Mistake {
  const key = String(path.at(-1));
  const here = keysOf(schema, path.slice(0, -1));
  const all = allKeys(schema);
  const lastOf = (full: string) => full.slice(full.lastIndexOf(".") + 1);
  const near = nearest(key, here);
  const alike = nearest(key, all.map(lastOf));
  const elsewhere = all.find((full) => lastOf(full) === key) ?? all.find((full) => lastOf(full) === alike);
  const meant = near === undefined ? elsewhere : dotted([...path.slice(0, -1), near]);
  const what = `There is no setting \`${dotted(path)}\`.${meant === undefined ? "" : ` Did you mean \`${meant}\`?`}`;
  const expected = meant === undefined && here.length > 0 ? `one of ${here.join(", ")}.` : undefined;
  const argument = given.argument(path);
  return argument === undefined
    ? { what, place: given.place(path, "key"), expected }
    : { what: `${argument}: ${what}`, expected };
}

/** One error of all mistakes: a single one at its place, several with a sentence at each place. */
function asError(found: readonly Mistake[]): XenarcError {
  const [first] = found;
  if (found.length === 1 && first !== undefined) {
    const { what, place, expected, fix } = first;
    return new XenarcError({ what, where: place ? [place] : [], ...(expected && { expected }), ...(fix && { fix }) });
  }
  const sentence = ({ what, expected, fix }: Mistake) =>
    [what, expected && `Expected: ${expected}`, fix].filter(Boolean).join(" ");
  const displaced = found.filter(({ place }) => place === undefined).map(sentence);
  const placed = found
    .flatMap((mistake) => (mistake.place === undefined ? [] : [{ ...mistake.place, note: sentence(mistake) }]))
    .sort((a, b) => ("line" in a && "line" in b ? (a.line ?? 0) - (b.line ?? 0) : 0));
  const more = found.length > SHOWN ? ` The first ${SHOWN}:` : "";
  const head = `${found.length} settings are wrong.${more}`;
  return new XenarcError({
    what: [head, ...displaced.slice(0, SHOWN).map((text) => `  ${text}`)].join("\n"),
    where: placed.slice(0, Math.max(0, SHOWN - displaced.length)),
  });
}

const TYPES: Record<string, string> = {
  number: "a number",
  int: "a whole number",
  string: "text",
  boolean: "true or false",
  object: "a mapping of settings",
  record: "a mapping",
  array: "a list",
  null: "null",
};

/** What a value must be by an issue, as the end of "must be ..."; undefined where only the issue's own message can say. */
function demand(issue: Issue, value: unknown): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return oneOf(issue.values.map((allowed) => shown(allowed)));
    case "too_small":
    case "too_big": {
      const low = issue.code === "too_small";
      const bound = low ? issue.minimum : issue.maximum;
      if (issue.origin === "number" || issue.origin === "int") {
        return `${low ? (issue.inclusive ? "at least" : "more than") : issue.inclusive ? "at most" : "less than"} ${bound}`;
      }
      const parts = issue.origin === "string" ? "characters long" : "elements long";
      return `${low ? "at least" : "at most"} ${bound} ${parts}`;
    }
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_union": {
      const rules = issue.errors.map(([first]) =>
        first && first.path.length === 0 ? demand(first, value) : undefined,
      );
      const known = [...new Set(rules.filter((rule) => rule !== undefined))];
      return known.length > 0 ? oneOf(known) : undefined;
    }
    default:
      return undefined;
  }
}

const oneOf = (items: readonly string[]): string =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;

/** What to do, for the slips that are known. */
function fixOf(issue: Issue, value: unknown): string | undefined {
  if (issue.code === "invalid_value" && typeof value === "string") {
    const meant = nearest(value, issue.values.map(String));
    return meant === undefined ? undefined : `Did you mean ${JSON.stringify(meant)}?`;
  }
  if (issue.code !== "invalid_type") return undefined;
  if (value === undefined) return `Write ${issue.path.join(".")}=... or give it a default in the schema.`;
  if (issue.expected === "string" && ["number", "boolean"].includes(typeof value))
    return `Put it in quotes: "${value}".`;
  if (typeof value !== "string") return undefined;
  if (issue.expected === "boolean" && /^(yes|on|y)$/i.test(value)) return "Write true.";
  if (issue.expected === "boolean" && /^(no|off|n)$/i.test(value)) return "Write false.";
  const plain = value.replace(/[_,' ]/g, "");
  return /^(number|int)$/.test(issue.expected) && plain !== "" && Number.isFinite(Number(plain))
    ? `Write ${plain}.`
    : undefined;
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

// ---- what the schema has

/** What a schema is made of, as far as keys go. Read from the definition, not by class: authors may have a zod of their own. */
interface Definition {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly getter?: () => z.ZodType;
}

/** The object shapes a schema may have, its wrappers (default, optional, ...) taken off. */
function shapesOf(schema: z.ZodType): Record<string, z.ZodType>[] {
  const def = schema._zod.def as unknown as Definition;
  if (def.shape) return [def.shape];
  if (def.options) return def.options.flatMap(shapesOf);
  const inner = def.innerType ?? def.in ?? def.getter?.();
  return inner ? shapesOf(inner) : [];
}

function elementOf(schema: z.ZodType): z.ZodType | undefined {
  const def = schema._zod.def as unknown as Definition;
  if (def.element || def.valueType) return def.element ?? def.valueType;
  const inner = def.innerType ?? def.in;
  return inner && elementOf(inner);
}

/** The keys that may stand at a path. */
function keysOf(schema: z.ZodType, path: Path): string[] {
  let at: z.ZodType[] = [schema];
  for (const step of path) {
    at = at.flatMap((s) => {
      const inner = shapesOf(s).flatMap((shape) => shape[String(step)] ?? []);
      return inner.length > 0 ? inner : (elementOf(s) ?? []);
    });
  }
  return [...new Set(at.flatMap(shapesOf).flatMap((shape) => Object.keys(shape)))];
}

/** Every setting of a schema, dotted. A schema that holds itself is followed a few levels. */
function allKeys(schema: z.ZodType, prefix = "", depth = 0): string[] {
  if (depth > 4) return [];
  return shapesOf(schema).flatMap((shape) =>
    Object.entries(shape).flatMap(([key, inner]) => [prefix + key, ...allKeys(inner, `${prefix}${key}.`, depth + 1)]),
  );
}
