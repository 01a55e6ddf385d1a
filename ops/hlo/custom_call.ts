import {
  type Op,
  type OpDef,
  pointwiseCost,
  sameType,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import { type Attributes, dictionaryText, quoted, symbol } from "./attributes.js";
import { functionType, type HloOp, list } from "./define.js";
import { range } from "./dimensions.js";

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
