/** A configuration's schema as JSON Schema, for editors: with what the sources say of each key in its comment. Loads ts-morph. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Node, Project, type SourceFile, SyntaxKind } from "ts-morph";
import { z } from "zod";
import { packageRoot } from "../compiler/source/package.js";

/** Where the package's own sections, and the configurations of its models, are declared. */
const OWN = "models";

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
 * The JSON Schema (draft 2020-12) of what a configuration file may say. A key is described by the comment before it, or else by that of
 * the first constant in its schema that has one.
 *
 * @param sources TypeScript files that declare parts of the schema, besides the package's own.
 */
export function jsonSchemaOf(schema: z.ZodType, sources: readonly string[]): object {
  const made = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const own = readdirSync(join(packageRoot, OWN), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("layers"))
    .map((name) => join(packageRoot, OWN, name));
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
  const files = [...sources, ...own].map((file, i) => project.createSourceFile(`${i}.ts`, readFileSync(file, "utf8")));
  const constants = new Map([...files].reverse().flatMap(constantsIn));
  describe(
    made,
    files.flatMap((file) => commentsIn(file, constants)),
  );
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

/** The comments of a file's constants, by their names. */
function constantsIn(source: SourceFile): [string, string][] {
  return source.getVariableStatements().flatMap((statement) => {
    const text = commentOf(statement);
    return text === ""
      ? []
      : statement.getDeclarations().map((declared): [string, string] => [declared.getName(), text]);
  });
}

/** The comments of every object of a file. Keys without one have that of a constant in their schema, or "". */
function commentsIn(source: SourceFile, constants: ReadonlyMap<string, string>): Comments[] {
  return source.getDescendants().flatMap((node) => {
    if (!Node.isObjectLiteralExpression(node)) return [];
    const keys = node.getProperties().flatMap((property): [string, string][] => {
      if (!Node.isPropertyAssignment(property)) return [];
      const constant = namesIn(property.getInitializerOrThrow()).find((name) => constants.has(name));
      return [[property.getName(), commentOf(property) || (constants.get(constant ?? "") ?? "")]];
    });
    const whole = node.getFirstAncestor(Node.isObjectLiteralExpression)
      ? undefined
      : node.getFirstAncestor(Node.isVariableStatement);
    return keys.length > 0 ? [new Map([...keys, ["", whole ? commentOf(whole) : ""]])] : [];
  });
}

/** What an expression names, in its order; not the properties of what it names. */
function namesIn(expression: Node): string[] {
  const all = [expression, ...expression.getDescendants()].filter(Node.isIdentifier);
  return all
    .filter((name) => name.getParentIfKind(SyntaxKind.PropertyAccessExpression)?.getNameNode() !== name)
    .map((name) => name.getText());
}

/** The comment right before a node, in one line; "": there is none. */
function commentOf(node: Node): string {
  const [comment] = node.getLeadingCommentRanges().slice(-1);
  return comment === undefined ? "" : plain(comment.getText());
}

/** The text of a comment in one line. */
const plain = (comment: string): string =>
  comment
    .replace(/^\/\*\*?|\*\/$|^\/\//g, "")
    .replace(/\s*\n\s*\*?\s*/g, " ")
    .trim();
