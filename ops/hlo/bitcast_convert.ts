import {
  type DType,
  type Op,
  pointwiseCost,
  sameShape,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, kinds } from "./define.js";

/** Bits of an element; a boolean has one. */
function bits(dtype: DType): number {
  if (kinds.complex(dtype)) return dtype === "complex<f32>" ? 64 : 128;
  return Number(/\d+/.exec(dtype)![0]);
}

/** The result's shape: as the operand's, with a last dimension more (narrower elements) or less (wider ones). */
function resultShape({ shape, dtype }: TensorType, to: DType): readonly number[] {
  const [from, into] = [bits(dtype), bits(to)];
  if (from === into) return shape;
  return into < from ? [...shape, from / into] : shape.slice(0, -1);
}

/**
 * The same bits as another element type; a last dimension appears or goes where the widths differ. StableHLO specification,
 * "bitcast_convert".
 */
export const bitcastConvert: HloOp<null, [operand: Value, dtype: DType, axes?: readonly string[]]> = {
  name: "stablehlo.bitcast_convert",
  stops: true,
  constraints: {
    C1({ operands: [x], results: [y] }: Op) {
      const [from, into] = [bits(x!.type.dtype), bits(y!.type.dtype)];
      if (into > from && x!.type.shape.at(-1) !== into / from) {
        return `the last dimension of ${typeText(x!.type)} is ${into / from} where ${y!.type.dtype} is made of it`;
      }
      const want = resultShape(x!.type, y!.type.dtype);
      return sameShape(want, y!.type.shape)
        ? undefined
        : `${typeText(x!.type)} has the bits of ${typeText({ shape: want, dtype: y!.type.dtype })}, not of ${typeText(y!.type)}`;
    },
    C2: ({ operands: [x], results: [y] }) =>
      kinds.complex(x!.type.dtype) === kinds.complex(y!.type.dtype)
        ? undefined
        : `complex elements go with complex elements only, not ${typeText(x!.type)} with ${typeText(y!.type)}`,
  },
  syntax: functionalSyntax(),
  cost: (op) => pointwiseCost(op, 0),
  make(b, x, dtype, axes) {
    const shape = resultShape(x.type, dtype);
    const names = axes ?? (shape.length === x.type.shape.length ? x.axes : undefined);
    return emitOne(b, bitcastConvert, [x], null, { shape, dtype }, names);
  },
};
