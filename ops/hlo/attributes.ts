/** Attributes in dictionaries, as MLIR prints them: what custom calls and composites carry. */
import type { DType } from "../../compiler/ir.js";
import { i64Array } from "./define.js";
import { type Scalar, scalarText } from "./literal.js";

/** An attribute of a dictionary: text, truth, a number with its type, an array of `i64`, or more of the kind. */
export type Attribute =
  | string
  | boolean
  | { readonly value: Scalar; readonly type: DType }
  | { readonly i64s: readonly number[] }
  | readonly Attribute[]
  | { readonly dictionary: Attributes };
export type Attributes = Readonly<Record<string, Attribute>>;

const isIdentifier = (name: string): boolean => /^[A-Za-z_][\w$.]*$/.test(name);
/** `@name`, quoted where it must be. */
export const symbol = (name: string): string => `@${isIdentifier(name) ? name : quoted(name)}`;

/** A string as MLIR prints it: bytes that are not printable in hexadecimal. */
export function quoted(text: string): string {
  let out = "";
  for (const byte of new TextEncoder().encode(text)) {
    const c = String.fromCharCode(byte);
    if (c === "\\") out += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f && c !== '"') out += c;
    else out += `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return `"${out}"`;
}

/** `{name = value, ...}`, sorted by name. */
export function dictionaryText(attributes: Attributes): string {
  const key = (name: string) => (isIdentifier(name) ? name : quoted(name));
  const byName = Object.entries(attributes).sort(([p], [q]) => Buffer.compare(Buffer.from(p), Buffer.from(q)));
  return `{${byName.map(([name, value]) => `${key(name)} = ${attributeText(value)}`).join(", ")}}`;
}

/** Inside a list MLIR leaves out the types that a number has by default. */
function attributeText(value: Attribute, inList = false): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map((v) => attributeText(v, true)).join(", ")}]`;
  if ("dictionary" in value) return dictionaryText(value.dictionary);
  if ("i64s" in value) return i64Array(value.i64s);
  const text = scalarText(value.value, value.type);
  const implied = value.type === "i1" || (inList && (value.type === "i64" || value.type === "f64"));
  return implied ? text : `${text} : ${value.type}`;
}
const isList = (value: Attribute): value is readonly Attribute[] => Array.isArray(value);
