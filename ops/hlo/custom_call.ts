import {
  type DType,
  type Op,
  type OpDef,
  pointwiseCost,
  sameType,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import { functionType, type HloOp, i64Array, list } from "./define.js";
import { range } from "./dimensions.js";
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

export interface CustomCallAttrs {
  readonly target: string;
  /** What the implementation is given at compile time: text, or with `apiVersion` 4 a dictionary. */
  readonly backendConfig?: string | Attributes;
  /** It acts outside its results: it is never removed, merged or moved. */
  readonly hasSideEffect?: boolean;
  /** 1 (default): original, 2: with a status, 3: with a unified status, 4: typed foreign functions. */
  readonly apiVersion?: 1 | 2 | 3 | 4;
  /** Functions of the module that the implementation may call. */
  readonly calledComputations?: readonly string[];
  /** Order of dimensions in memory, the fastest first, of every operand and result. */
  readonly layouts?: {
    readonly operands: readonly (readonly number[])[];
    readonly results: readonly (readonly number[])[];
  };
  /** Results that take the memory of an operand. */
  readonly aliases?: readonly { readonly result: number; readonly operand: number }[];
  /** `mhlo.frontend_attributes`: what XLA's own targets read. */
  readonly frontendAttributes?: Readonly<Record<string, string>>;
}

const isLayout = (layout: readonly number[], { shape }: TensorType): boolean =>
  [...layout].sort((p, q) => p - q).join() === range(shape.length).join();

const pure: OpDef<CustomCallAttrs> = {
  name: "stablehlo.custom_call",
  constraints: {
    // What the specification's I4 and I7 mean for the version and the types; the dialect's verifier asks the same.
    I4: ({ attrs: { backendConfig, apiVersion } }) =>
      backendConfig !== undefined && (typeof backendConfig === "string") === (apiVersion === 4)
        ? `API version ${apiVersion ?? 1} takes a backend config that is ${apiVersion === 4 ? "a dictionary" : "text"}`
        : undefined,
    I7: ({ operands, results, attrs: { aliases = [] } }) => {
      for (const { result, operand } of aliases) {
        const [x, y] = [operands[operand], results[result]];
        if (!x || !y || !sameType(x.type, y.type)) {
          return `result ${result}${y ? ` (${typeText(y.type)})` : ""} cannot take the memory of operand ${operand}${x ? ` (${typeText(x.type)})` : ""}`;
        }
      }
      return undefined;
    },
    layouts({ operands, results, attrs: { layouts } }) {
      if (!layouts) return undefined;
      if (layouts.operands.length !== operands.length || layouts.results.length !== results.length) {
        return `${layouts.operands.length} and ${layouts.results.length} layouts for ${operands.length} operands and ${results.length} results`;
      }
      const values = [...operands, ...results];
      const all = [...layouts.operands, ...layouts.results];
      const i = all.findIndex((layout, k) => !isLayout(layout, values[k]!.type));
      return i < 0
        ? undefined
        : `layout ${list(all[i]!)} is no order of the dimensions of ${typeText(values[i]!.type)}`;
    },
  },
  syntax(op: Op<CustomCallAttrs>, p) {
    const a = op.attrs;
    const alias = ({ result, operand }: { result: number; operand: number }) =>
      `#stablehlo.output_operand_alias<output_tuple_indices = ${op.results.length > 1 ? `[${result}]` : "[]"}, operand_index = ${operand}, operand_tuple_indices = []>`;
    // MLIR leaves out what has its default, and sorts the rest.
    const given: Record<string, string | undefined> = {
      api_version: a.apiVersion && a.apiVersion !== 1 ? `${a.apiVersion} : i32` : undefined,
      backend_config: configText(a.backendConfig),
      called_computations: a.calledComputations?.length
        ? `[${a.calledComputations.map(symbol).join(", ")}]`
        : undefined,
      has_side_effect: a.hasSideEffect ? "true" : undefined,
      "mhlo.frontend_attributes": a.frontendAttributes && dictionaryText(a.frontendAttributes),
      operand_layouts: a.layouts && layoutsText(a.layouts.operands),
      output_operand_aliases: a.aliases?.length ? `[${a.aliases.map(alias).join(", ")}]` : undefined,
      result_layouts: a.layouts && layoutsText(a.layouts.results),
    };
    const dictionary = Object.entries(given).flatMap(([name, text]) =>
      text === undefined ? [] : [`${name} = ${text}`],
    );
    const attributes = dictionary.length ? ` {${dictionary.join(", ")}}` : "";
    return `${op.def.name} ${symbol(a.target)}(${p.values(op.operands)})${attributes} : ${functionType(op, p)}`;
  },
  cost: (op) => pointwiseCost(op, 0),
};
const effectful: OpDef<CustomCallAttrs> = { ...pure, effect: true };

/**
 * An operation that the platform implements. StableHLO specification, "custom_call" (which gives it no numbered constraints). It
 * has no derivative.
 */
export const customCall: HloOp<
  CustomCallAttrs,
  [
    operands: readonly Value[],
    results: readonly TensorType[],
    attrs: CustomCallAttrs,
    axes?: readonly (readonly string[] | undefined)[],
  ],
  readonly Value[]
> = {
  ...pure,
  make: (b, operands, results, attrs, axes) =>
    b.emit(attrs.hasSideEffect ? effectful : pure, operands, attrs, results, [], axes).results,
};

const configText = (config: string | Attributes | undefined): string | undefined =>
  config === undefined ? undefined : typeof config === "string" ? quoted(config) : dictionaryText(config);

const layoutsText = (layouts: readonly (readonly number[])[]): string =>
  `[${layouts.map((l) => `${l.length ? `dense<${l.length === 1 ? l[0] : list(l)}>` : "dense<>"} : tensor<${l.length}xindex>`).join(", ")}]`;

const isIdentifier = (name: string): boolean => /^[A-Za-z_][\w$.]*$/.test(name);
/** `@name`, quoted where it must be. */
const symbol = (name: string): string => `@${isIdentifier(name) ? name : quoted(name)}`;

/** A string as MLIR prints it: bytes that are not printable in hexadecimal. */
function quoted(text: string): string {
  let out = "";
  for (const byte of new TextEncoder().encode(text)) {
    const c = String.fromCharCode(byte);
    if (c === "\\") out += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f && c !== '"') out += c;
    else out += `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return `"${out}"`;
}

function dictionaryText(attributes: Attributes): string {
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
