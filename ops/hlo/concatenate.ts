import { type Op, pointwiseCost, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, inheritAxes } from "./define.js";
import { replaced, sameElementType, wrongShape } from "./dimensions.js";

export interface ConcatenateAttrs {
  readonly dimension: number;
}

const resultShape = (inputs: readonly Value[], dimension: number): number[] =>
  inputs.length === 0
    ? []
    : replaced(inputs[0]!.type.shape, [dimension], () => inputs.reduce((n, v) => n + v.type.shape[dimension]!, 0));

/** Tensors one after the other along a dimension. StableHLO specification, "concatenate". */
export const concatenate: HloOp<ConcatenateAttrs, [inputs: readonly Value[], dimension: number]> = {
  name: "stablehlo.concatenate",
  constraints: {
    C3: ({ operands }) => (operands.length === 0 ? "nothing to concatenate" : undefined),
    C1: ({ operands }) => {
      const dtypes = new Set(operands.map((v) => v.type.dtype));
      return dtypes.size > 1 ? `inputs differ in element type: ${[...dtypes].join(", ")}` : undefined;
    },
    C2: ({ operands: [first, ...rest], attrs: { dimension } }) => {
      const [want, at] = [first!.type.shape, dimension];
      const other = rest.find(
        ({ type: { shape } }) => shape.length !== want.length || shape.some((n, d) => d !== at && n !== want[d]),
      );
      return other
        ? `${typeText(first!.type)} and ${typeText(other.type)} differ elsewhere than in dimension ${dimension}`
        : undefined;
    },
    C4: ({ operands: [first], attrs: { dimension } }) =>
      dimension < 0 || dimension >= first!.type.shape.length
        ? `${typeText(first!.type)} has no dimension ${dimension}`
        : undefined,
    C5: sameElementType(),
    C6: ({ operands, results: [y], attrs }) => wrongShape(resultShape(operands, attrs.dimension), y!),
  },
  syntax: functionalSyntax((op: Op<ConcatenateAttrs>) => `, dim = ${op.attrs.dimension}`),
  cost: (op) => pointwiseCost(op, 0),
  make(b, inputs, dimension) {
    const type = { shape: resultShape(inputs, dimension), dtype: inputs[0]?.type.dtype ?? "f32" };
    return emitOne(b, concatenate, inputs, { dimension }, type, inheritAxes(inputs));
  },
  vjp(b, { operands, attrs: { dimension } }, [ct], needs) {
    let end = 0;
    return operands.map((x, i) => {
      const begin = end;
      end += x.type.shape[dimension]!;
      if (!needs(i)) return undefined;
      const { shape } = ct!.type;
      return b.slice(
        ct!,
        shape.map((_, d) => (d === dimension ? begin : 0)),
        replaced(shape, [dimension], () => end),
      );
    });
  },
};
