/** A configuration's schema as JSON Schema, for editors: with what the sources say of each key in its comment. Loads ts-morph. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Node, Project } from "ts-morph";
import { z } from "zod";
import { packageRoot } from "../compiler/source/package.js";

/** Where the package's own sections are declared. */
const OWN = ["models", "models/train"];

/** The parts of a JSON Schema that are gone through. */
interface JsonSchema {
  description?: string;
  readonly properties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: boolean | JsonSchema;
}

/** What the comments say of the keys of one object in a source, and at "" of the constant that it is the schema of. */
type Comments = ReadonlyMap<string, string>;

/**
 * The JSON Schema (draft 2020-12) of what a configuration file may say.
 *
 * @param sources TypeScript files that declare parts of the schema, besides the package's own.
 */
export function jsonSchemaOf(schema: z.ZodType, sources: readonly string[]): object {
  const made = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const own = OWN.flatMap((folder) =>
    readdirSync(join(packageRoot, folder))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(packageRoot, folder, name)),
  );
  describe(made, [...sources, ...own].flatMap(commentsIn));
  return made;
}

/** Gives every key its comment. An object of the schema is known by its keys: it is the one in the sources that is most like it. */
function describe(schema: JsonSchema, declared: readonly Comments[]): void {
  const { properties = {}, items, anyOf = [], additionalProperties } = schema;
  const keys = Object.keys(properties);
  const likeness = (comments: Comments) => {
    const own = [...comments.keys()].filter((key) => key !== "");
    const shared = own.filter((key) => key in properties).length;
    return 2 * shared < own.length ? 0 : shared / (own.length + keys.length - shared);
  };
  const alike = declared
    .map((comments) => ({ comments, by: likeness(comments) }))
    .filter(({ by }) => by > 0)
    .sort((a, b) => b.by - a.by)
    .map(({ comments }) => comments);
  const whole = alike[0]?.get("");
  if (whole) schema.description ??= whole;
  for (const key of keys) {
    const text = alike.find((comments) => comments.get(key))?.get(key);
    if (text) properties[key]!.description ??= text;
  }
  const inner = [...Object.values(properties), ...anyOf, items, additionalProperties];
  for (const part of inner) if (typeof part === "object") describe(part, declared);
}

/** The comments of every object of a file. Keys without one have "". */
function commentsIn(file: string): Comments[] {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
  const source = project.createSourceFile("source.ts", readFileSync(file, "utf8"));
  return source.getDescendants().flatMap((node) => {
    if (!Node.isObjectLiteralExpression(node)) return [];
    const keys = node.getProperties().flatMap((property): [string, string][] => {
      if (!Node.isPropertyAssignment(property)) return [];
      const [comment] = property.getLeadingCommentRanges().slice(-1);
      return [[property.getName(), comment === undefined ? "" : plain(comment.getText())]];
    });
    const whole = node.getFirstAncestor(Node.isObjectLiteralExpression)
      ? undefined
      : node.getFirstAncestor(Node.isVariableStatement);
    const [ofWhole] = whole?.getLeadingCommentRanges().slice(-1) ?? [];
    return keys.length > 0 ? [new Map([...keys, ["", ofWhole ? plain(ofWhole.getText()) : ""]])] : [];
  });
}

/** The text of a comment in one line. */
const plain = (comment: string): string =>
  comment
    .replace(/^\/\*\*?|\*\/$|^\/\//g, "")
    .replace(/\s*\n\s*\*?\s*/g, " ")
    .trim();
