import { type Op, pointwiseCost, sameShape, type TensorType, typeText, type Value } from "../../compiler/ir.js";
import { type HloOp, list } from "./define.js";
import { outside } from "./dimensions.js";
import { type GroupAttrs, type Groups, groupAttributes, groupSize, knownDevices, uniqueDevices } from "./groups.js";
import { applying, combiners, genericSyntax, isReduction, type Monoid, noDerivative, regionOf } from "./regions.js";

export interface ReduceScatterAttrs extends GroupAttrs {
  readonly dimension: number;
}

const part = ({ shape }: TensorType, dimension: number, n: number): number[] =>
  shape.map((size, d) => (d === dimension ? size / n : size));

/**
 * The operands of a group's devices combined element by element; of the result each device has its part along a dimension. StableHLO
 * specification, "reduce_scatter". Only the sum has a derivative.
 */
export const reduceScatter: HloOp<
  ReduceScatterAttrs,
  [operand: Value, dimension: number, groups: Groups, by?: Monoid]
> = {
  name: "stablehlo.reduce_scatter",
  constraints: {
    C2: ({ operands: [x], attrs: { dimension } }) =>
      outside([dimension], x!.type.shape.length) ? `dimension ${dimension} is none of ${typeText(x!.type)}` : undefined,
    C1: (op) => {
      const size = op.operands[0]!.type.shape[op.attrs.dimension]!;
      return size % groupSize(op) === 0
        ? undefined
        : `dimension ${op.attrs.dimension} of ${size} cannot be split among ${groupSize(op)} devices`;
    },
    C3: uniqueDevices,
    C5: knownDevices,
    C7: ({ operands: [x], regions: [body] }) => isReduction(body, [x!.type]),
    C8: (op) => {
      const want = part(op.operands[0]!.type, op.attrs.dimension, groupSize(op));
      const { shape } = op.results[0]!.type;
      return sameShape(shape, want) ? undefined : `the result's shape is ${list(want)}, not ${list(shape)}`;
    },
    C9: ({ results: [y], regions: [body] }) =>
      y!.type.dtype === body!.results[0]!.type.dtype
        ? undefined
        : `the result has the body's element type ${body!.results[0]!.type.dtype}, not ${typeText(y!.type)}`,
  },
  syntax: genericSyntax(({ attrs }: Op<ReduceScatterAttrs>) => [
    ...groupAttributes(attrs, `scatter_dimension = ${attrs.dimension} : i64`),
    "use_global_device_ids",
  ]),
  cost: (op) => pointwiseCost(op, 1),
  platforms: ["cpu", "gpu"],
  // XLA:TPU makes an all-reduce of one that has dimensions of 1, which sends twice as much.
  expand(b, { operands, attrs: { dimension, groups }, results, regions }) {
    const [x, y] = [operands[0]!, results[0]!];
    const kept = x.type.shape.flatMap((size, d) => (size > 1 || d === dimension ? [d] : []));
    const without = ({ type: { shape, dtype }, axes }: Value) => ({
      type: { shape: kept.map((d) => shape[d]!), dtype },
      axes: axes && kept.map((d) => axes[d]!),
    });
    const [given, part] = [without(x), without(y)];
    const slim = b.reshape(x, given.type.shape, given.axes);
    const attrs = { dimension: kept.indexOf(dimension), groups };
    const [out] = b.emit(reduceScatter, [slim], attrs, [part.type], regions, [part.axes]).results;
    return [b.reshape(out!, y.type.shape, y.axes)];
  },
  make(b, x, dimension, groups, by = "add") {
    const body = regionOf(b, applying(by), [x.type.dtype, x.type.dtype]);
    const shape = part(x.type, dimension, groups[0]?.length ?? 0);
    const type = { shape, dtype: x.type.dtype };
    return b.emit(reduceScatter, [x], { dimension, groups }, [type], [body], [x.axes]).results[0]!;
  },
  vjp(b, op, [ct]) {
    if (combiners(op.regions[0]!)[0] !== "stablehlo.add") throw noDerivative(op, "it is not a sum");
    return [b.allGather(ct!, op.attrs.dimension, op.attrs.groups)];
  },
};
