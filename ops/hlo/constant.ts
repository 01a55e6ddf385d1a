import { elements, type Op, type Printer, pointwiseCost, type TensorType, typeText } from "../../compiler/ir.js";
import { emitOne, type HloOp, kinds } from "./define.js";
import { arrayOf, type Data, dataOf, dataText, representable, type Scalar, scalarText } from "./literal.js";

/** One value for all elements, or all of them in row-major order (see `arrayOf` for the kind of array). */
export type ConstantAttrs = { readonly value: Scalar } | { readonly data: Data };

/** A constant. StableHLO specification, "constant". */
export const constant: HloOp<ConstantAttrs, [type: TensorType, value: Scalar, axes?: readonly string[]]> = {
  name: "stablehlo.constant",
  view: true,
  stops: true,
  constraints: {
    C1({ attrs, results }: Op<ConstantAttrs>) {
      const { type } = results[0]!;
      if ("value" in attrs) {
        return representable(attrs.value, type.dtype) ? undefined : `${attrs.value} is no value of ${typeText(type)}`;
      }
      const array = arrayOf(type.dtype);
      if (!(attrs.data instanceof array)) {
        return `${typeText(type)} is given as ${array.name}, not ${attrs.data.constructor.name}`;
      }
      const length = elements(type) * (kinds.complex(type.dtype) ? 2 : 1);
      return attrs.data.length === length
        ? undefined
        : `${typeText(type)} takes ${length} numbers, not ${attrs.data.length}`;
    },
  },
  syntax(op, p: Printer) {
    const { type } = op.results[0]!;
    return `${op.def.name} ${denseText(type, op.attrs)} : ${p.type(type)}`;
  },
  resultName: (op) => (/^u?i/.test(op.results[0]!.type.dtype) ? "c" : "cst"),
  cost: (op) => pointwiseCost(op, 0),
  make(b, { shape, dtype }, value, axes) {
    // Made once by each builder: a model says 0 and 1 hundreds of times.
    const key = `${dtype} ${shape} ${Object.is(value, -0) ? "-0" : value}`;
    const before = b.constants.get(key);
    if (before) return before;
    const made = emitOne(b, constant, [], { value }, { shape, dtype }, axes);
    b.constants.set(key, made);
    return made;
  },
};

/** A constant of bulk data. StableHLO specification, "constant". */
export const constantData: HloOp<
  ConstantAttrs,
  [type: TensorType, data: Data | readonly number[], axes?: readonly string[]]
> = {
  ...constant,
  make: (b, { shape, dtype }, given, axes) =>
    emitOne(b, constant, [], { data: isData(given) ? given : dataOf(given, dtype) }, { shape, dtype }, axes),
};

const isData = (given: Data | readonly number[]): given is Data => ArrayBuffer.isView(given);

const denseText = (type: TensorType, attrs: ConstantAttrs): string => {
  if ("data" in attrs) return dataText(type, attrs.data);
  return elements(type) === 0 ? "dense<>" : `dense<${scalarText(attrs.value, type.dtype)}>`;
};
