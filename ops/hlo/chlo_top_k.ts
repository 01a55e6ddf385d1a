import { bytesOf, elements, type Op, type TensorType, typeText, type Value } from "../../compiler/ir.js";
import { type HloOp, list } from "./define.js";

export interface TopKAttrs {
  readonly k: number;
}

const resultShape = ({ shape }: TensorType, k: number): number[] => [...shape.slice(0, -1), k];
const shapeOfResult = (index: 0 | 1) => (op: Op<TopKAttrs>) => {
  const want = resultShape(op.operands[0]!.type, op.attrs.k);
  const got = op.results[index]!.type.shape;
  return want.length === got.length && want.every((n, d) => n === got[d])
    ? undefined
    : `result ${index} has shape ${list(want)}, not ${list(got)}`;
};

/**
 * The `k` largest elements along the last dimension, in falling order, and their positions; of equal elements the earlier one
 * first. CHLO dialect, "top_k" (it numbers no constraints: the numbers here are this file's).
 */
export const topK: HloOp<
  TopKAttrs,
  [operand: Value, k: number, axes?: readonly string[]],
  readonly [values: Value, indices: Value]
> = {
  name: "chlo.top_k",
  constraints: {
    C1: ({ operands: [x] }) =>
      x!.type.shape.length ? undefined : `the operand has at least one dimension, not ${typeText(x!.type)}`,
    C2: ({ operands: [x], attrs: { k } }) =>
      Number.isInteger(k) && k >= 0 && k <= x!.type.shape.at(-1)!
        ? undefined
        : `k is ${k}; ${typeText(x!.type)} has ${x!.type.shape.at(-1)} elements along its last dimension`,
    C3: shapeOfResult(0),
    C4: shapeOfResult(1),
    C5: ({ operands: [x], results: [values, indices] }) =>
      values!.type.dtype === x!.type.dtype && indices!.type.dtype === "i32"
        ? undefined
        : `results have element types ${x!.type.dtype} and i32, not ${values!.type.dtype} and ${indices!.type.dtype}`,
  },
  syntax: (op, p) =>
    `${op.def.name}(${p.values(op.operands)}, k = ${op.attrs.k}) : ${p.types(op.operands)} -> (${p.types(op.results)})`,
  resultNames: ["values", "indices"],
  cost(op) {
    const n = elements(op.operands[0]!.type);
    let bytes = bytesOf(op.operands[0]!.type);
    for (const v of op.results) bytes += bytesOf(v.type);
    return {
      flops: n * Math.max(1, Math.ceil(Math.log2(op.operands[0]!.type.shape.at(-1)! || 1))),
      transcendentals: 0,
      bytes,
    };
  },
  make(b, x, k, axes) {
    const shape = resultShape(x.type, k);
    const op = b.emit(
      topK,
      [x],
      { k },
      [
        { shape, dtype: x.type.dtype },
        { shape, dtype: "i32" },
      ],
      [],
      axes && [axes, axes],
    );
    return op.results as [Value, Value];
  },
  // Each value's cotangent goes to the position that it came from: no two values have the same one.
  vjp(b, { operands, results, attrs: { k } }, [ct]) {
    if (!ct) return [undefined];
    const { shape, dtype } = operands[0]!.type;
    const last = shape.length - 1;
    const pairs = [...shape.slice(0, last), k, shape[last]!];
    const along = [...shape.slice(0, last).keys(), last];
    const positions = b.iota({ shape: pairs, dtype: "i32" }, last + 1);
    const hit = b.compare(positions, b.broadcastInDim(results[1]!, pairs, along), "EQ");
    const spread = b.select(hit, b.broadcastInDim(ct, pairs, along), b.constant({ shape: pairs, dtype }, 0));
    return [b.reduceSum(spread, [last])];
  },
};
