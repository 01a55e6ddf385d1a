import { type Op, pointwiseCost, sameShape, sameType, typeText, type Value } from "../../compiler/ir.js";
import { compactSyntax, emitOne, type HloOp } from "./define.js";

/** A bound is a scalar or has the operand's shape. */
const boundShape = (index: 0 | 2, name: string) => (op: Op) => {
  const bound = op.operands[index]!.type;
  const x = op.operands[1]!.type;
  return bound.shape.length === 0 || sameShape(bound.shape, x.shape)
    ? undefined
    : `${name} ${typeText(bound)} is neither a scalar nor of the shape of ${typeText(x)}`;
};

/** `minimum(maximum(operand, min), max)` elementwise; either bound may be a scalar. StableHLO specification, "clamp". */
export const clamp: HloOp<null, [min: Value, operand: Value, max: Value]> = {
  name: "stablehlo.clamp",
  constraints: {
    C1: boundShape(0, "min"),
    C2: boundShape(2, "max"),
    C3: ({ operands: [min, x, max] }) =>
      min!.type.dtype === x!.type.dtype && x!.type.dtype === max!.type.dtype
        ? undefined
        : `min, operand and max have one element type, not ${min!.type.dtype}, ${x!.type.dtype} and ${max!.type.dtype}`,
    C4: ({ operands: [, x], results: [y] }) =>
      sameType(x!.type, y!.type) ? undefined : `the result is ${typeText(x!.type)}, not ${typeText(y!.type)}`,
  },
  syntax: compactSyntax,
  cost: (op) => pointwiseCost(op, 2),
  make: (b, min, x, max) => emitOne(b, clamp, [min, x, max], null, x.type, x.axes),
  vjp(b, { operands }, [ct], needs) {
    const [min, x, max] = operands as [Value, Value, Value];
    const { shape } = x.type;
    const whole = (v: Value) => (sameShape(v.type.shape, shape) ? v : b.broadcastInDim(v, shape, [], x.axes));
    const [low, high] = [whole(min), whole(max)];
    const where = (...conditions: Value[]) =>
      b.select(
        conditions.reduce((p, q) => b.and(p, q)),
        ct!,
        b.constant(x.type, 0),
      );
    const ofBound = (bound: Value, c: Value) =>
      sameShape(bound.type.shape, shape)
        ? c
        : b.reduceSum(
            c,
            shape.map((_, d) => d),
          );
    return [
      needs(0) ? ofBound(min, where(b.compare(low, x, "GT"), b.compare(low, high, "LT"))) : undefined,
      needs(1) ? where(b.compare(x, low, "GT"), b.compare(x, high, "LT")) : undefined,
      needs(2) ? ofBound(max, where(b.compare(high, x, "LT"))) : undefined,
    ];
  },
};
