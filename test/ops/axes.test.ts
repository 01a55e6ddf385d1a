import { Region, type Value } from "../../compiler/ir.js";
import { backward } from "../../compiler/passes/grad.js";
import { HloBuilder } from "../../ops/hlo/index.js";

// Axis names go with the dimensions that they are of, forward and backward.
const region = new Region();
const b = HloBuilder.into(region);
const x = region.arg({ shape: [2, 3, 4], dtype: "f32" }, ["batch", "seq", "embed"]);
const i = region.arg({ shape: [], dtype: "i32" });
const ids = region.arg({ shape: [5, 1], dtype: "i32" }, ["token", "at"]);
const zero = b.constant({ shape: [], dtype: "f32" }, 0);
const row = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], indexVectorDim: 1, sliceSizes: [1, 3, 1] };

test.each<[string, Value, readonly string[] | undefined]>([
  ["transpose", b.transpose(x, [2, 0, 1]), ["embed", "batch", "seq"]],
  ["reshape", b.reshape(x, [6, 4]), undefined],
  ["reshape, named", b.reshape(x, [6, 4], ["token", "embed"]), ["token", "embed"]],
  ["slice", b.slice(x, [0, 1, 0], [2, 3, 4]), x.axes],
  ["dynamic_slice", b.dynamicSlice(x, [i, i, i], [1, 3, 4]), x.axes],
  ["dynamic_update_slice", b.dynamicUpdateSlice(x, b.slice(x, [0, 0, 0], [1, 1, 1]), [i, i, i]), x.axes],
  ["concatenate", b.concatenate([x, x], 1), x.axes],
  ["pad", b.pad(x, zero, [0, 1, 0], [0, 0, 0]), x.axes],
  ["reverse", b.reverse(x, [1]), x.axes],
  ["reduce", b.reduceSum(x, [0, 2]), ["seq"]],
  ["gather", b.gather(b.reduceSum(x, [0]), ids, { ...row, sliceSizes: [1, 4] }), ["token", "embed"]],
  ["sort", b.sort([x], 1, true, (c, p, q) => c.compare(p!, q!, "LT"))[0]!, x.axes],
  ["optimization_barrier", b.optimizationBarrier([x])[0]!, x.axes],
])("%s keeps axis names", (_, v, axes) => {
  expect(v.axes).toEqual(axes);
});

test.each<[string, (x: Value) => Value]>([
  ["transpose", (v) => b.transpose(v, [2, 0, 1])],
  ["reshape", (v) => b.reshape(v, [6, 4])],
  ["slice", (v) => b.slice(v, [0, 1, 0], [2, 3, 4])],
  ["concatenate", (v) => b.concatenate([v, x], 1)],
  ["reduce", (v) => b.reduceSum(v, [0, 2])],
  ["gather", (v) => b.gather(v, ids, { ...row, offsetDims: [1, 2] })],
  ["sort", (v) => b.sort([v], 1, true, (c, p, q) => c.compare(p!, q!, "LT"))[0]!],
  [
    "dot_general",
    (v) => b.dotGeneral(v, v, { lhsBatch: [1], rhsBatch: [1], lhsContracting: [2], rhsContracting: [2] }),
  ],
])("the cotangent of %s has its operand's names", (_, build) => {
  const v = b.negate(x);
  const from = region.ops.length;
  const y = build(v);
  const [ct] = backward(b, from, [y], [b.constant(y.type, 1, y.axes)], [v]);
  expect(ct!.axes).toEqual(x.axes);
});
