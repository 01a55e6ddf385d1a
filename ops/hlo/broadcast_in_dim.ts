import { type Op, pointwiseCost, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, list } from "./define.js";
import { outside, repeats, sameElementType } from "./dimensions.js";

export interface BroadcastInDimAttrs {
  /** Dimension of the result that each dimension of the operand becomes. */
  readonly dims: readonly number[];
}

/**
 * Adds dimensions to a tensor and repeats it along them. StableHLO specification, "broadcast_in_dim". (C6 is about quantized
 * types, which xenarc has not.)
 */
export const broadcastInDim: HloOp<
  BroadcastInDimAttrs,
  [operand: Value, shape: readonly number[], dims: readonly number[], axes?: readonly string[]]
> = {
  name: "stablehlo.broadcast_in_dim",
  view: true,
  constraints: {
    C1: sameElementType(),
    C2: ({ operands: [x], attrs }) =>
      attrs.dims.length !== x!.type.shape.length
        ? `${attrs.dims.length} broadcast dimensions for an operand of rank ${x!.type.shape.length}`
        : undefined,
    C3: ({ results: [y], attrs }) =>
      outside(attrs.dims, y!.type.shape.length)
        ? `broadcast dimensions ${list(attrs.dims)} leave a result of rank ${y!.type.shape.length}`
        : undefined,
    C4: ({ attrs }) => (repeats(attrs.dims) ? `broadcast dimensions ${list(attrs.dims)} repeat` : undefined),
    C5: ({ operands: [x], results: [y], attrs }) => {
      const d = x!.type.shape.findIndex((n, i) => n !== 1 && n !== y!.type.shape[attrs.dims[i]!]);
      return d < 0
        ? undefined
        : `dimension ${d} of ${typeText(x!.type)} is neither 1 nor dimension ${attrs.dims[d]} of ${typeText(y!.type)}`;
    },
  },
  syntax: functionalSyntax((op: Op<BroadcastInDimAttrs>) => `, dims = ${list(op.attrs.dims)}`),
  cost: (op) => pointwiseCost(op, 0),
  make: (b, x, shape, dims, axes) => emitOne(b, broadcastInDim, [x], { dims }, { shape, dtype: x.type.dtype }, axes),
  vjp(b, { operands: [x], results: [y], attrs: { dims } }, [ct]) {
    const { shape } = x!.type;
    const repeated = y!.type.shape.flatMap((n, d) => {
      const from = dims.indexOf(d);
      return from < 0 || (shape[from] === 1 && n !== 1) ? [d] : [];
    });
    const kept = [...dims].filter((d) => !repeated.includes(d)).sort((p, q) => p - q);
    const summed = b.reduceSum(ct!, repeated);
    const order = dims.filter((d) => kept.includes(d)).map((d) => kept.indexOf(d));
    return [b.reshape(b.transpose(summed, order), shape, x!.axes)];
  },
};
